// Every architecture of the engine as LibTorch computes it, against the logits of Hugging Face transformers
// (tests/golden/archs); gradients of adapters against differences; products over blocks against plain ones.
#include "model/pretrained.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"
#include "model/fused/frozen.h"
#include "model/fused/ops.h"
#include "runtime/golden_model.h"

namespace atelier::model {
namespace {

using runtime::GoldenBytes;
using runtime::OpenBytes;

torch::Tensor Tokens(const artefact::GgufFile& file, int64_t count = 1 << 20) {
  std::vector<int64_t> tokens = file.Ints("golden.tokens");
  tokens.resize(std::min(tokens.size(), static_cast<size_t>(count)));
  return torch::tensor(tokens).unsqueeze(0);
}

double Distance(const torch::Tensor& a, const torch::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

TEST(Pretrained, HasTheLogitsOfTheOriginal) {
  const torch::NoGradGuard no_gradient;
  for (const char* name : runtime::kGoldenModels) {
    const auto file = OpenBytes(GoldenBytes(name));
    Pretrained model(file, {});
    model.eval();
    const torch::Tensor logits = model.Logits(model.Hidden(Tokens(*file))).squeeze(0);
    const torch::Tensor golden = torch::tensor(file->Floats("golden.logits")).view({-1, model.spec().vocab});
    const torch::Tensor at = torch::tensor(file->Ints("golden.positions"));
    EXPECT_LT((logits.index_select(0, at) - golden).abs().max().item<double>(), 1e-3) << name;
  }
}

TEST(Pretrained, ReadsQuantisedWeightsAsTheirValues) {
  const torch::NoGradGuard no_gradient;
  const std::string bytes = runtime::Quantised(GoldenBytes("llama"), artefact::TensorType::kQ4_0);
  const auto file = OpenBytes(bytes), plain = OpenBytes(runtime::Plain(bytes));
  Pretrained model(file, {}), expanded(plain, {});
  const torch::Tensor ids = Tokens(*OpenBytes(GoldenBytes("llama")), 20);
  EXPECT_TRUE(torch::equal(model.Hidden(ids), expanded.Hidden(ids)));
}

Batch TwoRows(const artefact::GgufFile& file) {
  const torch::Tensor ids = Tokens(file, 24).view({2, 12});
  torch::Tensor targets = ids.roll(-1, 1).clone();
  targets.select(1, 11).fill_(kIgnored);
  targets.narrow(1, 0, 4).fill_(kIgnored);  // a prompt
  Batch batch;
  batch.inputs = ids, batch.targets = targets;
  return batch;
}

void Shake(Pretrained* model) {
  torch::manual_seed(3);
  const torch::NoGradGuard no_gradient;
  for (torch::Tensor& p : model->parameters()) p.normal_(0, 0.1);
}

TEST(Pretrained, LearnsByItsAdaptersAlone) {
  for (const char* name : {"llama", "qwen2", "gemma3"}) {
    const auto file = OpenBytes(GoldenBytes(name));
    LoraConfig lora;
    lora.rank = 3, lora.targets = {"attn_q", "attn_v", "ffn_down"};
    Pretrained model(file, lora);
    EXPECT_EQ(model.parameters().size(), model.spec().layers.size() * 6);
    Shake(&model);
    const Batch batch = TwoRows(*file);
    const auto loss = [&] { return model.ComputeLoss(batch, 0, {}).value; };
    loss().backward();
    for (const auto& item : model.named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      // The slope along the gradient is its length.
      const torch::Tensor direction = item.value().grad() / item.value().grad().norm();
      const torch::NoGradGuard no_gradient;
      const double step = 3e-3;
      item.value().add_(direction, step);
      const double above = loss().item<double>();
      item.value().add_(direction, -2 * step);
      const double below = loss().item<double>();
      item.value().add_(direction, step);
      const double slope = item.value().grad().norm().item<double>();
      EXPECT_NEAR((above - below) / (2 * step), slope, 0.02 * slope + 1e-3) << name << " " << item.key();
    }
  }
}

TEST(Pretrained, LearnsTheSameInBf16) {
  for (const char* name : {"llama", "gemma3"}) {
    const auto file = OpenBytes(GoldenBytes(name));
    LoraConfig lora;
    lora.rank = 4;
    Pretrained model(file, lora);
    Shake(&model);
    const Batch batch = TwoRows(*file);
    const torch::Tensor plain = model.ComputeLoss(batch, 0, {}).value;
    plain.backward();
    std::vector<torch::Tensor> gradients;
    for (torch::Tensor& p : model.parameters()) {
      gradients.push_back(p.grad().clone());
      p.mutable_grad().reset();
    }
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    ASSERT_TRUE(fused::Enabled());
    const torch::Tensor narrow = model.ComputeLoss(batch, 0, {}).value;
    at::autocast::set_autocast_enabled(at::kCPU, false);
    narrow.backward();
    EXPECT_NEAR(narrow.item<double>(), plain.item<double>(), 0.02 * plain.item<double>()) << name;
    size_t i = 0;
    for (const auto& item : model.named_parameters()) {
      EXPECT_LT(Distance(item.value().grad(), gradients[i++]), 0.15) << name << " " << item.key();
    }
  }
}

TEST(Pretrained, RefusesTokensBeyondItsEmbedding) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  Pretrained model(file, {});
  for (const int64_t token : {int64_t{-1}, model.spec().vocab}) {
    EXPECT_THROW(model.Hidden(torch::full({1, 3}, token, torch::kInt64)), Error) << token;
  }
}

TEST(Pretrained, RecomputesToTheSameGradients) {
  const auto file = OpenBytes(GoldenBytes("gemma3"));
  Pretrained model(file, {});
  Shake(&model);
  const Batch batch = TwoRows(*file);
  model.ComputeLoss(batch, 0, {}).value.backward();
  std::vector<torch::Tensor> kept;
  for (torch::Tensor& p : model.parameters()) {
    kept.push_back(p.grad().clone());
    p.mutable_grad().reset();
  }
  model.SetCheckpointing(true);
  model.ComputeLoss(batch, 0, {}).value.backward();
  size_t i = 0;
  for (const torch::Tensor& p : model.parameters()) EXPECT_LT(Distance(p.grad(), kept[i++]), 1e-5);
}

// A file with one matrix of every kind.
std::shared_ptr<const artefact::GgufFile> MatrixFile(artefact::TensorType type, int64_t outs, int64_t ins) {
  torch::manual_seed(5);
  const torch::Tensor values = torch::randn({outs, ins});
  artefact::GgufWriter writer;
  const std::string bytes(static_cast<const char*>(values.data_ptr()), values.nbytes());
  writer.AddTensor("w", artefact::TensorType::kF32, {ins, outs}, bytes);
  const std::string plain = writer.ToBytes();
  return OpenBytes(type == artefact::TensorType::kF32 ? plain : runtime::Quantised(plain, type));
}

TEST(FrozenLinear, OverBlocksIsThePlainProduct) {
  // Rows of one block, of several, and a last one that is no whole panel; widths around a panel.
  for (const auto& [outs, ins] :
       std::vector<std::pair<int64_t, int64_t>>{{64, 64}, {70, 96}, {1000, 1024}, {2113, 320}}) {
    for (const auto type : {artefact::TensorType::kF32, artefact::TensorType::kQ4_0, artefact::TensorType::kQ8_0}) {
      const FrozenMatrix w(MatrixFile(type, outs, ins), "w", outs, ins);
      for (const auto scalar : {torch::kFloat32, torch::kBFloat16}) {
        const torch::Tensor x = torch::randn({2, 9, ins}).to(scalar).requires_grad_();
        const torch::Tensor plain_x = x.detach().to(torch::kFloat32).requires_grad_();
        const torch::Tensor d = torch::randn({2, 9, outs});
        const torch::Tensor y = fused::FrozenLinear(x, w), plain = torch::linear(plain_x, w.Expanded());
        EXPECT_EQ(y.scalar_type(), scalar);
        y.backward(d.to(scalar));
        plain.backward(d);
        EXPECT_LT(Distance(y.to(torch::kFloat32), plain), 0.01) << outs << "x" << ins;
        EXPECT_LT(Distance(x.grad().to(torch::kFloat32), plain_x.grad()), 0.01) << outs << "x" << ins;
      }
    }
  }
}

TEST(FrozenLinear, RefusesAnotherShape) {
  EXPECT_THROW(FrozenMatrix(MatrixFile(artefact::TensorType::kF32, 4, 8), "w", 8, 4), Error);
  EXPECT_THROW(FrozenMatrix(MatrixFile(artefact::TensorType::kF32, 4, 8), "v", 4, 8), Error);
}

}  // namespace
}  // namespace atelier::model
