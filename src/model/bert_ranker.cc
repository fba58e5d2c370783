#include "model/bert_ranker.h"

#include <cmath>

#include "base/str.h"

namespace atelier::model {
namespace {

constexpr double kScale = 20;

// Options of different choices as rows of their own, [choices, the most options]; what is not there is `nothing`.
torch::Tensor ByChoice(const torch::Tensor& options, const torch::Tensor& choice, double nothing) {
  const torch::Tensor counts = torch::bincount(choice);
  const torch::Tensor begins = counts.cumsum(0) - counts;
  const torch::Tensor place = torch::arange(choice.size(0)) - begins.index_select(0, choice);
  const torch::Tensor empty = torch::full({counts.size(0), counts.max().item<int64_t>()}, nothing, options.options());
  return empty.index_put({choice, place}, options);
}

}  // namespace

BertRanker::BertRanker(const BertConfig& config, const BertRankerConfig& ranker) : ranker_(ranker) {
  encoder_ = register_module("encoder", MakeEncoder(config));
  const auto fresh = [&] { return torch::randn({config.width}) / std::sqrt(static_cast<double>(config.width)); };
  text_ = register_parameter("text", fresh());
  if (ranker_.product) product_ = register_parameter("product", fresh());
}

torch::Tensor BertRanker::Scores(const Batch& batch) {
  const int64_t options = batch.targets.size(0), texts_read = ranker_.product ? batch.rows() : options;
  Batch read;
  read.inputs = batch.inputs.narrow(0, 0, texts_read);
  read.lengths = batch.lengths.narrow(0, 0, texts_read);
  const RaggedRows rows = encoder_->Lay(read);
  const torch::Tensor mean = TextEncoder::Mean(encoder_->Encode(read, rows), rows).to(torch::kFloat32);
  const torch::Tensor e = torch::nn::functional::normalize(mean);
  const torch::Tensor texts = e.narrow(0, 0, options);
  torch::Tensor scores = texts.matmul(text_);
  if (ranker_.product) {
    const torch::Tensor contexts = e.narrow(0, options, e.size(0) - options).index_select(0, batch.targets);
    scores = scores + (texts * contexts).matmul(product_);
  }
  return kScale * scores;
}

Loss BertRanker::ComputeLoss(const Batch& batch, size_t, const LossOptions&) {
  const torch::Tensor scores = Scores(batch), &choice = batch.targets;
  const torch::Tensor s = ByChoice(scores, choice, 0), m = ByChoice(batch.marks, choice, -1);
  const torch::Tensor there = m.ge(0), taken = m.clamp_min(0);
  // [choices, a, b]: whether a was worth more than b, which is there.
  const torch::Tensor over = m.unsqueeze(2).gt(m.unsqueeze(1)).logical_and(there.unsqueeze(1));
  const torch::Tensor pairs = over.sum({1, 2}).clamp_min(1), apart = s.unsqueeze(2) - s.unsqueeze(1);
  const torch::Tensor right = apart.gt(0).to(torch::kFloat32) + 0.5 * apart.eq(0).to(torch::kFloat32);
  Loss loss;
  if (ranker_.listwise) {
    const torch::Tensor log_share = torch::log_softmax(s.masked_fill(there.logical_not(), -INFINITY), 1);
    loss.value = -(taken * log_share.masked_fill(there.logical_not(), 0)).sum(1).mean();
  } else {
    const torch::Tensor wrong = torch::nn::functional::softplus(-apart) * over;
    loss.value = (taken.sum(1) * wrong.sum({1, 2}) / pairs).mean();
  }
  loss.details["pair_accuracy"] = ((right * over).sum({1, 2}) / pairs).mean().item<double>();
  return loss;
}

int64_t BertRanker::Count(const Batch& batch, size_t) const { return batch.targets.max().item<int64_t>() + 1; }

artefact::Adapter BertRanker::ToAdapter() const {
  return AdapterOf(*encoder_, *base(), encoder_->config().lora->alpha);
}

std::shared_ptr<Model> MakeBertRanker(Table& config, const DataShape& shape) {
  BertRankerConfig ranker;
  const std::string loss = config.StringOr("loss", "pairwise");
  if (loss != "pairwise" && loss != "listwise")
    config.Refuse("loss", Cat(Quote(loss), " is neither pairwise nor listwise"));
  ranker.listwise = loss == "listwise";
  ranker.product = config.BoolOr("product", false);
  if (!config.Has("rank"))
    config.Refuse("rank", "is missing: the encoder learns by adapters alone", "16, for instance");
  return std::make_shared<BertRanker>(ReadBertConfig(config, shape), ranker);
}

}  // namespace atelier::model
