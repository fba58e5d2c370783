// Prompts and replies in the server's log, for studios that ask for it: log_prompts in [serve] of studio.toml. Off, no
// text of a request or an answer comes near the log.
#pragma once

#include <string>
#include <vector>

#include "artefact/generator.h"
#include "serve/studio_server.h"

namespace atelier::serve {

// One line each, with the request's id; a text beyond 64 KiB is cut.
void LogPrompts(const Context& context, const net::Request& request, const std::vector<std::string>& prompts);
void LogReplies(const Context& context, const net::Request& request,
                const std::vector<artefact::GenerateResult>& results);

}  // namespace atelier::serve
