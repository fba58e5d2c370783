// Every architecture of the engine as LibTorch computes it, against the logits of Hugging Face transformers
// (tests/golden/archs); gradients of adapters against differences; products over blocks against plain ones.
#include "model/pretrained.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "model/fused/frozen.h"
#include "model/fused/ops.h"
#include "model/objective.h"
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

// Rows of different lengths, padded; what is asked for ends with each.
Batch RaggedBatch(const artefact::GgufFile& file) {
  Batch batch = TwoRows(file);
  batch.lengths = torch::tensor({int64_t{12}, int64_t{7}});
  batch.inputs[1].narrow(0, 7, 5).zero_();
  batch.targets[1].narrow(0, 7, 5).fill_(kIgnored);
  return batch;
}

struct InBf16 {
  InBf16() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
  ~InBf16() { at::autocast::set_autocast_enabled(at::kCPU, false); }
};

std::vector<torch::Tensor> TakeGradients(Pretrained* model) {
  std::vector<torch::Tensor> gradients;
  for (torch::Tensor& p : model->parameters()) {
    gradients.push_back(p.grad().clone());
    p.mutable_grad().reset();
  }
  return gradients;
}

TEST(Pretrained, LearnsTheSameInBf16) {
  for (const char* name : runtime::kGoldenModels) {
    for (const bool kept : {true, false}) {
      const auto file = OpenBytes(GoldenBytes(name));
      LoraConfig lora;
      lora.rank = 4;
      Pretrained model(file, lora);
      model.SetCheckpointing(!kept);
      Shake(&model);
      const Batch batch = RaggedBatch(*file);
      const LossOptions smooth{kept ? 0.1 : 0.0};
      const torch::Tensor plain = model.ComputeLoss(batch, 0, smooth).value;
      plain.backward();
      const auto gradients = TakeGradients(&model);
      torch::Tensor narrow;
      {
        const InBf16 autocast;
        ASSERT_TRUE(fused::Enabled());
        narrow = model.ComputeLoss(batch, 0, smooth).value;
      }
      narrow.backward();
      EXPECT_NEAR(narrow.item<double>(), plain.item<double>(), 0.02 * plain.item<double>()) << name;
      size_t i = 0;
      for (const auto& item : model.named_parameters()) {
        EXPECT_LT(Distance(item.value().grad(), gradients[i++]), 0.15) << name << " " << item.key();
      }
    }
  }
}

// Preferences measure against the model without its adapters, in both forms of the computation.
TEST(Pretrained, PreferencesBeginWhereTheModelIs) {
  for (const char* name : {"dpo", "ipo", "orpo", "kto"}) {
    Table table = Table::Parse(Cat("objective = \"", name, "\""), "test");
    const ObjectiveConfig objective = ReadObjective(table);
    const auto file = OpenBytes(GoldenBytes("llama"));
    LoraConfig lora;
    lora.rank = 4;
    Pretrained model(file, lora, objective);
    Batch batch = RaggedBatch(*file);
    batch.marks = torch::tensor({1.0f});
    EXPECT_EQ(model.Count(batch, 0), 1);
    if (objective.objective->reference) {
      const Loss fresh = model.ComputeLoss(batch, 0, {});
      const double expected = std::string(name) == "dpo" ? std::log(2.0) : std::string(name) == "ipo" ? 25 : 0.5;
      EXPECT_NEAR(fresh.value.item<double>(), expected, 1e-5) << name;
    }
    Shake(&model);
    const Loss plain = model.ComputeLoss(batch, 0, {});
    plain.value.backward();
    const auto gradients = TakeGradients(&model);
    Loss narrow;
    {
      const InBf16 autocast;
      narrow = model.ComputeLoss(batch, 0, {});
    }
    narrow.value.backward();
    EXPECT_NEAR(narrow.value.item<double>(), plain.value.item<double>(), 0.03 * plain.value.item<double>()) << name;
    torch::Tensor all, other;
    const auto now = TakeGradients(&model);
    for (size_t i = 0; i < now.size(); ++i) {
      const torch::Tensor a = now[i].flatten(), b = gradients[i].flatten();
      all = all.defined() ? torch::cat({all, a}) : a, other = other.defined() ? torch::cat({other, b}) : b;
    }
    EXPECT_LT(Distance(all, other), 0.1) << name;
  }
}

// What it costs to leave the model as it was on other text: plain arithmetic over all logits, value and gradients.
TEST(Pretrained, KeptTextCostsWhatItsWordsBecameLessLike) {
  for (const char* name : {"llama", "gemma3"}) {
    const auto file = OpenBytes(GoldenBytes(name));
    LoraConfig lora;
    lora.rank = 3;
    Pretrained model(file, lora), as_it_was(file, {});
    as_it_was.eval();
    const Batch batch = TwoRows(*file);
    Batch text;
    text.inputs = Tokens(*file, 20).view({2, 10}).flip(1).contiguous(), text.targets = text.inputs.roll(-1, 1);
    std::vector<uint64_t> seeds;
    model.SetKept([&](uint64_t seed) { return seeds.push_back(seed), text; }, 0.25);
    EXPECT_EQ(model.ComputeLoss(batch, 0, {}).details.at("kept"), 0) << "nothing has been learned";
    Shake(&model);
    const Loss loss = model.ComputeLoss(batch, 0, {});
    loss.value.backward();
    const auto gradients = TakeGradients(&model);
    EXPECT_EQ(seeds.size(), 2u);
    EXPECT_NE(seeds[0], seeds[1]) << "other rows at each step";

    const auto logprobs = [&](Pretrained* of) {
      return torch::log_softmax(of->Logits(of->Hidden(text.inputs)).to(torch::kFloat32), -1);
    };
    torch::Tensor before;
    {
      const torch::NoGradGuard no_gradient;
      before = logprobs(&as_it_was);
    }
    const torch::Tensor away = (before.exp() * (before - logprobs(&model))).sum(-1).mean();
    model.eval();
    const Loss own = model.ComputeLoss(batch, 0, {});
    EXPECT_FALSE(own.details.contains("kept")) << "validation is of what is learned";
    const torch::Tensor wanted = own.value + 0.25 * away;
    wanted.backward();
    EXPECT_GT(away.item<double>(), 1e-3);
    EXPECT_NEAR(loss.details.at("kept"), away.item<double>(), 1e-5 * away.item<double>() + 1e-6) << name;
    EXPECT_NEAR(loss.value.item<double>(), wanted.item<double>(), 1e-5 * wanted.item<double>()) << name;
    const auto plain = TakeGradients(&model);
    for (size_t i = 0; i < plain.size(); ++i) EXPECT_LT(Distance(gradients[i], plain[i]), 1e-4) << name << " " << i;
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

TEST(FrozenHead, HasThePlainLossesAndGradients) {
  torch::manual_seed(6);
  // Scores of one round and of several; a last block that is no whole panel.
  for (const auto& [words, width, rows] :
       std::vector<std::tuple<int64_t, int64_t, int64_t>>{{1000, 64, 5}, {9001, 96, 33}, {600000, 32, 70}}) {
    for (const double smoothing : {0.0, 0.1}) {
      if (words > 10000 && smoothing > 0) continue;
      const auto type = words > 10000 ? artefact::TensorType::kF32 : artefact::TensorType::kQ8_0;
      const FrozenMatrix w(MatrixFile(type, words, width), "w", words, width);
      const torch::Tensor x = torch::randn({rows, width}).to(torch::kBFloat16).requires_grad_();
      const torch::Tensor plain_x = x.detach().to(torch::kFloat32).requires_grad_();
      const torch::Tensor labels = torch::randint(0, words, {rows}), d = torch::randn({rows});
      const torch::Tensor loss = fused::FrozenHead(x, w, labels, smoothing);
      namespace F = torch::nn::functional;
      const torch::Tensor plain =
          F::cross_entropy(torch::linear(plain_x, w.Expanded()), labels,
                           F::CrossEntropyFuncOptions().reduction(torch::kNone).label_smoothing(smoothing));
      loss.backward(d);
      plain.backward(d);
      EXPECT_LT((loss - plain).abs().max().item<double>(), 0.02 * plain.abs().max().item<double>()) << words;
      EXPECT_LT(Distance(x.grad().to(torch::kFloat32), plain_x.grad()), 0.02) << words;
      const torch::NoGradGuard no_gradient;
      EXPECT_TRUE(torch::equal(fused::FrozenHead(x, w, labels, smoothing), loss)) << "without a gradient";
    }
  }
  const FrozenMatrix w(MatrixFile(artefact::TensorType::kF32, 64, 32), "w", 64, 32);
  for (const int64_t label : {-1, 64}) {
    EXPECT_THROW(fused::FrozenHead(torch::zeros({1, 32}, torch::kBFloat16), w, torch::full({1}, label), 0), Error);
  }
}

TEST(AdaptedLinear, HasThePlainValuesAndGradients) {
  torch::manual_seed(7);
  for (const int64_t rank : {1, 3, 16}) {
    const FrozenMatrix w(MatrixFile(artefact::TensorType::kQ8_0, 200, 96), "w", 200, 96);
    const torch::Tensor x = torch::randn({37, 96}).to(torch::kBFloat16).requires_grad_();
    const torch::Tensor plain_x = x.detach().to(torch::kFloat32).requires_grad_(), bias = torch::randn({200});
    const torch::Tensor a = torch::randn({rank, 96}).requires_grad_(), b = torch::randn({200, rank}).requires_grad_();
    const torch::Tensor plain_a = a.detach().clone().requires_grad_(), plain_b = b.detach().clone().requires_grad_();
    const torch::Tensor d = torch::randn({37, 200});
    const torch::Tensor y = fused::AdaptedLinear(x, w, bias, {a, b, 0.7});
    const torch::Tensor plain =
        torch::linear(plain_x, w.Expanded(), bias) + 0.7 * torch::linear(torch::linear(plain_x, plain_a), plain_b);
    y.backward(d.to(torch::kBFloat16));
    plain.backward(d);
    EXPECT_LT(Distance(y.to(torch::kFloat32), plain), 0.01) << rank;
    EXPECT_LT(Distance(x.grad().to(torch::kFloat32), plain_x.grad()), 0.02) << rank;
    EXPECT_LT(Distance(a.grad(), plain_a.grad()), 0.02) << rank;
    EXPECT_LT(Distance(b.grad(), plain_b.grad()), 0.02) << rank;
    const torch::Tensor left = fused::AdaptedLinear(x.detach(), w, {}, {});
    EXPECT_LT(Distance(left.to(torch::kFloat32), torch::linear(plain_x.detach(), w.Expanded())), 0.01);
  }
}

TEST(FrozenLinear, RefusesAnotherShape) {
  EXPECT_THROW(FrozenMatrix(MatrixFile(artefact::TensorType::kF32, 4, 8), "w", 8, 4), Error);
  EXPECT_THROW(FrozenMatrix(MatrixFile(artefact::TensorType::kF32, 4, 8), "v", 4, 8), Error);
}

}  // namespace
}  // namespace atelier::model
