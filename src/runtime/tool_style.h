// How a model's chat template deals with tools, learned by rendering it with probes: whether it shows them, and how a
// call stands in a conversation. Templates differ in all of it and say nothing of it.
#pragma once

#include <functional>
#include <string>

#include "artefact/calls.h"
#include "base/json.h"

namespace atelier::runtime {

struct ToolStyle {
  artefact::CallSyntax syntax = {};
  // What the template wants of messages.
  bool arguments_as_text = false;  // JSON text in place of an object
  bool null_content = false;       // a message that only calls has a null content, else an empty one
  bool short_ids = false;          // it shows ids, some only those of nine letters and digits
  bool shows_results = false;      // messages of role "tool" are seen
};

// Renders a conversation: {"messages", "tools", "add_generation_prompt"}. May throw Error, as templates do.
using RenderFn = std::function<std::string(const Json& context)>;

// Throws kUnsupported where the template shows no tools, or writes calls in no way that CallSyntax describes (with
// arguments that are not JSON, for instance), saying which.
ToolStyle LearnToolStyle(const RenderFn& render);

// Messages as OpenAI has them, arguments as objects, into those that the template wants.
Json MessagesInStyle(const ToolStyle& style, const Json& messages);

}  // namespace atelier::runtime
