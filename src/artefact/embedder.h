// The waist's other half: texts as vectors, whatever runs the model.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/generator.h"
#include "base/error.h"

namespace atelier::artefact {

// A text's tokens as the model reads them, each with its vector in that context.
struct TokenVectors {
  std::vector<int32_t> ids;  // the beginning token, the role's words, the text's own tokens, the end token
  // The text's own are [first, last): before them the beginning and the role's words, behind them the end alone.
  size_t first = 0, last = 0;
  std::vector<float> vectors;  // [ids][dims], row-major, of any length
  bool truncated = false;      // what did not fit was cut off
};

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
  // Layers that a text goes through.
  virtual int layers() const { return 0; }
  // Vectors of the tokens after `layer` layers, 1 to layers(); 0: after all of them. Their mean, brought to length 1,
  // is what Embed gives. As little as there does a text depend on what stands beside it. Throws kUnsupported where an
  // embedder has none, kInvalidInput for a layer that the model has not.
  virtual std::vector<TokenVectors> EmbedTokens(const std::vector<std::string>& texts, Role role, int layer = 0) {
    (void)texts, (void)role, (void)layer;
    throw Error(Code::kUnsupported, "this embedder gives vectors of texts, not of their tokens");
  }
  // The same tokens without computing anything: `vectors` stays empty.
  virtual std::vector<TokenVectors> ReadTokens(const std::vector<std::string>& texts, Role role) const {
    (void)texts, (void)role;
    throw Error(Code::kUnsupported, "this embedder does not tell its tokens");
  }
  // Tokens that the text would be, uncut: its own, the role's words, the two ends.
  virtual int64_t CountTokens(std::string_view text, Role role) const = 0;
  int64_t CountTokens(std::string_view text) const { return CountTokens(text, Role::kPassage); }
};

}  // namespace atelier::artefact
