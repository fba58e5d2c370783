// The bodies of POST /v1/chat/completions and /v1/completions, read strictly into what the engine takes.
// docs/formats/openai.md lists the fields; one that is not supported is refused by name.
#pragma once

#include <string>
#include <vector>

#include "artefact/generator.h"
#include "base/json.h"

namespace atelier::serve {

struct CompletionRequest {
  bool chat = false;
  std::string model;
  Json messages;                       // chat: [{role, content}], contents as plain texts; calls and their results
  Json tools;                          // chat: those that may be called, as they came; null for none
  std::vector<size_t> tool_places;     // of the constraint's functions, in `tools`
  std::vector<std::string> prompts;    // else
  artefact::GenerateRequest generate;  // all but the prompt; samples is `n`
  bool limited = false;                // whether the client said how many tokens at most
  bool stream = false, usage_in_stream = false, echo = false;
};

CompletionRequest ReadChatRequest(const Json& body);
CompletionRequest ReadCompletionRequest(const Json& body);

}  // namespace atelier::serve
