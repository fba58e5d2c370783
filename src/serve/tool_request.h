// The parts of a chat request that are about tools: `tools`, `tool_choice`, `parallel_tool_calls`, and the calls and
// results among its messages.
#pragma once

#include <map>
#include <string>

#include "serve/completion_request.h"
#include "serve/fields.h"

namespace atelier::serve {

// Fills in tools and the constraint, but for the syntax, which is the model's.
void ReadTools(Fields& fields, CompletionRequest* out);

// Calls and results of a conversation, message by message.
class ToolMessages {
 public:
  // An assistant's `tool_calls`, with arguments as objects; null where it has none.
  Json ReadCalls(Fields& message);
  // Of a tool's message, the id it answers and the name of the function that was called.
  void ReadResult(Fields& message, Json* out) const;

 private:
  std::map<std::string, std::string> names_;  // of the functions called so far, by id
};

}  // namespace atelier::serve
