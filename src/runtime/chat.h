// Conversations as the text that a model was trained on: its own chat template, filled.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "artefact/generator.h"
#include "artefact/gguf.h"
#include "base/error.h"
#include "base/json.h"
#include "runtime/tool_style.h"
#include "text/jinja.h"

namespace atelier::runtime {

// A model's chat template. Thread-safe.
class ChatFormat {
 public:
  // Throws kUnsupported for a model that has none, saying what to use instead, and what the template's parser refuses.
  explicit ChatFormat(const artefact::Generator& model);
  // The same of a model's file that no engine has loaded. `special`: the texts of the tokens that templates name.
  ChatFormat(const artefact::GgufFile& file, const std::vector<std::pair<std::string, std::string>>& special);

  // `messages` is [{"role", "content"}], also with "tool_calls" (arguments as objects) and roles "tool"; `tools` null
  // or as the OpenAI API has them. The text ends where the reply begins, or, not `for_reply`, with the last message.
  // Throws kInvalidInput for what the template itself refuses, and when it takes too
  // long; kUnsupported for tools that the template does not know.
  std::string Render(const Json& messages, const Json& tools = nullptr, bool for_reply = true) const;
  // How it deals with tools, learned when first asked. Throws kUnsupported where it does not.
  const ToolStyle& Tools() const;

 private:
  void Parse(const std::string& name, const std::string& source, const std::string& with_tools,
             const std::vector<std::pair<std::string, std::string>>& special);
  std::string RenderWith(const text::Template& source, Json context, const text::RenderOptions& options) const;

  Json special_tokens_;
  std::optional<text::Template> plain_, with_tools_;  // with_tools_: where it is another one
  mutable std::once_flag learned_;
  mutable std::optional<ToolStyle> style_;
  mutable std::optional<Error> why_not_;
};

// The formats of the last models that were asked for. Thread-safe.
class ChatFormats {
 public:
  std::shared_ptr<const ChatFormat> Of(const artefact::Generator& model);

 private:
  static constexpr size_t kMost = 16;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<const ChatFormat>>> known_;  // most recently used first
};

// ChatFormat::Render, for one conversation.
std::string RenderChat(const artefact::Generator& model, const Json& messages);

}  // namespace atelier::runtime
