#include "runtime/importance.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "kernel/select.h"
#include "runtime/decoder.h"
#include "runtime/vocabulary.h"

namespace atelier::runtime {
namespace {

std::span<const std::string_view> TensorsOf(LayerInput input) {
  static constexpr std::string_view kAttention[] = {"attn_q", "attn_k", "attn_v"}, kOutput[] = {"attn_output"},
                                    kFeedForward[] = {"ffn_gate", "ffn_up"}, kDown[] = {"ffn_down"};
  switch (input) {
    case LayerInput::kAttention: return kAttention;
    case LayerInput::kAttentionOutput: return kOutput;
    case LayerInput::kFeedForward: return kFeedForward;
    case LayerInput::kDown: return kDown;
  }
  return {};
}

}  // namespace

Importance MeasureImportance(std::shared_ptr<const artefact::GgufFile> file, std::string_view text, int64_t context,
                             int threads, const ProgressFn& progress) {
  file->RequireSupportedTypes();
  DecoderSpec spec = ReadSpec(*file);
  const auto tokenizer = TokenizerFromGguf(*file, spec.vocab);
  const std::vector<int32_t> tokens = tokenizer->Encode(text, {.add_special = true});
  if (tokens.size() < 2) throw Error(Code::kInvalidInput, "the calibration text is empty", "give some pages of text");
  context = std::min(context, spec.context);
  auto pool = std::make_unique<ThreadPool>(threads > 0 ? threads : ThreadPool::DefaultThreads());
  DecoderWeights weights = LoadWeights(file, spec, pool.get());
  Decoder decoder(std::move(spec), std::move(weights), kernel::BestTable(), std::move(pool), size_t{2} << 30);

  std::map<std::pair<size_t, LayerInput>, std::vector<double>> squares;
  const auto add = [&](size_t layer, LayerInput input, const float* rows, int64_t count, int64_t cols) {
    std::vector<double>& sums = squares[{layer, input}];
    sums.resize(static_cast<size_t>(cols));
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t i = 0; i < cols; ++i) {
        const double v = rows[r * cols + i];
        sums[static_cast<size_t>(i)] += v * v;
      }
    }
  };
  const auto window = static_cast<size_t>(context);
  for (size_t begin = 0; begin < tokens.size(); begin += window) {
    const auto part = std::span(tokens).subspan(begin, std::min(window, tokens.size() - begin));
    Sequence sequence;
    const Chunk chunk{&sequence, part, part.size()};
    decoder.Forward(
        {&chunk, 1}, [](size_t, size_t, float*) {}, add);
    if (progress) progress(begin + part.size(), tokens.size(), "");
  }
  Importance out;
  for (const auto& [key, sums] : squares) {
    std::vector<float> means(sums.size());
    std::transform(sums.begin(), sums.end(), means.begin(),
                   [&](double sum) { return static_cast<float>(sum / static_cast<double>(tokens.size())); });
    for (const std::string_view name : TensorsOf(key.second)) out[Cat("blk.", key.first, ".", name, ".weight")] = means;
  }
  return out;
}

const std::vector<float>* ColumnsOf(const Importance* importance, const artefact::TensorInfo& tensor) {
  if (importance == nullptr) return nullptr;
  const auto found = importance->find(tensor.name);
  if (found == importance->end()) return nullptr;
  const std::vector<float>& columns = found->second;
  if (static_cast<int64_t>(columns.size()) != tensor.dim(0)) {
    throw Error(Code::kInvalidInput, Cat("the importance of ", Quote(tensor.name), " has ", columns.size(),
                                         " columns, the tensor ", tensor.dim(0)));
  }
  if (!std::all_of(columns.begin(), columns.end(), [](float v) { return v >= 0 && v < 1e30f; })) {
    throw Error(Code::kInvalidInput, Cat("the importance of ", Quote(tensor.name), " is not of numbers"),
                "the model overflows on the calibration text");
  }
  return &columns;
}

}  // namespace atelier::runtime
