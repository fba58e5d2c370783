#include "serve/completion_request.h"

#include "base/str.h"
#include "serve/fields.h"
#include "serve/tool_request.h"

namespace atelier::serve {
namespace {

constexpr int64_t kMostTokens = 1 << 20;  // the model's context is the real limit
constexpr size_t kMostMessages = 2048, kMostPrompts = 64, kMostStops = 16, kMostBiases = 1024;
constexpr size_t kMostEchoed = 64 << 10;  // bytes
constexpr int64_t kMostSamples = 64, kMostTop = 20;

// What both kinds share.
void ReadSampling(Fields& fields, CompletionRequest* out) {
  artefact::GenerateRequest& generate = out->generate;
  out->model = fields.String("model");
  generate.samples = static_cast<int>(fields.IntOr("n", 1, kMostSamples).value_or(1));
  // Any number is a seed; without one every request draws anew, which the caller sees to.
  if (const auto seed = fields.IntOr("seed", INT64_MIN, INT64_MAX)) generate.seed = static_cast<uint64_t>(*seed);
  generate.stop = fields.TextsOr("stop", kMostStops);
  for (const std::string& stop : generate.stop) {
    if (stop.empty()) fields.Refuse("stop", "holds an empty text");
  }
  artefact::Sampling& sampling = generate.sampling;
  sampling.temperature = fields.NumberOr("temperature", 0, 2).value_or(1);
  sampling.top_p = fields.NumberOr("top_p", 0, 1).value_or(1);
  if (sampling.top_p == 0) sampling.top_p = 1e-9;  // the likeliest token alone, as the API has it
  sampling.presence_penalty = fields.NumberOr("presence_penalty", -2, 2).value_or(0);
  sampling.frequency_penalty = fields.NumberOr("frequency_penalty", -2, 2).value_or(0);
  // Beyond OpenAI's: what local engines offer under these names.
  sampling.top_k = static_cast<int>(fields.IntOr("top_k", 0, 1'000'000).value_or(0));
  sampling.min_p = fields.NumberOr("min_p", 0, 1).value_or(0);
  sampling.repetition_penalty = fields.NumberOr("repetition_penalty", 0.1, 10).value_or(1);
  if (const Json* bias = fields.Any("logit_bias")) {
    if (!bias->is_object()) fields.Refuse("logit_bias", "is not an object of token ids");
    if (bias->size() > kMostBiases) fields.Refuse("logit_bias", Cat("has more than ", kMostBiases, " entries"));
    for (const auto& [name, value] : bias->items()) {
      const auto token = ParseInt(name);
      if (!token || *token < 0 || *token > INT32_MAX) fields.Refuse("logit_bias", Cat(Quote(name), " is no token id"));
      if (!value.is_number() || !(value.get<double>() >= -100 && value.get<double>() <= 100))
        fields.Refuse("logit_bias", Cat("the bias of ", name, " is not a number from -100 to 100"));
      sampling.logit_bias.emplace_back(static_cast<int32_t>(*token), value.get<float>());
    }
  }
  out->stream = fields.BoolOr("stream").value_or(false);
  if (const Json* options = fields.Any("stream_options")) {
    if (!out->stream) fields.Refuse("stream_options", "goes with \"stream\": true only");
    Fields inner(*options, fields.Path("stream_options"));
    out->usage_in_stream = inner.BoolOr("include_usage").value_or(false);
    inner.Done();
  }
  fields.StringOr("user");  // who asks is told by the key; the field is allowed and not kept
}

// "text", or parts of type text that are joined.
std::string ReadContent(Fields& message, bool required) {
  const Json* content = message.Any("content");
  if (content == nullptr) {
    if (required) message.Refuse("content", "is missing");
    return "";
  }
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) message.Refuse("content", "is neither a text nor an array of parts");
  std::string text;
  for (size_t i = 0; i < content->size(); ++i) {
    Fields part((*content)[i], Cat(message.Path("content"), "[", i, "]"));
    const std::string type = part.String("type");
    if (type != "text") part.Refuse("type", Cat(Quote(type), " is not supported"), "only text is read here");
    text += part.String("text");
    part.Done();
  }
  return text;
}

Json ReadMessages(Fields& fields) {
  const Json* messages = fields.Any("messages");
  if (messages == nullptr) fields.Refuse("messages", "is missing");
  if (!messages->is_array() || messages->empty()) fields.Refuse("messages", "is not an array of at least one message");
  if (messages->size() > kMostMessages) fields.Refuse("messages", Cat("has more than ", kMostMessages, " messages"));
  Json out = Json::array();
  ToolMessages tools;
  for (size_t i = 0; i < messages->size(); ++i) {
    Fields message((*messages)[i], Cat("messages[", i, "]"));
    std::string role = message.String("role");
    if (role == "developer") role = "system";  // newer clients' word for it
    if (role != "system" && role != "user" && role != "assistant" && role != "tool")
      message.Refuse("role", Cat(Quote(role), " is not supported"), "system, developer, user, assistant or tool");
    Json read = {{"role", role}, {"content", ReadContent(message, role != "assistant")}};
    if (role == "assistant") {
      if (Json calls = tools.ReadCalls(message); !calls.is_null()) read["tool_calls"] = std::move(calls);
      if (message.Any("refusal") != nullptr) message.Refuse("refusal", "is not supported");  // null in our own answers
    }
    if (role == "tool") tools.ReadResult(message, &read);
    out.push_back(std::move(read));
    message.StringOr("name");
    message.Done();
  }
  return out;
}

// What the answer must be: {"type": "text" | "json_object"}, {"type": "json_schema", "json_schema": {name, schema}},
// and beyond OpenAI's {"type": "regex", "regex": ...} and {"type": "choice", "choices": [...]}.
artefact::ConstraintSpec ReadFormat(const Json& format) {
  using Kind = artefact::ConstraintSpec::Kind;
  Fields fields(format, "response_format");
  artefact::ConstraintSpec spec;
  const std::string type = fields.String("type");
  if (type == "json_object") {
    spec.kind = Kind::kJsonObject;
  } else if (type == "json_schema") {
    const Json* given = fields.Any("json_schema");
    if (given == nullptr) fields.Refuse("json_schema", "is missing");
    Fields inner(*given, fields.Path("json_schema"));
    inner.String("name");
    inner.StringOr("description");
    inner.BoolOr("strict");  // always
    const Json* schema = inner.Any("schema");
    if (schema == nullptr) inner.Refuse("schema", "is missing");
    if (!schema->is_object() && !schema->is_boolean()) inner.Refuse("schema", "is no JSON Schema");
    inner.Done();
    spec.kind = Kind::kJsonSchema;
    spec.text = ToText(*schema);
  } else if (type == "regex") {
    spec.kind = Kind::kRegex;
    spec.text = fields.String("regex");
  } else if (type == "choice") {
    spec.kind = Kind::kChoice;
    if (const Json* choices = fields.Any("choices"); choices == nullptr || !choices->is_array() || choices->empty())
      fields.Refuse("choices", "is not an array of at least one text");
    spec.choices = fields.TextsOr("choices", artefact::ConstraintSpec::kMostChoices);
  } else if (type != "text") {
    fields.Refuse("type", Cat(Quote(type), " is not supported"), "text, json_object, json_schema, regex or choice");
  }
  fields.Done();
  return spec;
}

}  // namespace

CompletionRequest ReadChatRequest(const Json& body) {
  CompletionRequest out;
  out.chat = true;
  Fields fields(body, "");
  ReadSampling(fields, &out);
  out.messages = ReadMessages(fields);
  out.generate.parse_special = true;
  const auto most = fields.IntOr("max_tokens", 1, kMostTokens);
  const auto newer = fields.IntOr("max_completion_tokens", 1, kMostTokens);
  if (most && newer && *most != *newer) fields.Refuse("max_completion_tokens", "contradicts max_tokens");
  out.limited = most || newer;
  out.generate.max_tokens = static_cast<int>(most ? *most : newer.value_or(kMostTokens));
  const bool logprobs = fields.BoolOr("logprobs").value_or(false);
  const auto top = fields.IntOr("top_logprobs", 0, kMostTop);
  if (top && !logprobs) fields.Refuse("top_logprobs", "goes with \"logprobs\": true only");
  if (logprobs) out.generate.logprobs = static_cast<int>(top.value_or(0));
  if (const Json* format = fields.Any("response_format")) out.generate.constraint = ReadFormat(*format);
  ReadTools(fields, &out);
  if (out.generate.constraint.kind != artefact::ConstraintSpec::Kind::kNone && !out.generate.stop.empty())
    fields.Refuse("stop", "cannot be kept together with response_format or tools", "such an answer ends by itself");
  fields.Done();
  return out;
}

CompletionRequest ReadCompletionRequest(const Json& body) {
  CompletionRequest out;
  Fields fields(body, "");
  ReadSampling(fields, &out);
  if (!fields.Has("prompt")) fields.Refuse("prompt", "is missing");
  out.prompts = fields.TextsOr("prompt", kMostPrompts);
  if (out.prompts.empty()) fields.Refuse("prompt", "is an empty array");
  const auto most = fields.IntOr("max_tokens", 0, kMostTokens);
  out.limited = true;
  out.generate.max_tokens = static_cast<int>(most.value_or(16));  // the API's default
  out.generate.logprobs = static_cast<int>(fields.IntOr("logprobs", 0, kMostTop).value_or(-1));
  out.echo = fields.BoolOr("echo").value_or(false);
  if (out.echo && out.generate.logprobs >= 0) fields.Refuse("echo", "is not supported together with logprobs");
  if (out.echo && out.stream) {  // all of it goes into the stream's buffer at once
    size_t bytes = 0;
    for (const std::string& prompt : out.prompts) bytes += prompt.size() * static_cast<size_t>(out.generate.samples);
    if (bytes > kMostEchoed)
      fields.Refuse("echo", Cat("is ", bytes, " bytes of prompts"), Cat("at most ", kMostEchoed, " in a stream"));
  }
  fields.Done();
  return out;
}

}  // namespace atelier::serve
