// The fused decoder with attention against its plain twin: the same model computed by torch in f32.
#include "model/seq2seq.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/fused/fused_testing.h"

namespace atelier::model {
namespace {

struct Case {
  const char* name;
  int64_t embedding, width;
  bool bidirectional, tied;
  std::vector<int64_t> source_lengths, target_lengths;
  double smoothing;
};

// oneDNN has LSTMs in bf16 on some processors alone; torch's own run everywhere.
class FusedSeq2Seq : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override { at::globalContext().setUserEnabledMkldnn(false); }
  void TearDown() override { at::globalContext().setUserEnabledMkldnn(true); }
};

TEST_P(FusedSeq2Seq, IsAsNearToF32AsPlainBf16) {
  const Case& c = GetParam();
  torch::manual_seed(9);
  Seq2SeqConfig config;
  config.source_vocabulary = 50, config.vocabulary = 300, config.embedding = c.embedding, config.width = c.width;
  config.bidirectional = c.bidirectional, config.tied = c.tied;
  Seq2Seq model(config);
  Disturb(model, 0.1);
  model.train();
  const auto rows = static_cast<int64_t>(c.source_lengths.size());
  Batch batch;
  batch.source_lengths = torch::tensor(c.source_lengths);
  batch.source = torch::randint(50, {rows, batch.source_lengths.max().item<int64_t>()}, torch::kInt64);
  const torch::Tensor lengths = torch::tensor(c.target_lengths);
  batch.inputs = torch::randint(300, {rows, lengths.max().item<int64_t>()}, torch::kInt64);
  batch.targets = torch::randint(300, batch.inputs.sizes(), torch::kInt64);
  batch.targets.masked_fill_(Behind(lengths, batch.inputs.size(1)), kIgnored);
  batch.targets[0][0] = kIgnored;  // before others that count
  ExpectAsNearAsPlainBf16(model, batch, c.smoothing);
}

INSTANTIATE_TEST_SUITE_P(Forms, FusedSeq2Seq,
                         testing::Values(Case{"ragged", 32, 128, true, false, {5, 9, 1, 9, 3}, {4, 1, 7, 7, 2}, 0},
                                         Case{"odd_widths", 21, 70, true, false, {4, 2, 3}, {2, 5, 5}, 0.1},
                                         Case{"one_direction_tied", 64, 64, false, true, {6, 6, 2, 1}, {3, 3, 3, 3}, 0},
                                         Case{"one_token", 16, 32, true, false, {1, 1}, {1, 1}, 0}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace atelier::model
