// Rows of q and k. Where rotary positions turn neighbours (GGUF's llama), those of a head of d lie in pairs; where they
// turn halves (Hugging Face), row 2i of the pairs is i, and row 2i + 1 is d/2 + i.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::artefact {

enum class Rows { kToPairs, kToHalves };

// `bytes`: `rows` rows of equal size. REQUIRES: rows a multiple of head_dim, which is even.
std::string HeadRows(std::string_view bytes, int64_t rows, int64_t head_dim, Rows order);

}  // namespace atelier::artefact
