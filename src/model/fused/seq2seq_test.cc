// The fused decoder with attention against its plain twin: the same model computed by torch in f32.
#include "model/seq2seq.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/fused/attention_decoder.h"
#include "model/fused/fused_testing.h"

namespace atelier::model {
namespace {

struct Seq2SeqCase {
  const char* name;
  int64_t embedding, width;
  bool bidirectional, tied;
  std::vector<int64_t> source_lengths, target_lengths;
  double smoothing;
};

// oneDNN has LSTMs in bf16 on some processors alone; torch's own run everywhere.
class FusedSeq2Seq : public testing::TestWithParam<Seq2SeqCase> {
 protected:
  void SetUp() override { at::globalContext().setUserEnabledMkldnn(false); }
  void TearDown() override { at::globalContext().setUserEnabledMkldnn(true); }
};

TEST_P(FusedSeq2Seq, IsAsNearToF32AsPlainBf16) {
  const Seq2SeqCase& c = GetParam();
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

INSTANTIATE_TEST_SUITE_P(
    Forms, FusedSeq2Seq,
    testing::Values(Seq2SeqCase{"ragged", 32, 128, true, false, {5, 9, 1, 9, 3}, {4, 1, 7, 7, 2}, 0},
                    Seq2SeqCase{"odd_widths", 21, 70, true, false, {4, 2, 3}, {2, 5, 5}, 0.1},
                    Seq2SeqCase{"one_direction_tied", 64, 64, false, true, {6, 6, 2, 1}, {3, 3, 3, 3}, 0},
                    Seq2SeqCase{"one_token", 16, 32, true, false, {1, 1}, {1, 1}, 0}),
    [](const auto& each) { return each.param.name; });

// By itself, where attention weighs enough that each way on which its gradient comes shows: against the formula in
// torch.
TEST(FusedAttentionDecoder, HasTheGradientsOfTheFormula) {
  torch::manual_seed(10);
  const int64_t sequences = 5, time = 6, embedding = 24, width = 70, rows = 13;
  const std::vector<int64_t> sizes = {5, 4, 3, 1};
  const torch::Tensor lengths = torch::tensor({6, 2, 1, 4, 5});
  const auto leaf = [](torch::IntArrayRef shape, double deviation) {
    return (torch::randn(shape) * deviation).requires_grad_();
  };
  const torch::Tensor x = leaf({rows, embedding}, 1), keys = leaf({sequences, time, width}, 1);
  const torch::Tensor memory = leaf({sequences, time, width}, 1);
  const torch::Tensor h = leaf({sequences, width}, 0.5), c = leaf({sequences, width}, 0.5);
  const fused::AttentionWeights w{leaf({width, width}, 0.3),
                                  leaf({1, width}, 0.5),
                                  {leaf({4 * width, embedding + width}, 0.2), leaf({4 * width, width}, 0.2),
                                   leaf({4 * width}, 0.3), leaf({4 * width}, 0.3)}};
  const torch::Tensor leaves[] = {
      x, keys, memory, h, c, w.query, w.energy, w.cell.input, w.cell.state, w.cell.input_bias, w.cell.state_bias};
  const torch::Tensor d_states = torch::randn({rows, width}), d_contexts = torch::randn({rows, width});
  const auto results = [&](torch::Tensor states, torch::Tensor contexts) {
    ((states.to(torch::kFloat32) * d_states).sum() + (contexts.to(torch::kFloat32) * d_contexts).sum()).backward();
    std::vector<torch::Tensor> out = {states.detach().to(torch::kFloat32), contexts.detach().to(torch::kFloat32)};
    for (torch::Tensor each : leaves) {
      out.push_back(each.grad().clone());
      each.mutable_grad() = torch::Tensor();
    }
    return out;
  };
  std::vector<torch::Tensor> states, contexts;
  torch::Tensor s = h, cell = c;
  int64_t row = 0;
  for (const int64_t n : sizes) {
    s = s.narrow(0, 0, n), cell = cell.narrow(0, 0, n);
    const torch::Tensor scores =
        (torch::tanh(torch::linear(s, w.query).unsqueeze(1) + keys.narrow(0, 0, n)) * w.energy).sum(-1);
    const torch::Tensor a = scores.masked_fill(Behind(lengths.narrow(0, 0, n), time), -1e30).softmax(-1);
    contexts.push_back((a.unsqueeze(-1) * memory.narrow(0, 0, n)).sum(1));
    std::tie(s, cell) = at::lstm_cell(torch::cat({x.narrow(0, row, n), contexts.back()}, -1), {s, cell}, w.cell.input,
                                      w.cell.state, w.cell.input_bias, w.cell.state_bias);
    states.push_back(s);
    row += n;
  }
  const auto want = results(torch::cat(states), torch::cat(contexts));
  const fused::AttentionDecoded decoded = fused::DecodeAttending(x, sizes, w, {keys, memory, lengths}, {h, c});
  const auto got = results(decoded.states, decoded.contexts);
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_LE((got[i] - want[i]).norm().item<double>(), 0.02 * want[i].norm().item<double>()) << i;
  }
}

}  // namespace
}  // namespace atelier::model
