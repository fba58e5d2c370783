// What is known of a model beside its weights: kept as NAME.json beside NAME.gguf, and in the studio's `models` table.
// docs/formats/manifest.md.
#pragma once

#include <cstdint>
#include <string>

#include "artefact/gguf.h"
#include "base/json.h"

namespace atelier::artefact {

// Terms of use that had to be accepted, and who did when. Empty name: the licence asks for nothing of the kind.
struct AcceptedTerms {
  std::string name, url;
  std::string sha256;  // of the terms' text as it came with the model, "" where it came without
  std::string accepted_by;
  int64_t accepted_at = 0;  // Unix milliseconds
};

struct Manifest {
  std::string name;
  std::string architecture;
  std::string quantisation;      // "Q4_K_M", else the type that most bytes are in
  int64_t parameters = 0;        // elements of all tensors
  int64_t context_length = 0;    // tokens; 0: the file does not say
  Json config = Json::object();  // block_count, embedding_length ...: the architecture's own numbers
  std::string sha256;            // of the weights; "" while nobody has computed it
  uint64_t bytes = 0;
  std::string licence;
  std::string source;  // where it was pulled from, as it can be pulled again
  AcceptedTerms terms;
  int64_t created_at = 0;  // when it was pulled, Unix milliseconds
};

Json ToJson(const Manifest& manifest);
// Strict: an unknown key, a missing one or a wrong type is kInvalidInput that names it.
Manifest ManifestFromJson(const Json& json, const std::string& where);
Manifest LoadManifest(const std::string& path);
void SaveManifest(const Manifest& manifest, const std::string& path);

// What the file says of itself: everything but name, sha256, source, terms and created_at.
Manifest Describe(const GgufFile& file);

// Whether `name` can name a model: 1 to 64 of a-z A-Z 0-9 . _ -, starting with a letter or a digit.
bool IsModelName(std::string_view name);
// A name made of a file's: "SmolLM2-135M.Q4_1.gguf" gives "smollm2-135m.q4_1".
std::string ModelNameFrom(std::string_view file_name);

}  // namespace atelier::artefact
