// An encoder that learns from choices: its losses against plain arithmetic, and its vectors in the engine once what it
// learned is laid into the file.
#include "model/bert_ranker.h"

#include <gtest/gtest.h>

#include <cmath>

#include "artefact/memory_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "model/bert_testing.h"
#include "runtime/golden_model.h"
#include "runtime/local_embedder.h"
#include "runtime/merge.h"

namespace atelier::model {
namespace {

std::shared_ptr<BertRanker> Made(const std::string& path, const std::string& keys) {
  Table table = Table::Parse(Cat("init = \"", path, "\"\n", keys), "test.toml");
  torch::manual_seed(3);
  const auto model =
      std::dynamic_pointer_cast<BertRanker>(FindArchitecture("bert_ranker", table).make(table, ShapeBeside(path)));
  table.Done();
  const torch::NoGradGuard no_gradient;
  for (const auto& item : model->named_parameters()) {  // an adapter that has learned
    torch::Tensor parameter = item.value();
    if (item.key().ends_with("lora_b")) parameter.normal_(0, 0.3);
  }
  model->eval();
  return model;
}

// Three choices of 3, 2 and 4 options, of weights 2, 0.5 and 1, and their contexts.
Batch ThreeChoices() {
  torch::manual_seed(5);
  Batch batch;
  batch.inputs = torch::randint(5, 40, {12, 7}, torch::kInt64);
  batch.lengths = torch::tensor({7, 3, 5, 2, 7, 4, 4, 6, 1, 7, 2, 5}, torch::kInt64);
  batch.targets = torch::tensor({0, 0, 0, 1, 1, 2, 2, 2, 2}, torch::kInt64);
  batch.marks = torch::tensor({0.0, 1.5, 0.5, 0.0, 0.5, 0.25, 0.0, 0.75, 0.0}, torch::kFloat32);
  return batch;
}

TEST(BertRanker, LossesAreThoseOfThePapers) {
  const artefact::MemoryFile memory(runtime::GoldenBytes("../encoder/bert"));
  const Batch batch = ThreeChoices();
  const std::vector<std::pair<size_t, size_t>> choices = {{0, 3}, {3, 5}, {5, 9}};
  for (const bool listwise : {false, true}) {
    for (const bool product : {false, true}) {
      SCOPED_TRACE(Cat(listwise, product));
      const auto model =
          Made(memory.path(), Cat("rank = 2\ndropout = 0.0\nloss = \"", listwise ? "listwise" : "pairwise",
                                  "\"\nproduct = ", product ? "true\n" : "false\n"));
      const torch::Tensor scores = model->Scores(batch).detach();
      const auto s = [&](size_t i) { return static_cast<double>(scores[static_cast<int64_t>(i)].item<float>()); };
      const auto m = [&](size_t i) { return static_cast<double>(batch.marks[static_cast<int64_t>(i)].item<float>()); };
      double sum = 0, right = 0;
      for (const auto& [begin, end] : choices) {
        double weight = 0, all = 0, wrong = 0, list = 0, pairs = 0, ordered = 0;
        for (size_t i = begin; i < end; ++i) weight += m(i), all += std::exp(s(i));
        for (size_t a = begin; a < end; ++a) {
          list -= m(a) * (s(a) - std::log(all));
          for (size_t b = begin; b < end; ++b) {
            if (!(m(a) > m(b))) continue;
            pairs += 1, wrong += std::log1p(std::exp(s(b) - s(a))), ordered += s(a) > s(b);
          }
        }
        sum += listwise ? list : weight * wrong / pairs;
        right += ordered / pairs;
      }
      const Loss loss = model->ComputeLoss(batch, 0, {});
      EXPECT_NEAR(loss.value.item<double>(), sum / 3, 1e-5 * sum);
      EXPECT_NEAR(loss.details.at("pair_accuracy"), right / 3, 1e-6);
      EXPECT_EQ(model->Count(batch, 0), 3);
      loss.Backward();
      for (const auto& item : model->named_parameters()) {
        ASSERT_TRUE(item.value().grad().defined()) << item.key();
        EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
      }
      EXPECT_EQ(model->named_parameters().contains("product"), product);
      Batch other = batch;  // another context of the second choice
      other.inputs = batch.inputs.clone();
      other.inputs[10].fill_(7);
      const torch::Tensor same = model->Scores(other).eq(scores);
      EXPECT_TRUE(torch::equal(same, batch.targets.ne(1).logical_or(torch::full({9}, !product))));
    }
  }
}

TEST(BertRanker, TheEngineHasItsVectors) {
  const artefact::MemoryFile memory(runtime::GoldenBytes("../encoder/bert"));
  const auto model = Made(memory.path(), "rank = 2\ndropout = 0.0\n");
  const std::string to = Cat(testing::TempDir(), "/", getpid(), "-taught.gguf");
  const artefact::Adapter adapter = model->ToAdapter();
  EXPECT_EQ(adapter.pairs.size(), 12u) << "six layers in each of two blocks";
  runtime::MergeAdapter(*model->base(), adapter, {.format = kernel::Format::kF32}, to);
  const std::vector<std::string> texts = {"好评", "a b c", "退货 🙂", "", "茶", "1 2 3"};
  const auto scores_of = [&](const std::string& path) {
    const auto embedder = runtime::LoadEmbedder(path, "taught", "", 1);
    const std::vector<float> vectors = embedder->Embed(texts, artefact::Embedder::Role::kQuery);
    const torch::Tensor e = torch::tensor(vectors).view({-1, embedder->dims()});
    return 20 * e.matmul(model->named_parameters()["text"].detach());
  };
  const auto embedder = runtime::LoadEmbedder(memory.path(), "as it was", "", 1);
  Batch batch;
  batch.inputs = torch::zeros({6, 30}, torch::kInt64), batch.lengths = torch::zeros({6}, torch::kInt64);
  batch.targets = torch::zeros({6}, torch::kInt64);
  const auto tokens = embedder->ReadTokens(texts, artefact::Embedder::Role::kQuery);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    batch.lengths[row] = std::ssize(tokens[i].ids);
    for (size_t t = 0; t < tokens[i].ids.size(); ++t) batch.inputs[row][static_cast<int64_t>(t)] = tokens[i].ids[t];
  }
  const torch::Tensor ours = model->Scores(batch).detach();
  const double off = (ours - scores_of(to)).abs().max().item<double>();
  EXPECT_LT(off, 0.02 * (ours - scores_of(memory.path())).abs().max().item<double>()) << "what it learned is there";
  RemoveFile(to);
}

TEST(BertRanker, RefusesWhatItCannotBe) {
  const artefact::MemoryFile memory(runtime::GoldenBytes("../encoder/bert"));
  for (const auto& [keys, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"rank = 2\nloss = \"hinge\"\n", "neither pairwise nor listwise"}, {"loss = \"listwise\"\n", "rank"}}) {
    try {
      Made(memory.path(), keys);
      FAIL() << keys;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput);
      EXPECT_NE(error.Line().find(part), std::string::npos) << error.Line();
    }
  }
}

}  // namespace
}  // namespace atelier::model
