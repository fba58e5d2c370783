// Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases on q, k and v and RoPE over halves.
#include "runtime/arch/arch.h"

namespace atelier::runtime {

DecoderSpec ReadQwen2(const artefact::GgufFile& file) {
  DecoderSpec spec = ReadCommon(file);
  spec.qkv_bias = true;
  return spec;
}

}  // namespace atelier::runtime
