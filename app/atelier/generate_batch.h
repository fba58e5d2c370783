// What `generate --input` does: a reply to each record of a file.
#pragma once

#include <string>

#include "app/atelier/command.h"
#include "artefact/generator.h"

namespace atelier::app {

struct BatchOptions {
  std::string input, out;  // .jsonl or .csv; .jsonl
  std::string field = "prompt", into = "response";
  bool chat = false;         // what is asked is a user's message, or a list of messages
  std::string system;        // with chat
  std::string request = {};  // what else was asked for, as text: a part that was made otherwise is not gone on with
};

// Every record again, with the reply in the field `into`: a text, or of several samples a list. Record i draws by
// `request.seed` + i. What is done already stands in OUT.part, line by line, and the same command goes on with it.
// Throws kInvalidInput that names file and record.
void GenerateBatch(artefact::Generator& model, const artefact::GenerateRequest& request, const BatchOptions& options,
                   const Globals& globals);

}  // namespace atelier::app
