// A low-rank adapter as the decoder computes it beside its matrices (Hu et al. 2021): y = W x + B (A x), in f32. The
// model's own weights stay as they are, so that one model serves with and without it in the same pass.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "artefact/adapter.h"
#include "artefact/gguf.h"
#include "kernel/packed.h"
#include "runtime/arch/arch.h"

namespace atelier::runtime {

// What the products of a layer are given.
enum class LayerInput { kAttention, kAttentionOutput, kFeedForward, kDown };
inline constexpr size_t kLayerInputs = 4;

struct LowRank {
  kernel::PackedMatrix b;  // [outs, rank], times alpha/rank; no rows where the matrix has no adapter
  int64_t at = 0;          // where its rank numbers begin in A x
};

struct LayerAdapter {
  std::array<kernel::PackedMatrix, kLayerInputs> a;  // by LayerInput, of all matrices that read it: [ranks, ins]
  LowRank query, key, value, output, gate, up, down;
};

struct AdapterWeights {
  uint64_t id = 0;  // from 1, no other's in this process: what was computed with it is known by it
  std::vector<LayerAdapter> layers;
  int64_t most_ranks = 0;  // rows of the largest `a`
};

// Throws what CheckAdapter (merge.h) throws, and kUnsupported where it changes more than the seven matrices of layers.
std::shared_ptr<const AdapterWeights> PackAdapter(const artefact::Adapter& adapter, const artefact::GgufFile& file,
                                                  const DecoderSpec& spec);

}  // namespace atelier::runtime
