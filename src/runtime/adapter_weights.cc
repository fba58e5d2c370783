#include "runtime/adapter_weights.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "base/error.h"
#include "base/str.h"
#include "runtime/merge.h"

namespace atelier::runtime {
namespace {

struct Matrix {
  std::string_view name;
  LayerInput input;
  LowRank LayerAdapter::*low;
};
constexpr Matrix kMatrices[] = {
    {"attn_q", LayerInput::kAttention, &LayerAdapter::query},
    {"attn_k", LayerInput::kAttention, &LayerAdapter::key},
    {"attn_v", LayerInput::kAttention, &LayerAdapter::value},
    {"attn_output", LayerInput::kAttentionOutput, &LayerAdapter::output},
    {"ffn_gate", LayerInput::kFeedForward, &LayerAdapter::gate},
    {"ffn_up", LayerInput::kFeedForward, &LayerAdapter::up},
    {"ffn_down", LayerInput::kDown, &LayerAdapter::down},
};

kernel::PackedMatrix Packed(const std::vector<float>& values, int64_t rows, int64_t cols) {
  kernel::PackedMatrix out = kernel::AllocatePacked(kernel::Format::kF32, rows, cols);
  kernel::PackPanels(reinterpret_cast<const uint8_t*>(values.data()), 0, out.panels(), &out);
  return out;
}

uint64_t NextId() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1) + 1;
}

}  // namespace

std::shared_ptr<const AdapterWeights> PackAdapter(const artefact::Adapter& adapter, const artefact::GgufFile& file,
                                                  const DecoderSpec& spec) {
  CheckAdapter(file, adapter);
  std::map<std::string_view, const artefact::LoraPair*> pairs;
  for (const artefact::LoraPair& pair : adapter.pairs) pairs[pair.tensor] = &pair;
  auto out = std::make_shared<AdapterWeights>();
  out->id = NextId();
  out->layers.resize(spec.layers.size());
  size_t found = 0;
  for (size_t l = 0; l < spec.layers.size(); ++l) {
    LayerAdapter& layer = out->layers[l];
    std::array<std::vector<float>, kLayerInputs> stacked;
    std::array<int64_t, kLayerInputs> ranks{}, ins{};
    for (const Matrix& matrix : kMatrices) {
      const auto at = pairs.find(Cat("blk.", l, ".", matrix.name, ".weight"));
      if (at == pairs.end()) continue;
      ++found;
      const artefact::LoraPair& pair = *at->second;
      const auto input = static_cast<size_t>(matrix.input);
      LowRank& low = layer.*matrix.low;
      low.at = ranks[input];
      std::vector<float> b = pair.b;
      for (float& value : b) value *= static_cast<float>(adapter.scale(pair));
      low.b = Packed(b, pair.outs, pair.rank);
      stacked[input].insert(stacked[input].end(), pair.a.begin(), pair.a.end());
      ranks[input] += pair.rank;
      ins[input] = pair.ins;
    }
    for (size_t i = 0; i < kLayerInputs; ++i) {
      if (ranks[i] > 0) layer.a[i] = Packed(stacked[i], ranks[i], ins[i]);
      out->most_ranks = std::max(out->most_ranks, ranks[i]);
    }
  }
  if (found < adapter.pairs.size()) {
    throw Error(Code::kUnsupported,
                Cat("the adapter ", Quote(adapter.name),
                    " changes tensors that are no matrices of attention or feed-"
                    "forward layers"),
                "`atelier model merge` lays it into the model for good");
  }
  return out;
}

}  // namespace atelier::runtime
