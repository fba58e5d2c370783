// Choices out of files: what becomes of odd ones, and what a batch holds.
#include "train/examples_choices.h"

#include <gtest/gtest.h>

#include <set>

#include "artefact/gguf_tokenizer.h"
#include "artefact/memory_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/golden_model.h"
#include "runtime/local_embedder.h"

namespace atelier::train {
namespace {

class ChoiceExamplesTest : public testing::Test {
 protected:
  ChoiceExamplesTest() { data_.sequence_length = 30; }
  ~ChoiceExamplesTest() override { RemoveFile(path_); }

  std::unique_ptr<Examples> Of(const std::string& lines) {
    WriteFileAtomic(path_, lines);
    report_ = {};
    return ChoiceExamples(Records(path_, "", {Records::kAllFields}), data_, start_.path(), *tokenizer_, &report_);
  }
  std::vector<int32_t> Row(const model::Batch& batch, int64_t row) const {
    std::vector<int32_t> ids;
    for (int64_t t = 0; t < batch.lengths[row].item<int64_t>(); ++t)
      ids.push_back(static_cast<int32_t>(batch.inputs[row][t].item<int64_t>()));
    return ids;
  }

  const std::string path_ = Cat(testing::TempDir(), "/choices-", getpid(), ".jsonl");
  // An encoder that wants words before a text, as e5 does.
  static std::string WithPrefix() {
    return runtime::Rewritten(runtime::GoldenBytes("../encoder/bert"), nullptr,
                              [](const std::string& key, artefact::GgufWriter* writer) {
                                if (key == "general.architecture")
                                  writer->Set("atelier.query_prefix", std::string("b c: "));
                                return true;
                              });
  }

  artefact::MemoryFile start_{WithPrefix()};
  std::unique_ptr<text::Tokenizer> tokenizer_ =
      text::MakeTokenizer(artefact::SpecFromGguf(*artefact::GgufFile::Open(start_.path())));
  DataSettings data_;
  ExamplesReport report_;
};

TEST_F(ChoiceExamplesTest, ABatchHasOptionsThenContexts) {
  const auto examples = Of(
      R"({"context":"a b a","options":[{"text":"好评","gain":3},{"text":"a b"},{"text":"c","gain":1}],"weight":2,"group":7})"
      "\n"
      R"({"options":[{"text":"a"},{"text":"b"}]})"
      "\n"
      R"({"options":[{"text":"a","clicked":true}]})"
      "\n"
      R"({"prompt":"c c","chosen":"好","rejected":"坏 🙂","by":"whoever"})"
      "\n");
  EXPECT_EQ(examples->size(), 2);
  EXPECT_EQ(report_.records, 4);
  EXPECT_EQ(report_.empty, 2) << "nothing was taken; nothing stood beside it";
  EXPECT_EQ(examples->Describe(1), "record 4");
  const model::Batch batch = examples->Collate(std::vector<int64_t>{1, 0}, Rng(1));
  ASSERT_EQ(batch.rows(), 7);
  EXPECT_TRUE(torch::equal(batch.targets, torch::tensor({0, 0, 1, 1, 1}, torch::kInt64)));
  EXPECT_TRUE(torch::allclose(batch.marks, torch::tensor({1.0, 0.0, 1.5, 0.0, 0.5}, torch::kFloat32) / 1.5))
      << "weights 1 and 2, beside their mean";
  // Cut as the engine cuts them, which is what a ranker's vectors come from.
  const auto engine = runtime::LoadEmbedder(start_.path(), "bert", "", 1);
  const auto read =
      engine->ReadTokens({"好", "坏 🙂", "好评", "a b", "c", "c c", "a b a"}, artefact::Embedder::Role::kQuery);
  for (size_t i = 0; i < read.size(); ++i) EXPECT_EQ(Row(batch, static_cast<int64_t>(i)), read[i].ids) << i;
  EXPECT_EQ(examples->Length(0),
            std::ssize(read[2].ids) > std::ssize(read[3].ids) ? std::ssize(read[2].ids) : std::ssize(read[3].ids));
}

TEST_F(ChoiceExamplesTest, LongOnesAreCutAndEndAsTheyShould) {
  data_.sequence_length = 5;
  const auto examples = Of(R"({"options":[{"text":"a b c d e f g h","clicked":true},{"text":"b"}]})");
  EXPECT_EQ(report_.truncated, 1);
  const model::Batch batch = examples->Collate(std::vector<int64_t>{0}, Rng(1));
  EXPECT_EQ(Row(batch, 0).size(), 5u);
  EXPECT_EQ(Row(batch, 0).back(), tokenizer_->eos());
}

TEST_F(ChoiceExamplesTest, OfManyOptionsSomeAreComparedEachTime) {
  std::string options;
  for (int i = 0; i < 100; ++i)
    options += Cat(i ? "," : "", R"({"text":")", i, R"(","clicked":)", i == 70 ? "true}" : "false}");
  const auto examples = Of(Cat(R"({"options":[)", options, "]}"));
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const model::Batch batch = examples->Collate(std::vector<int64_t>{0}, Rng(seed));
    ASSERT_EQ(batch.targets.size(0), static_cast<int64_t>(kMostCompared));
    EXPECT_EQ(batch.marks.sum().item<float>(), 1) << "what was taken is among them";
    std::string rows;
    for (int64_t i = 0; i < batch.targets.size(0); ++i) rows += Cat(" ", tokenizer_->Decode(Row(batch, i)));
    seen.insert(rows);
  }
  EXPECT_EQ(seen.size(), 8u);
  // All but one were taken: that one is there, or nothing would be compared.
  const auto most = Of(ReplaceAll(
      ReplaceAll(ReplaceAll(Cat(R"({"options":[)", options, "]}"), "false", "x"), "true", "false"), "x}", "true}"));
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const model::Batch batch = most->Collate(std::vector<int64_t>{0}, Rng(seed));
    EXPECT_EQ(batch.marks.eq(0).sum().item<int64_t>(), 1);
  }
}

TEST_F(ChoiceExamplesTest, RefusesWhatSaysNothing) {
  for (const auto& [lines, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"({"options":[{"text":"a"},{"text":"b"}]})", "no choice says"},
           {R"({"text":"a"})", "record 1"},
           {R"({"options":[{"text":"a","clicked":1},{"text":"b"}]})", "clicked"}}) {
    try {
      Of(lines);
      FAIL() << lines;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput);
      EXPECT_NE(error.Line().find(part), std::string::npos) << error.Line();
    }
  }
}

}  // namespace
}  // namespace atelier::train
