#include "train/sample_text.h"

#include <gtest/gtest.h>

#include "base/config.h"
#include "model/zoo.h"
#include "train/arena.h"
#include "train/optimiser.h"
#include "train/run_tokenizer.h"

namespace atelier::train {
namespace {

// A recurrent model that has learned one line says it, from its begin and from within.
TEST(SampleText, SaysWhatARecurrentModelHasLearned) {
  at::set_num_threads(1);
  const auto tokenizer = text::MakeTokenizer(ByteTokenizer());
  const std::string line = "春眠不觉晓";
  std::vector<int64_t> ids = {tokenizer->bos()};
  for (const text::TokenId id : tokenizer->Encode(line)) ids.push_back(id);
  ids.push_back(tokenizer->eos());
  const torch::Tensor row = torch::tensor(ids).unsqueeze(0);
  for (const char* name : {"lstm", "gru"}) {
    Table table = Table::Parse("embedding = 16\nwidth = 32\nlayers = 1\n", "test");
    model::DataShape shape;
    shape.vocabulary = tokenizer->vocab_size();
    torch::manual_seed(1);
    const auto model = model::FindArchitecture(name, table).make(table, shape);
    Arena arena(*model, model->Parts()[0]);
    OptimiserSettings settings;
    settings.rate = 0.02;
    const auto optimiser = MakeOptimiser(settings, arena);
    model::Batch batch;
    batch.inputs = row.narrow(1, 0, row.size(1) - 1);
    batch.targets = row.narrow(1, 1, row.size(1) - 1);
    for (int step = 0; step < 150; ++step) {
      model->ComputeLoss(batch, 0, {}).value.backward();
      optimiser->Step(settings.rate, 1);
    }
    model->eval();
    auto* language = dynamic_cast<model::LanguageModel*>(model.get());
    ASSERT_NE(language, nullptr) << name;
    EXPECT_EQ(SampleText(*language, *tokenizer, {.prompt = "", .samples = 1, .temperature = 0})[0], line) << name;
    const auto texts = SampleText(*language, *tokenizer, {.prompt = "春眠", .samples = 2, .temperature = 0});
    EXPECT_EQ(texts, (std::vector<std::string>{line, line})) << name;
  }
}

}  // namespace
}  // namespace atelier::train
