// Pairs of replies and judged replies as batches, over the tiny vocabulary of tests/golden/archs.
#include "train/examples_preferences.h"

#include <gtest/gtest.h>

#include "artefact/gguf_tokenizer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/golden_model.h"

namespace atelier::train {
namespace {

class PreferencesTest : public ::testing::Test {
 protected:
  void Load(const std::string& chat_template) {
    const auto change = [&](const std::string& key, artefact::GgufWriter* writer) {
      if (key == "general.name" && !chat_template.empty()) writer->Set("tokenizer.chat_template", chat_template);
      return true;
    };
    path_ = Cat(::testing::TempDir(), "/", getpid(), "-preferences.gguf");
    WriteFileAtomic(path_, runtime::Rewritten(runtime::GoldenBytes("qwen2"), nullptr, change));
    tokenizer_ = text::MakeTokenizer(artefact::SpecFromGguf(*artefact::GgufFile::Open(path_)));
  }
  void TearDown() override { RemoveFile(path_); }

  template <typename Maker>
  std::unique_ptr<Examples> Made(Maker make, const std::vector<Json>& lines) {
    const std::string file = Cat(::testing::TempDir(), "/", getpid(), "-preferences.jsonl");
    std::string text;
    for (const Json& line : lines) text += ToText(line) + "\n";
    WriteFileAtomic(file, text);
    report_ = {};
    const Records records(file, "", {"messages", "prompt", "response", "chosen", "rejected"});
    auto examples = make(records, data_, ReplyFormat(path_, *tokenizer_, data_), &report_);
    RemoveFile(file);
    return examples;
  }
  template <typename Maker>
  std::string Refused(Maker make, const std::vector<Json>& lines) {
    try {
      Made(make, lines);
      return "taken";
    } catch (const Error& error) {
      return error.Line();
    }
  }
  // A row's text with what is asked for in brackets.
  std::string Shown(const model::Batch& batch, int64_t row) const {
    std::string out;
    bool open = false;
    for (int64_t t = 0; t < batch.lengths[row].item<int64_t>(); ++t) {
      const auto token = static_cast<text::TokenId>(batch.inputs[row][t].item<int64_t>());
      out += tokenizer_->Piece(token, true);
      const int64_t target = batch.targets[row][t].item<int64_t>();
      if ((target != model::kIgnored) != open) out += (open = !open) ? "[" : "]";
      if (target != model::kIgnored && t + 1 == batch.lengths[row].item<int64_t>())
        out += tokenizer_->Piece(static_cast<text::TokenId>(target), true) + "]";
    }
    return out;
  }

  std::string path_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  DataSettings data_;
  ExamplesReport report_;
};

TEST_F(PreferencesTest, AllChosenThenAllRejected) {
  Load("");
  const auto examples = Made(PreferenceExamples, {{{"prompt", "a: "}, {"chosen", "你好"}, {"rejected", "no 🎈"}},
                                                  {{"prompt", "b: "}, {"chosen", "yes"}, {"rejected", "never"}}});
  ASSERT_EQ(examples->size(), 2);
  const std::vector<int64_t> rows = {1, 0};
  const model::Batch batch = examples->Collate(rows, Rng(1));
  ASSERT_EQ(batch.rows(), 4);
  EXPECT_EQ(Shown(batch, 0), "<|begin|>b: [yes<|end|>]");
  EXPECT_EQ(Shown(batch, 1), "<|begin|>a: [你好<|end|>]");
  EXPECT_EQ(Shown(batch, 2), "<|begin|>b: [never<|end|>]");
  EXPECT_EQ(Shown(batch, 3), "<|begin|>a: [no 🎈<|end|>]");
  EXPECT_FALSE(batch.marks.defined());
  EXPECT_EQ(examples->Describe(1), "record 2");
}

TEST_F(PreferencesTest, OfConversationsTheLastReplyAlone) {
  Load(runtime::kChatMl);
  const Json prompt = {{{"role", "user"}, {"content", "一"}},
                       {{"role", "assistant"}, {"content", "二"}},
                       {{"role", "user"}, {"content", "三"}}};
  const Json chosen = {{{"role", "assistant"}, {"content", "四"}}};
  const auto examples = Made(PreferenceExamples, {{{"prompt", prompt}, {"chosen", chosen}, {"rejected", "5"}}});
  const std::vector<int64_t> rows = {0};
  const model::Batch batch = examples->Collate(rows, Rng(1));
  const std::string given =
      "<|begin|><|im_start|>user\n一<|im_end|>\n<|im_start|>assistant\n二<|im_end|>\n<|im_start|>user\n三<|im_end|>\n"
      "<|im_start|>assistant\n";
  EXPECT_EQ(Shown(batch, 0), given + "[四<|im_end|>]");
  EXPECT_EQ(Shown(batch, 1), given + "[5<|im_end|>]");
  const Json bad = {{{"role", "user"}, {"content", "四"}}};
  EXPECT_NE(Refused(PreferenceExamples, {{{"prompt", prompt}, {"chosen", bad}, {"rejected", "5"}}}).find("record 1"),
            std::string::npos);
}

TEST_F(PreferencesTest, WhatPrefersNothingIsCountedAsEmpty) {
  Load("");
  const auto examples = Made(PreferenceExamples, {{{"prompt", "a"}, {"chosen", "same"}, {"rejected", "same"}},
                                                  {{"prompt", "a"}, {"chosen", " "}, {"rejected", "b"}},
                                                  {{"prompt", ""}, {"chosen", "c"}, {"rejected", "b"}},
                                                  {{"prompt", "a"}, {"chosen", nullptr}, {"rejected", "b"}},
                                                  {{"prompt", "a"}, {"chosen", "one"}, {"rejected", "two"}}});
  EXPECT_EQ(examples->size(), 1);
  EXPECT_EQ(report_.records, 5);
  EXPECT_EQ(report_.empty, 4);
  EXPECT_NE(
      Refused(PreferenceExamples, {{{"prompt", "a"}, {"chosen", "x"}, {"rejected", "x"}}}).find("no record has two"),
      std::string::npos);
  EXPECT_NE(Refused(PreferenceExamples, {{{"prompt", "a"}, {"chosen", "x"}}}).find("rejected"), std::string::npos);
}

TEST_F(PreferencesTest, PairsThatAreAlikeOnceCutPreferNothing) {
  Load("");
  const std::string shared(60, 'x');
  data_.sequence_length = 20;
  const std::vector<Json> lines = {{{"prompt", "a"}, {"chosen", shared + "1"}, {"rejected", shared + "2"}}};
  EXPECT_NE(Refused(PreferenceExamples, lines).find("no record has two"), std::string::npos);
  EXPECT_EQ(report_.empty, 1);
  data_.long_records = "drop";
  Refused(PreferenceExamples, lines);
  EXPECT_EQ(report_.dropped, 1);
}

TEST_F(PreferencesTest, JudgedRepliesAndThoseOfTheNextRecord) {
  Load("");
  const auto examples = Made(JudgedExamples, {{{"prompt", "a: "}, {"response", "good"}, {"label", true}},
                                              {{"prompt", "bb: "}, {"response", "bad"}, {"label", 0}},
                                              {{"prompt", "c: "}, {"response", "好"}, {"label", "True"}}});
  ASSERT_EQ(examples->size(), 3);
  const std::vector<int64_t> rows = {2, 0, 1};
  const model::Batch batch = examples->Collate(rows, Rng(1));
  ASSERT_EQ(batch.rows(), 6);
  EXPECT_EQ(Shown(batch, 0), "<|begin|>c: [好<|end|>]");
  EXPECT_EQ(Shown(batch, 1), "<|begin|>a: [good<|end|>]");
  // Behind them the same prompts, each with the reply to another.
  for (const auto& [row, prompt, own] : std::vector<std::tuple<int64_t, std::string, std::string>>{
           {3, "c: ", "好"}, {4, "a: ", "good"}, {5, "bb: ", "bad"}}) {
    const std::string shown = Shown(batch, row);
    EXPECT_TRUE(shown.starts_with("<|begin|>" + prompt + "[")) << shown;
    EXPECT_EQ(shown.find("[" + own + "<"), std::string::npos) << shown;
  }
  EXPECT_TRUE(torch::equal(batch.marks, torch::tensor({1.0f, 1.0f, -1.0f})));
  const Json wanted = {{"prompt", "a"}, {"response", "x"}, {"label", true}};
  EXPECT_NE(Refused(JudgedExamples, {wanted, wanted}).find("all replies are wanted"), std::string::npos);
  for (const Json& label : {Json("maybe"), Json(2), Json(nullptr)}) {
    const std::string why = Refused(JudgedExamples, {wanted, {{"prompt", "a"}, {"response", "x"}, {"label", label}}});
    EXPECT_NE(why.find("record 2: the field 'label'"), std::string::npos) << why;
  }
  EXPECT_NE(Refused(JudgedExamples, {{{"prompt", "a"}, {"response", "x"}}}).find("is missing"), std::string::npos);
}

}  // namespace
}  // namespace atelier::train
