// config.json of a decoder in Hugging Face's layout, in the words of GGUF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "artefact/gguf_writer.h"
#include "base/json.h"

namespace atelier::artefact {

inline constexpr uint64_t kMostConfigBytes = uint64_t{64} << 20;  // of a JSON file beside weights

struct HfConfig {
  std::string architecture;  // GGUF's
  int64_t vocabulary = 0, width = 0, hidden = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, context = 0;
  double eps = 0;
  bool tied = false;
  bool attention_bias = false;  // of q, k and v
  bool head_norms = false;      // of q and k
  bool post_norms = false;      // Gemma's four norms a layer, whose weights are stored without their one
  bool turns_pairs = false;     // GGUF wants rows of q and k reordered for rotation of neighbours
  // Rotary positions: base, scaling ("none", "linear", "yarn", "llama3") and what it needs.
  double rope_base = 10000, rope_factor = 1, low_frequency = 1, high_frequency = 4;
  std::string rope_scaling = "none";
  int64_t original_context = 0;
  int64_t window = 0, window_period = 0;  // Gemma's sliding windows: all layers but each `window_period`th
  double local_rope_base = 0, softcap = 0;
};

// Throws kUnsupported for families and settings that the engine does not compute, kCorrupt for numbers that cannot be;
// one line that begins with `where`.
HfConfig ReadHfConfig(const Json& config, const std::string& where);

// Sets general.architecture and the architecture's own keys.
void SetHfConfig(const HfConfig& config, GgufWriter* out);

// Llama 3.1's divisors of the frequencies (Grattafiori et al. 2024), [head_dim / 2]; empty for other scalings.
std::vector<float> RopeDivisors(const HfConfig& config);

}  // namespace atelier::artefact
