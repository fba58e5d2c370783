// The fused form of the encoder against its plain twin, on texts of different lengths.
#include <gtest/gtest.h>

#include "model/bert_heads.h"
#include "model/fused/fused_testing.h"

namespace atelier::model {
namespace {

BertConfig Config(int64_t width, int64_t heads, int64_t hidden) {
  BertConfig c;
  c.vocabulary = 300, c.context = 80, c.layers = 2, c.width = width, c.heads = heads, c.hidden = hidden;
  c.dropout = 0;
  return c;
}

// Texts of these lengths, with classes of texts ({}) or of their tokens ({time}) as targets.
Batch Texts(const std::vector<int64_t>& lengths, int64_t classes, bool tokens) {
  Batch batch;
  const int64_t rows = static_cast<int64_t>(lengths.size()), time = *std::max_element(lengths.begin(), lengths.end());
  batch.inputs = torch::randint(300, {rows, time}, torch::kInt64);
  batch.lengths = torch::tensor(lengths, torch::kInt64);
  if (!tokens) {
    batch.targets = torch::randint(classes, {rows}, torch::kInt64);
    return batch;
  }
  batch.targets = torch::randint(classes, {rows, time}, torch::kInt64);
  batch.targets.masked_fill_(RealPlaces(batch.lengths, time).logical_not(), kIgnored);
  return batch;
}

const std::vector<int64_t> kRagged = {17, 1, 70, 64, 5};

TEST(FusedBert, IsAsNearToF32AsPlainBf16) {
  torch::manual_seed(5);
  BertClassifier mean(Config(96, 3, 130), {3, true}), first(Config(64, 4, 64), {3, false});
  BertTagger tagger(Config(80, 5, 96), {4});
  BertMasked masked(Config(64, 2, 100));
  BertConfig late = Config(64, 4, 96);
  late.frozen = 1;
  BertClassifier frozen(late, {2, true});
  const std::pair<Model*, Batch> cases[] = {{&mean, Texts(kRagged, 3, false)},   {&first, Texts(kRagged, 3, false)},
                                            {&tagger, Texts(kRagged, 4, true)},  {&masked, Texts(kRagged, 300, true)},
                                            {&frozen, Texts(kRagged, 2, false)}, {&tagger, Texts({6, 6, 6}, 4, true)},
                                            {&tagger, Texts({1}, 4, true)}};
  for (const auto& [model, batch] : cases) {
    SCOPED_TRACE(model->name());
    Disturb(*model, 0.08);
    // Of one token every gradient has the error of its few probabilities, which is one draw for all of them.
    ExpectAsNearAsPlainBf16(*model, batch, 0.1, 0, batch.inputs.numel() == 1 ? 6 : 1.5);
  }
  for (const auto& item : frozen.named_parameters()) {
    EXPECT_EQ(item.value().grad().defined(), item.value().requires_grad()) << item.key();
  }
}

// Rows with padding among them, and heads that attention cannot take.
TEST(FusedBert, TakesThePlainFormElsewhere) {
  BertConfig padded = Config(64, 4, 64);
  padded.padded = true;
  for (const BertConfig& c : {padded, Config(72, 3, 64)}) {
    torch::manual_seed(6);
    BertClassifier model(c, {2, true});
    const Batch batch = Texts(kRagged, 2, false);
    EXPECT_EQ(RunOnce(model, batch, 0, How::kFused).loss, RunOnce(model, batch, 0, How::kPlainBf16).loss);
  }
}

// In training all three dropouts draw anew, and the same after the same seed; in evaluation none does.
TEST(FusedBert, DropsInTrainingAlone) {
  BertConfig c = Config(64, 4, 64);
  c.dropout = 0.2;
  BertClassifier model(c, {2, true});
  const Batch batch = Texts(kRagged, 2, false);
  const auto loss = [&](uint64_t seed) {
    torch::manual_seed(seed);
    return RunOnce(model, batch, 0, How::kFused).loss;
  };
  EXPECT_EQ(loss(1), loss(1));
  EXPECT_NE(loss(1), loss(2));
  model.eval();
  EXPECT_EQ(loss(1), loss(2));
}

}  // namespace
}  // namespace atelier::model
