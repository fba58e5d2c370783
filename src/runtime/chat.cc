#include "runtime/chat.h"

#include <algorithm>

#include "base/str.h"

namespace atelier::runtime {

ChatFormat::ChatFormat(const artefact::Generator& model) {
  Parse(model.info().name, model.ChatTemplate(), model.ChatTemplate(true), model.SpecialTokens());
}

ChatFormat::ChatFormat(const artefact::GgufFile& file,
                       const std::vector<std::pair<std::string, std::string>>& special) {
  const std::string source(file.StringOr("tokenizer.chat_template", ""));
  Parse(file.path(), source, std::string(file.StringOr("tokenizer.chat_template.tool_use", source)), special);
}

void ChatFormat::Parse(const std::string& name, const std::string& source, const std::string& with_tools,
                       const std::vector<std::pair<std::string, std::string>>& special) {
  if (source.empty()) {
    throw Error(Code::kUnsupported, Cat("the model ", Quote(name), " has no chat template: it continues texts"),
                "give it the beginning of a text: atelier generate, or POST /v1/completions");
  }
  special_tokens_ = Json::object();
  for (const auto& [token, text] : special) special_tokens_[token] = text;
  plain_ = text::Template::Parse(source, "chat template");
  if (with_tools != source) with_tools_ = text::Template::Parse(with_tools, "chat template for tools");
}

std::string ChatFormat::RenderWith(const text::Template& source, Json context,
                                   const text::RenderOptions& options) const {
  for (const auto& [name, text] : special_tokens_.items()) context[name] = text;
  try {
    return source.Render(context, options);
  } catch (const Error& error) {  // another time it would take as long: this conversation asks for too much
    if (error.code() != Code::kResourceExhausted) throw;
    throw Error(Code::kInvalidInput, error.what(), error.hint());
  }
}

std::string ChatFormat::Render(const Json& messages, const Json& tools, bool for_reply) const {
  const auto has = [&](const char* field) {
    return std::any_of(messages.begin(), messages.end(), [&](const Json& m) { return m.contains(field); });
  };
  Json context = {{"messages", messages}, {"add_generation_prompt", for_reply}};
  const bool calls = !tools.is_null() || has("tool_calls") || has("tool_call_id");
  if (calls) {
    context["messages"] = MessagesInStyle(Tools(), messages);
    if (has("tool_call_id") && !Tools().shows_results) {
      throw Error(Code::kUnsupported, "the model's chat template leaves out what tools answer");
    }
  }
  if (!tools.is_null()) context["tools"] = tools;
  return RenderWith(calls && with_tools_ ? *with_tools_ : *plain_, std::move(context), {});
}

const ToolStyle& ChatFormat::Tools() const {
  std::call_once(learned_, [&] {
    text::RenderOptions options;
    options.max_steps /= 4;  // some ten renderings of a line each
    options.max_output = 256 << 10;
    options.now_unix_millis = 0;
    try {
      style_ = LearnToolStyle(
          [&](const Json& context) { return RenderWith(with_tools_ ? *with_tools_ : *plain_, context, options); });
    } catch (const Error& error) {
      why_not_ = error;
    }
  });
  if (why_not_) throw Error(*why_not_);
  return *style_;
}

std::shared_ptr<const ChatFormat> ChatFormats::Of(const artefact::Generator& model) {
  const artefact::ModelInfo& info = model.info();
  std::string key = Cat(info.name, '\0', info.hash);
  if (info.hash.empty()) {  // another file of that name may have another template
    key += Cat('\0', model.ChatTemplate(), '\0', model.ChatTemplate(true));
    for (const auto& [name, text] : model.SpecialTokens()) key += Cat('\0', name, '\0', text);
  }
  const auto known = [&]() -> std::shared_ptr<const ChatFormat> {  // REQUIRES: mutex_ is held
    const auto at = std::find_if(known_.begin(), known_.end(), [&](const auto& entry) { return entry.first == key; });
    if (at == known_.end()) return nullptr;
    known_.splice(known_.begin(), known_, at);
    return at->second;
  };
  {
    const std::lock_guard lock(mutex_);
    if (auto format = known()) return format;
  }
  auto made = std::make_shared<const ChatFormat>(model);  // a template may be long: others need not wait for it
  const std::lock_guard lock(mutex_);
  if (auto format = known()) return format;
  known_.emplace_front(std::move(key), made);
  if (known_.size() > kMost) known_.pop_back();
  return made;
}

std::string RenderChat(const artefact::Generator& model, const Json& messages) {
  return ChatFormat(model).Render(messages);
}

}  // namespace atelier::runtime
