// Qwen3 dense models (Yang et al. 2025): no biases, every query and key head normalised before RoPE.
#include "runtime/arch/arch.h"

namespace atelier::runtime {

DecoderSpec ReadQwen3(const artefact::GgufFile& file) {
  DecoderSpec spec = ReadCommon(file);
  spec.qk_norm = true;
  return spec;
}

}  // namespace atelier::runtime
