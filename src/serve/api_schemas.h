// JSON Schemas of bodies and answers, for /openapi.json. The readers decide (completion_request.cc and the routes);
// these say the same to programs. "#/components/schemas/..." names what stands in Components.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace atelier::serve {

Json ChatRequestSchema();
Json CompletionRequestSchema();
Json CompletionReplySchema();
Json EmbeddingRequestSchema();
Json EmbeddingReplySchema();  // of both
Json RunRequestSchema();
Json RunReplySchema();
Json FeedbackRequestSchema();
Json McpRequestSchema();

// Error, Model and Recipe: the names that there are now.
Json Components(const std::vector<std::string>& models, const std::vector<std::string>& recipes);

}  // namespace atelier::serve
