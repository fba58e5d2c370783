// The body of /v1/embeddings, read strictly.
#pragma once

#include <string>
#include <vector>

#include "artefact/embedder.h"
#include "base/json.h"

namespace atelier::serve {

struct EmbeddingRequest {
  std::string model;
  std::vector<std::string> texts;
  artefact::Embedder::Role role = artefact::Embedder::Role::kPassage;
  bool base64 = false;
  int64_t dimensions = 0;  // 0: not said
};

// Throws FieldError.
EmbeddingRequest ReadEmbeddingRequest(const Json& body);

// Little-endian floats in base64, as the OpenAI API has it.
std::string FloatsInBase64(const float* values, size_t count);

}  // namespace atelier::serve
