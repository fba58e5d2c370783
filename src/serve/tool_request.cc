#include "serve/tool_request.h"

#include <algorithm>
#include <set>

#include "base/str.h"

namespace atelier::serve {
namespace {

constexpr size_t kMostTools = 128, kMostCallsOfMessage = 128, kLongestName = 64;
constexpr int kMostCalls = 16;  // of one reply

std::string ReadName(Fields& function) {
  std::string name = function.String("name");
  const bool fine =
      !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), artefact::IsNameChar);
  if (!fine) function.Refuse("name", Cat(Quote(name), " is no name"), "1 to 64 of letters, digits, _ and -");
  return name;
}

// The schema of a function's arguments, which are an object.
Json ReadParameters(Fields& function) {
  const Json nothing = {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  const Json* given = function.Any("parameters");
  if (given == nullptr || (given->is_object() && given->empty())) return nothing;
  if (!given->is_object()) function.Refuse("parameters", "is no JSON Schema of objects");
  Json schema = *given;
  const auto type = schema.find("type");
  if (type == schema.end()) {
    schema["type"] = "object";
  } else if (*type != "object") {
    function.Refuse("parameters.type", "is not \"object\"", "arguments are an object");
  }
  // Who lists no property means that there is none, as everybody's clients write it.
  if (schema.size() == 2 && schema.contains("properties") && schema["properties"] == Json::object()) return nothing;
  return schema;
}

struct Tool {
  std::string name;
  Json parameters;
};

Tool ReadTool(const Json& tool, const std::string& path) {
  Fields fields(tool, path);
  const std::string type = fields.String("type");
  if (type != "function") fields.Refuse("type", Cat(Quote(type), " is not supported"), "only functions are");
  const Json* given = fields.Any("function");
  if (given == nullptr) fields.Refuse("function", "is missing");
  fields.Done();
  Fields function(*given, fields.Path("function"));
  Tool out;
  out.name = ReadName(function);
  function.StringOr("description");
  function.BoolOr("strict");  // always
  out.parameters = ReadParameters(function);
  function.Done();
  return out;
}

enum class Choice { kNone, kAuto, kRequired, kNamed };

Choice ReadChoice(Fields& fields, std::string* name) {
  const Json* choice = fields.Any("tool_choice");
  if (choice == nullptr) return Choice::kAuto;
  if (choice->is_string()) {
    const auto& word = choice->get_ref<const std::string&>();
    if (word == "none") return Choice::kNone;
    if (word == "auto") return Choice::kAuto;
    if (word == "required") return Choice::kRequired;
    fields.Refuse("tool_choice", Cat(Quote(word), " is not supported"), "none, auto, required, or a function");
  }
  if (!choice->is_object()) fields.Refuse("tool_choice", "is neither a text nor a function");
  Fields named(*choice, "tool_choice");
  const std::string type = named.String("type");
  if (type != "function") named.Refuse("type", Cat(Quote(type), " is not supported"), "only functions are");
  const Json* function = named.Any("function");
  if (function == nullptr) named.Refuse("function", "is missing");
  named.Done();
  Fields inner(*function, "tool_choice.function");
  *name = inner.String("name");
  inner.Done();
  return Choice::kNamed;
}

}  // namespace

void ReadTools(Fields& fields, CompletionRequest* out) {
  const Json* tools = fields.Any("tools");
  std::string named;
  const Choice choice = ReadChoice(fields, &named);
  const bool parallel = fields.BoolOr("parallel_tool_calls").value_or(true);
  if (tools == nullptr) {
    for (const char* field : {"tool_choice", "parallel_tool_calls"}) {
      if (fields.Has(field)) fields.Refuse(field, "goes with tools only");
    }
    return;
  }
  if (!tools->is_array() || tools->empty()) fields.Refuse("tools", "is not an array of at least one tool");
  if (tools->size() > kMostTools)
    fields.Refuse("tools", Cat("has ", tools->size(), " tools"), Cat("at most ", kMostTools));
  artefact::CallSpec spec;
  spec.required = choice == Choice::kRequired || choice == Choice::kNamed;
  spec.most = parallel ? kMostCalls : 1;
  std::set<std::string> names;
  for (size_t i = 0; i < tools->size(); ++i) {
    const std::string path = Cat("tools[", i, "]");
    Tool tool = ReadTool((*tools)[i], path);
    if (!names.insert(tool.name).second) {
      fields.Refuse(Cat("tools[", i, "].function.name"), Cat(Quote(tool.name), " is there twice"));
    }
    if (choice == Choice::kNamed && tool.name != named) continue;
    spec.functions.push_back({std::move(tool.name), ToText(tool.parameters)});
    out->tool_places.push_back(i);
  }
  if (choice == Choice::kNamed && spec.functions.empty()) {
    fields.Refuse("tool_choice.function.name", Cat(Quote(named), " is none of the tools"));
  }
  if (choice == Choice::kNone) return;
  if (out->generate.constraint.kind != artefact::ConstraintSpec::Kind::kNone) {
    fields.Refuse("response_format", "cannot be kept together with tools", "give tool_choice \"none\", or no tools");
  }
  out->tools = *tools;
  out->generate.constraint.kind = artefact::ConstraintSpec::Kind::kCalls;
  out->generate.constraint.calls = std::move(spec);
}

Json ToolMessages::ReadCalls(Fields& message) {
  const Json* calls = message.Any("tool_calls");
  if (calls == nullptr) return nullptr;
  if (!calls->is_array() || calls->empty()) message.Refuse("tool_calls", "is not an array of at least one call");
  if (calls->size() > kMostCallsOfMessage) {
    message.Refuse("tool_calls", Cat("has more than ", kMostCallsOfMessage, " calls"));
  }
  Json out = Json::array();
  for (size_t i = 0; i < calls->size(); ++i) {
    Fields call((*calls)[i], Cat(message.Path("tool_calls"), "[", i, "]"));
    const std::string id = call.String("id"), type = call.StringOr("type").value_or("function");
    if (id.empty()) call.Refuse("id", "is empty");
    if (type != "function") call.Refuse("type", Cat(Quote(type), " is not supported"), "only functions are");
    const Json* given = call.Any("function");
    if (given == nullptr) call.Refuse("function", "is missing");
    call.Done();
    Fields function(*given, call.Path("function"));
    const std::string name = ReadName(function);
    const std::string text = function.String("arguments");
    function.Done();
    Json arguments = Json::object();
    try {
      if (!Trim(text).empty()) arguments = ParseJson(text, "arguments");
    } catch (const Error& error) {
      function.Refuse("arguments", Cat("is no JSON: ", error.what()));
    }
    if (!arguments.is_object()) function.Refuse("arguments", "is no JSON object");
    names_[id] = name;
    out.push_back({{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}});
  }
  return out;
}

void ToolMessages::ReadResult(Fields& message, Json* out) const {
  const std::string id = message.String("tool_call_id");
  const auto name = names_.find(id);
  if (name == names_.end()) message.Refuse("tool_call_id", Cat(Quote(id), " is no call of a message before"));
  (*out)["tool_call_id"] = id;
  (*out)["name"] = name->second;  // some templates show it
}

}  // namespace atelier::serve
