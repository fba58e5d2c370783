#include "serve/completion_reply.h"

#include "base/str.h"
#include "text/unicode.h"

namespace atelier::serve {
namespace {

Json Head(const ReplyHead& head, bool chunk) {
  return {{"id", head.id},
          {"object", head.chat ? (chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion"},
          {"created", head.created},
          {"model", head.model},
          {"system_fingerprint", head.fingerprint}};
}

Json UsageJson(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.prompt + usage.completion},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}}};
}

Json Bytes(std::string_view text) {
  Json bytes = Json::array();
  for (const char c : text) bytes.push_back(static_cast<int>(static_cast<unsigned char>(c)));
  return bytes;
}

Json Token(const artefact::Generator& model, int32_t token, float logprob) {
  const std::string piece = model.Piece(token);
  return {{"token", text::SanitizeUtf8(piece)}, {"logprob", logprob}, {"bytes", Bytes(piece)}};
}

Json ChatLogprobs(const artefact::Generated& sample, const artefact::Generator& model) {
  Json content = Json::array();
  for (const artefact::TokenLogprob& one : sample.logprobs) {
    Json entry = Token(model, one.token, one.logprob);
    entry["top_logprobs"] = Json::array();
    for (const auto& [token, logprob] : one.top) entry["top_logprobs"].push_back(Token(model, token, logprob));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json TextLogprobs(const artefact::Generated& sample, const artefact::Generator& model) {
  Json tokens = Json::array(), logprobs = Json::array(), top = Json::array(), offsets = Json::array();
  size_t offset = 0;
  for (const artefact::TokenLogprob& one : sample.logprobs) {
    const std::string piece = model.Piece(one.token);
    tokens.push_back(text::SanitizeUtf8(piece));
    logprobs.push_back(one.logprob);
    Json alternatives = Json::object();
    for (const auto& [token, logprob] : one.top) alternatives[text::SanitizeUtf8(model.Piece(token))] = logprob;
    top.push_back(std::move(alternatives));
    offsets.push_back(offset);
    offset += piece.size();
  }
  return {{"tokens", tokens}, {"token_logprobs", logprobs}, {"top_logprobs", top}, {"text_offset", offsets}};
}

}  // namespace

std::string_view FinishReason(artefact::Finish finish) {
  return finish == artefact::Finish::kLength ? "length" : "stop";
}

Usage UsageOf(const std::vector<artefact::GenerateResult>& results) {
  Usage usage;
  for (const artefact::GenerateResult& result : results) {
    usage.prompt += result.prompt_tokens;
    usage.cached += result.cached_tokens;
    for (const artefact::Generated& sample : result.samples)
      usage.completion += static_cast<int64_t>(sample.tokens.size());  // the end token is no part of the text
  }
  return usage;
}

Json WholeReply(const ReplyHead& head, const CompletionRequest& request,
                const std::vector<artefact::GenerateResult>& results, const artefact::Generator& model) {
  Json reply = Head(head, false);
  Json choices = Json::array();
  const bool logprobs = request.generate.logprobs >= 0;
  for (size_t i = 0; i < results.size(); ++i) {
    for (const artefact::Generated& sample : results[i].samples) {
      Json choice = {{"index", choices.size()}};
      if (head.chat) {
        choice["message"] = {{"role", "assistant"}, {"content", sample.text}, {"refusal", nullptr}};
        choice["logprobs"] = logprobs ? ChatLogprobs(sample, model) : Json();
      } else {
        choice["text"] = request.echo ? Cat(request.prompts[i], sample.text) : sample.text;
        choice["logprobs"] = logprobs ? TextLogprobs(sample, model) : Json();
      }
      choice["finish_reason"] = FinishReason(sample.finish);
      choices.push_back(std::move(choice));
    }
  }
  reply["choices"] = std::move(choices);
  reply["usage"] = UsageJson(UsageOf(results));
  return reply;
}

Json FirstChunk(const ReplyHead& head, int index) {
  Json chunk = Head(head, true);
  chunk["choices"] = Json::array({{{"index", index},
                                   {"delta", {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}},
                                   {"logprobs", nullptr},
                                   {"finish_reason", nullptr}}});
  return chunk;
}

Json TextChunk(const ReplyHead& head, int index, std::string_view text) {
  Json chunk = Head(head, true);
  Json choice = {{"index", index}};
  head.chat ? choice["delta"] = {{"content", text}} : choice["text"] = text;
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = nullptr;
  chunk["choices"] = Json::array({std::move(choice)});
  return chunk;
}

Json LastChunk(const ReplyHead& head, int index, artefact::Finish finish) {
  Json chunk = Head(head, true);
  Json choice = {{"index", index}};
  head.chat ? choice["delta"] = Json::object() : choice["text"] = "";
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = FinishReason(finish);
  chunk["choices"] = Json::array({std::move(choice)});
  return chunk;
}

Json UsageChunk(const ReplyHead& head, const Usage& usage) {
  Json chunk = Head(head, true);
  chunk["choices"] = Json::array();
  chunk["usage"] = UsageJson(usage);
  return chunk;
}

}  // namespace atelier::serve
