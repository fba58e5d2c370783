// The waist's other half: texts as vectors, whatever runs the model.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/generator.h"

namespace atelier::artefact {

// Texts as vectors. From any thread.
class Embedder {
 public:
  enum class Role { kQuery, kPassage };  // e5 puts "query: " or "passage: " before the text
  virtual ~Embedder() = default;
  virtual const ModelInfo& info() const = 0;
  virtual EngineInfo engine() const { return {}; }
  virtual int dims() const = 0;
  // Tokens of a text that are read; the rest is cut off, and `truncated` says so.
  virtual int64_t context() const = 0;
  // Unit vectors [texts][dims], row-major. A text's vector does not depend on what is embedded beside it.
  virtual std::vector<float> Embed(const std::vector<std::string>& texts, Role role,
                                   std::vector<bool>* truncated = nullptr) = 0;
  // Tokens that the text would be, uncut: its own, the role's words, the two ends.
  virtual int64_t CountTokens(std::string_view text, Role role) const = 0;
  int64_t CountTokens(std::string_view text) const { return CountTokens(text, Role::kPassage); }
};

}  // namespace atelier::artefact
