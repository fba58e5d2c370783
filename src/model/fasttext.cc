#include "model/fasttext.h"

#include "model/lengths.h"

namespace atelier::model {
namespace {

constexpr int64_t kFactor = 1000003, kPrime = (int64_t{1} << 31) - 1;  // their product stays within 64 bits

}  // namespace

FastTextConfig ReadFastTextConfig(Table& config, const DataShape& shape) {
  FastTextConfig c;
  c.vocabulary = shape.vocabulary;
  c.classes = CountClasses(config, shape);
  c.width = config.IntOr("width", c.width, 1, 1 << 14);
  c.ngrams = config.IntOr("ngrams", c.ngrams, 1, 16);
  c.buckets = config.IntOr("buckets", c.buckets, 1, 1 << 26);
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  return c;
}

FastText::FastText(const FastTextConfig& config) : config_(config) {
  const int64_t own = config_.hashes_tokens() ? 0 : config_.vocabulary;
  const bool hashes = config_.hashes_tokens() || config_.ngrams > 1;
  embedding_ = register_module("embedding", torch::nn::Embedding(own + (hashes ? config_.buckets : 0), config_.width));
  const double reach = 1.0 / static_cast<double>(config_.width);
  torch::nn::init::uniform_(embedding_->weight, -reach, reach);
  output_ = register_module("output", torch::nn::Linear(config_.width, config_.classes));
  torch::nn::init::zeros_(output_->weight);
  torch::nn::init::zeros_(output_->bias);
}

std::pair<torch::Tensor, torch::Tensor> FastText::Features(const Batch& batch) const {
  const torch::Tensor& ids = batch.inputs;
  const torch::Tensor lengths = RealLengths(batch);
  const int64_t time = ids.size(1), own = config_.hashes_tokens() ? 0 : config_.vocabulary;
  std::vector<torch::Tensor> rows, real;
  torch::Tensor hash = ids + 1;
  for (int64_t n = 1; n <= std::min(config_.ngrams, time); ++n) {
    if (n > 1) {
      hash = (hash.narrow(1, 0, time - n + 1) * kFactor + ids.narrow(1, n - 1, time - n + 1) + 1).remainder(kPrime);
    }
    rows.push_back(n == 1 && own > 0 ? ids : hash.remainder(config_.buckets) + own);
    real.push_back(RealPlaces(lengths - (n - 1), time - n + 1));
  }
  const torch::Tensor is_real = torch::cat(real, 1);
  const torch::Tensor counts = is_real.sum(1);
  return {torch::cat(rows, 1).masked_select(is_real), counts.cumsum(0) - counts};
}

torch::Tensor FastText::Logits(const Batch& batch) {
  constexpr int64_t kMean = 1;
  const auto [rows, offsets] = Features(batch);
  const torch::Tensor mean =
      std::get<0>(torch::embedding_bag(embedding_->weight, rows, offsets, /*scale_grad_by_freq=*/false, kMean));
  return output_->forward(torch::dropout(mean, config_.dropout, is_training()));
}

std::shared_ptr<Model> MakeFastText(Table& config, const DataShape& shape) {
  return std::make_shared<FastText>(ReadFastTextConfig(config, shape));
}

}  // namespace atelier::model
