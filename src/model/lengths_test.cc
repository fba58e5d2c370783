// Rows of different lengths: what stands behind a text changes nothing, whatever the architecture does with padding.
#include "model/lengths.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"
#include "model/bert_heads.h"
#include "model/classifier.h"
#include "model/zoo.h"

namespace atelier::model {
namespace {

DataShape Shape() {
  DataShape shape;
  shape.vocabulary = 50;
  shape.sequence_length = 12;
  shape.classes = {"坏", "好", "🙂"};
  return shape;
}

std::shared_ptr<Model> Make(const std::string& name, const std::string& toml, const DataShape& shape = Shape()) {
  torch::manual_seed(3);
  Table config = Table::Parse(toml, "test.toml");
  auto model = FindArchitecture(name, config).make(config, shape);
  config.Done();
  model->eval();
  return model;
}

Batch Texts(bool per_token) {
  torch::manual_seed(4);
  Batch batch;
  batch.inputs = torch::randint(0, 50, {4, 12}, torch::kInt64);
  batch.lengths = torch::tensor(std::vector<int64_t>{12, 1, 5, 8});
  batch.targets =
      torch::randint(0, 3, per_token ? std::vector<int64_t>{4, 12} : std::vector<int64_t>{4}, torch::kInt64);
  if (per_token) batch.targets.masked_fill_(RealPlaces(batch.lengths, 12).logical_not(), kIgnored);
  return batch;
}

Batch One(const Batch& batch, int64_t i) {
  const int64_t n = batch.lengths[i].item<int64_t>();
  Batch one;
  one.inputs = batch.inputs.narrow(0, i, 1).narrow(1, 0, n);
  one.targets = batch.targets.narrow(0, i, 1);
  if (one.targets.dim() == 2) one.targets = one.targets.narrow(1, 0, n);
  return one;
}

struct LengthCase {
  const char *name, *toml;
  bool per_token = false;
};

class Ragged : public testing::TestWithParam<LengthCase> {};

TEST_P(Ragged, ATextAloneHasTheLossThatItHasInABatch) {
  const auto model = Make(GetParam().name, GetParam().toml);
  const Batch batch = Texts(GetParam().per_token);
  double sum = 0, count = 0;
  for (int64_t i = 0; i < batch.rows(); ++i) {
    const Batch one = One(batch, i);
    const auto n = static_cast<double>(model->Count(one, 0));
    sum += model->ComputeLoss(one, 0, {}).value.item<double>() * n;
    count += n;
  }
  // f32 sums in another order.
  EXPECT_NEAR(model->ComputeLoss(batch, 0, {}).value.item<double>(), sum / count, 2e-6);

  Batch noisy = batch;
  noisy.inputs = torch::where(RealPlaces(batch.lengths, 12), batch.inputs, (batch.inputs + 7) % 50);
  EXPECT_EQ(model->ComputeLoss(noisy, 0, {}).value.item<float>(), model->ComputeLoss(batch, 0, {}).value.item<float>());
}

TEST_P(Ragged, GradientsInBf16AreFinite) {
  const auto model = Make(GetParam().name, GetParam().toml);
  model->train();
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Loss loss = model->ComputeLoss(Texts(GetParam().per_token), 0, {});
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  loss.value.backward();
  EXPECT_EQ(loss.value.scalar_type(), torch::kFloat32);
  for (const auto& item : model->named_parameters()) {
    if (!item.value().grad().defined()) continue;
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

constexpr char kBert[] = "layers = 2\nwidth = 16\nheads = 2\nhidden = 24\ncontext = 16\n";
constexpr char kBertMasked[] = "layers = 2\nwidth = 16\nheads = 2\nhidden = 24\ncontext = 16\npadding = \"masked\"\n";
INSTANTIATE_TEST_SUITE_P(
    All, Ragged,
    testing::Values(LengthCase{"fasttext", "ngrams = 4\nwidth = 8\nbuckets = 64\n"},
                    LengthCase{"text_cnn", "width = 8\nfilters = 5\n"},
                    LengthCase{"recurrent_classifier", "width = 8\nhidden = 6\nlayers = 2\n"},
                    LengthCase{"recurrent_classifier", "cell = \"gru\"\npool = \"mean\"\nwidth = 8\nhidden = 6\n"},
                    LengthCase{"bert_classifier", kBert}, LengthCase{"bert_classifier", kBertMasked},
                    LengthCase{"bert_tagger", kBert, true}, LengthCase{"bert_tagger", kBertMasked, true},
                    LengthCase{"bert_masked", kBert, true}, LengthCase{"bert_masked", kBertMasked, true}),
    [](const auto& info) { return Cat(info.param.name, info.index); });

TEST(Ragged, RemovedPaddingGivesTheLogitsAndGradientsOfMaskedPadding) {
  const auto removed = Make("bert_tagger", kBert), masked = Make("bert_tagger", kBertMasked);
  const Batch batch = Texts(true);
  const torch::Tensor real = RealPlaces(batch.lengths, 12).unsqueeze(2);
  const auto logits = [&](Model& model) { return dynamic_cast<Classifier&>(model).Logits(batch) * real; };
  EXPECT_LT((logits(*removed) - logits(*masked)).abs().max().item<double>(), 1e-5);
  for (Model* model : {removed.get(), masked.get()}) model->ComputeLoss(batch, 0, {}).value.backward();
  const auto theirs = masked->named_parameters();
  for (const auto& item : removed->named_parameters()) {
    const torch::Tensor expected = theirs[item.key()].grad();
    EXPECT_LT((item.value().grad() - expected).abs().max().item<double>(), 1e-6) << item.key();
  }
}

TEST(Ragged, RowsComeBackToTheirPlaces) {
  const Batch batch = Texts(true);
  const RaggedRows rows = LayRows(batch, false);
  EXPECT_EQ(rows.begins, (std::vector<int64_t>{0, 12, 13, 18}));
  const torch::Tensor taken = rows.Take(batch.inputs);
  EXPECT_EQ(taken.size(0), 26);
  EXPECT_EQ(taken[12].item<int64_t>(), batch.inputs[1][0].item<int64_t>());
  EXPECT_TRUE(rows.Spread(taken).equal(batch.inputs * RealPlaces(batch.lengths, 12)));
}

std::string Refusal(const std::string& name, const std::string& toml, const DataShape& shape = Shape()) {
  try {
    Make(name, toml, shape);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ClassifierConfig, IsHeldToWhatThereIs) {
  DataShape one = Shape();
  one.classes = {"only"};
  EXPECT_NE(Refusal("text_cnn", "", one).find("two classes or more, the data has 1"), std::string::npos);
  EXPECT_NE(Refusal("text_cnn", "widths = [3, 0]\n").find("widths"), std::string::npos);
  EXPECT_NE(Refusal("text_cnn", "widths = []\n").find("no width"), std::string::npos);
  EXPECT_NE(Refusal("recurrent_classifier", "cell = \"rnn\"\n").find("neither lstm nor gru"), std::string::npos);
  EXPECT_NE(Refusal("bert_classifier", "width = 10\nheads = 3\n").find("3 does not divide"), std::string::npos);
  EXPECT_NE(Refusal("bert_classifier", "context = 11\n").find("shorter than the data's sequences of 12"),
            std::string::npos);
  EXPECT_NE(Refusal("bert_classifier", "pool = \"max\"\n").find("neither cls nor mean"), std::string::npos);
}

TEST(Bert, FreezingLeavesTheRestToLearn) {
  const auto model = std::dynamic_pointer_cast<BertClassifier>(Make("bert_classifier", Cat(kBert, "freeze = 1\n")));
  std::vector<std::string> learning;
  for (const auto& item : model->named_parameters()) {
    if (item.value().requires_grad() && item.key().find("blk.1.") == std::string::npos) learning.push_back(item.key());
  }
  EXPECT_EQ(learning, (std::vector<std::string>{"dense.weight", "dense.bias", "output.weight", "output.bias"}));
}

}  // namespace
}  // namespace atelier::model
