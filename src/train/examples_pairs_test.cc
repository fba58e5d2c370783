#include "train/examples_pairs.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "train/run_tokenizer.h"

namespace atelier::train {
namespace {

std::string Write(const std::string& name, const std::string& bytes) {
  const std::string path = testing::TempDir() + "/examples_pairs_" + name;
  WriteFileAtomic(path, bytes);
  return path;
}

constexpr int64_t kBegin = 0, kEnd = 1, kPad = 2;  // of the tokenizer of bytes

DataSettings Settings(int64_t source_length, int64_t sequence_length, const std::string& long_records = "truncate") {
  DataSettings data;
  data.source = "en";
  data.target = "zh";
  data.source_length = source_length;
  data.sequence_length = sequence_length;
  data.long_records = long_records;
  return data;
}

std::vector<int64_t> Row(const torch::Tensor& ids, int64_t row) {
  const torch::Tensor one = ids[row].contiguous();
  return {one.data_ptr<int64_t>(), one.data_ptr<int64_t>() + one.numel()};
}

std::vector<int64_t> Ids(const std::string& text) {
  const auto tokens = text::MakeTokenizer(ByteTokenizer())->Encode(text);
  return {tokens.begin(), tokens.end()};
}

class Pairs : public testing::Test {
 protected:
  std::unique_ptr<Examples> Make(const std::string& path, const DataSettings& data) {
    report_ = {};
    return PairExamples(Records(path, ""), data, *tokenizer_, *tokenizer_, &report_);
  }
  std::unique_ptr<text::Tokenizer> tokenizer_ = text::MakeTokenizer(ByteTokenizer());
  ExamplesReport report_;
};

TEST_F(Pairs, HaveMarksAndPadding) {
  const std::string path =
      Write("marks.jsonl",
            "{\"en\":\"ab\",\"zh\":\"wxyz\"}\n{\"en\":\"\",\"zh\":\"空\"}\n{\"en\":\"空\",\"zh\":\" "
            "\\t\"}\n{\"en\":\"c\",\"zh\":\"好\"}\n{\"en\":\"🙂\",\"zh\":\"v\"}\n");
  const auto examples = Make(path, Settings(20, 20));
  ASSERT_EQ(examples->size(), 3);
  EXPECT_EQ(report_.records, 5);
  EXPECT_EQ(report_.empty, 2);
  EXPECT_EQ(report_.truncated + report_.dropped, 0);
  EXPECT_EQ(report_.characters, 6 + 2 + 2);
  EXPECT_EQ(examples->Describe(1), "record 4");
  const model::Batch batch = examples->Collate(std::vector<int64_t>{0, 1, 2}, Rng(1));
  const auto b = [](char c) { return Ids(std::string(1, c))[0]; };
  EXPECT_EQ(Row(batch.source, 0), (std::vector<int64_t>{b('a'), b('b'), kEnd, kPad, kPad}));
  EXPECT_EQ(Row(batch.inputs, 0), (std::vector<int64_t>{kBegin, b('w'), b('x'), b('y'), b('z')}));
  EXPECT_EQ(Row(batch.targets, 0), (std::vector<int64_t>{b('w'), b('x'), b('y'), b('z'), kEnd}));
  const std::vector<int64_t> good = Ids("好");
  ASSERT_EQ(good.size(), 3u);
  EXPECT_EQ(Row(batch.inputs, 1), (std::vector<int64_t>{kBegin, good[0], good[1], good[2], kPad}));
  EXPECT_EQ(Row(batch.targets, 1), (std::vector<int64_t>{good[0], good[1], good[2], kEnd, model::kIgnored}));
  EXPECT_EQ(Row(batch.targets, 2),
            (std::vector<int64_t>{b('v'), kEnd, model::kIgnored, model::kIgnored, model::kIgnored}));
  EXPECT_EQ((std::vector<int64_t>{5, 4, 2}), Row(batch.lengths.unsqueeze(0), 0));
  EXPECT_EQ((std::vector<int64_t>{3, 2, 5}), Row(batch.source_lengths.unsqueeze(0), 0));
  // Rows are alike in length of both together.
  EXPECT_EQ(examples->Length(0), 3 + 5);
  EXPECT_EQ(examples->Length(2), 5 + 2);
}

TEST_F(Pairs, CutOrDropWhatIsTooLong) {
  std::string lines;
  lines += "{\"en\":\"abcd\",\"zh\":\"wxyz\"}\n";  // fits to the token
  lines += "{\"en\":\"abcde\",\"zh\":\"w\"}\n";    // the source does not
  lines += "{\"en\":\"a\",\"zh\":\"vwxyz\"}\n";    // the target does not
  lines += "{\"en\":\"" + std::string(100'000, 'a') + "\",\"zh\":\"" + std::string(100'000, 'z') + "\"}\n";
  const std::string path = Write("long.jsonl", lines);
  auto examples = Make(path, Settings(5, 5));
  EXPECT_EQ(examples->size(), 4);
  EXPECT_EQ(report_.truncated, 3);
  const model::Batch batch = examples->Collate(std::vector<int64_t>{0, 1, 2, 3}, Rng(1));
  EXPECT_EQ(batch.source.size(1), 5);
  EXPECT_EQ(batch.inputs.size(1), 5);
  EXPECT_EQ(Row(batch.source, 1), [] {
    std::vector<int64_t> ids = Ids("abcd");
    ids.push_back(kEnd);
    return ids;
  }());
  EXPECT_EQ(Row(batch.targets, 2).back(), kEnd);
  examples = Make(path, Settings(5, 5, "drop"));
  EXPECT_EQ(examples->size(), 1);
  EXPECT_EQ(report_.dropped, 3);
  EXPECT_EQ(report_.truncated, 0);
}

TEST_F(Pairs, NameTheRecordThatLacksAField) {
  const std::string path = Write("missing.jsonl", "{\"en\":\"a\",\"zh\":\"b\"}\n{\"en\":\"a\",\"中文\":\"b\"}\n");
  try {
    Make(path, Settings(9, 9));
    FAIL() << "a record without a target passed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    EXPECT_NE(std::string(error.what()).find("record 2"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("zh"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("中文"), std::string::npos) << error.hint();
  }
}

TEST_F(Pairs, RefuseDataWithNothingToLearn) {
  EXPECT_THROW(Make(Write("empty.jsonl", "{\"en\":\"\",\"zh\":\"b\"}\n"), Settings(9, 9)), Error);
  EXPECT_THROW(Make(Write("dropped.jsonl", "{\"en\":\"abc\",\"zh\":\"b\"}\n"), Settings(3, 9, "drop")), Error);
}

TEST_F(Pairs, WantAMarkThatEndsATarget) {
  text::TokenizerSpec spec = ByteTokenizer();
  spec.tokens[kEnd] = "<never>";
  spec.eos = -1;
  const auto endless = text::MakeTokenizer(spec);
  EXPECT_THROW(FindPairMarks(*endless), Error);
  spec.tokens[kBegin] = "<other>";
  spec.tokens[kEnd] = "</s>";
  EXPECT_EQ(FindPairMarks(*text::MakeTokenizer(spec)).begin, kEnd);  // one mark for both
  EXPECT_EQ(FindPairMarks(*tokenizer_).begin, kBegin);
}

}  // namespace
}  // namespace atelier::train
