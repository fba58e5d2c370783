// Llama (Touvron et al. 2023) and the many that follow it: pre-norm, SwiGLU, interleaved RoPE (GGUF stores its q and k
// rows permuted for it), grouped queries. Mistral's early sliding window is not in the metadata and not applied.
#include "runtime/arch/arch.h"

namespace atelier::runtime {

DecoderSpec ReadLlama(const artefact::GgufFile& file) {
  DecoderSpec spec = ReadCommon(file);
  spec.ropes[0].interleaved = true;
  spec.optional_bias = true;
  return spec;
}

}  // namespace atelier::runtime
