// What is given and what is learned of conversations and pairs: by templates written here, over the tiny vocabulary of
// tests/golden/archs.
#include "train/examples_replies.h"

#include <gtest/gtest.h>

#include "artefact/gguf_tokenizer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/golden_model.h"

namespace atelier::train {
namespace {

class RepliesTest : public ::testing::Test {
 protected:
  void Load(const std::string& chat_template, const char* model = "qwen2") {
    const auto change = [&](const std::string& key, artefact::GgufWriter* writer) {
      if (key == "general.name" && !chat_template.empty()) writer->Set("tokenizer.chat_template", chat_template);
      if (key != "tokenizer.ggml.add_space_prefix") return true;
      writer->Set(key, true);
      return false;
    };
    const std::string bytes = runtime::Rewritten(runtime::GoldenBytes(model), nullptr, change);
    path_ = Cat(::testing::TempDir(), "/", getpid(), "-replies.gguf");
    WriteFileAtomic(path_, bytes);
    tokenizer_ = text::MakeTokenizer(artefact::SpecFromGguf(*artefact::GgufFile::Open(path_)));
  }

  // The text with what is learned in brackets.
  std::string ShownRow(const ReplyTokens& row) const {
    std::string out;
    for (size_t i = 0; i < row.tokens.size(); ++i) {
      if (row.learned[i] && (i == 0 || !row.learned[i - 1])) out += "[";
      out += tokenizer_->Piece(row.tokens[i], true);
      if (row.learned[i] && (i + 1 == row.tokens.size() || !row.learned[i + 1])) out += "]";
    }
    return out;
  }
  std::string Shown(const Json& record, const std::string& format = "auto") const {
    DataSettings data;
    data.format = format;
    return ShownRow(ReplyFormat(path_, *tokenizer_, data).Of(record, "record 1"));
  }
  std::string Refused(const Json& record, const std::string& format = "auto") const {
    try {
      return Cat("taken: ", Shown(record, format));
    } catch (const Error& error) {
      return error.Line();
    }
  }

  std::unique_ptr<Examples> Make(const std::string& lines, DataSettings data, ExamplesReport* report) const {
    const std::string file = Cat(::testing::TempDir(), "/", getpid(), "-replies.jsonl");
    WriteFileAtomic(file, lines);
    const Records records(file, "", {"messages", "prompt", "response"});
    return ReplyExamples(records, data, ReplyFormat(path_, *tokenizer_, data), report);
  }

  std::string path_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
};

TEST_F(RepliesTest, PlainRepliesFollowTheirPrompts) {
  Load("");
  EXPECT_EQ(Shown({{"prompt", "a cat: "}, {"response", "你好 🎈"}}), "<|begin|>a cat: [你好 🎈<|end|>]");
  EXPECT_EQ(Shown({{"prompt", "<|im_start|>"}, {"response", "b"}}), "<|begin|><|im_start|>[b<|end|>]");
  EXPECT_TRUE(Refused({{"messages", Json::array()}}).find("a chat template") != std::string::npos);
}

TEST_F(RepliesTest, PlainTextsHaveNoControlTokens) {
  Load("");
  DataSettings data;
  const ReplyTokens row =
      ReplyFormat(path_, *tokenizer_, data).Of({{"prompt", "<|im_start|>"}, {"response", "b"}}, "r");
  EXPECT_EQ(std::count(row.tokens.begin(), row.tokens.end(), tokenizer_->Find("<|im_start|>")), 0);
}

TEST_F(RepliesTest, ConversationsAreCutWhereTheModelAnswers) {
  Load(runtime::kChatMl);
  EXPECT_EQ(Shown({{"prompt", "hi"}, {"response", "there"}}),
            "<|begin|><|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n[there<|im_end|>]");
  const Json turns = {{{"role", "system"}, {"content", "short"}},
                      {{"role", "user"}, {"content", "一"}},
                      {{"role", "assistant"}, {"content", "二"}},
                      {{"role", "user"}, {"content", "三"}},
                      {{"role", "assistant"}, {"content", "四"}}};
  EXPECT_EQ(Shown({{"messages", turns}}),
            "<|begin|><|im_start|>system\nshort<|im_end|>\n<|im_start|>user\n一<|im_end|>\n<|im_start|>assistant\n"
            "[二<|im_end|>]\n<|im_start|>user\n三<|im_end|>\n<|im_start|>assistant\n[四<|im_end|>]");
  EXPECT_EQ(Shown({{"prompt", "hi"}, {"response", "there"}}, "plain"), "<|begin|>hi[there<|end|>]");
}

TEST_F(RepliesTest, RepliesGetNoSpaceOfTheTokenizersOwn) {
  Load("", "gemma3");
  DataSettings data;
  const ReplyTokens row = ReplyFormat(path_, *tokenizer_, data).Of({{"prompt", "the"}, {"response", "the 你"}}, "r");
  std::vector<text::TokenId> learned;
  for (size_t i = 0; i < row.tokens.size(); ++i) {
    if (row.learned[i]) learned.push_back(row.tokens[i]);
  }
  std::vector<text::TokenId> all = tokenizer_->Encode("thethe 你");
  all.push_back(tokenizer_->eos());
  ASSERT_LE(learned.size(), all.size());
  EXPECT_TRUE(std::equal(learned.rbegin(), learned.rend(), all.rbegin())) << "as the engine goes on after a prompt";
  EXPECT_NE(tokenizer_->Piece(learned[0]).substr(0, 1), " ");
}

TEST_F(RepliesTest, NullIsEmptyAndOtherFieldsAreNotLookedAt) {
  Load("");
  ExamplesReport report;
  const auto rows = Make(
      "{\"prompt\":\"a\",\"response\":null,\"tags\":[1,{\"x\":2}]}\n{\"prompt\":\"a\",\"response\":\"b\",\"meta\":{}}"
      "\n",
      {}, &report);
  EXPECT_EQ(rows->size(), 1);
  EXPECT_EQ(report.empty, 1);
}

TEST_F(RepliesTest, RefusesWhatIsNoConversation) {
  Load(runtime::kChatMl);
  EXPECT_EQ(Refused({{"messages", {{{"role", "assistant"}, {"content", "me first"}}}}}),
            "record 1: a conversation begins with the assistant");
  EXPECT_NE(Refused({{"messages", {{{"role", 7}, {"content", "x"}}}}}).find("record 1: a message is"),
            std::string::npos);
  EXPECT_NE(Refused({{"messages", "x"}}).find("record 1: \"messages\" is no list"), std::string::npos);
  EXPECT_NE(Refused({{"prompt", "x"}}).find("record 1"), std::string::npos);
  // One that shows earlier replies otherwise than it asked for them, as those that drop what was thought do.
  Load(
      "{% for m in messages %}{{ m.content }}{% if not loop.last %}!{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}?{% endif %}");
  EXPECT_NE(Refused({{"prompt", "a"}, {"response", "b"}}).find("otherwise than it asks"), std::string::npos);
}

TEST_F(RepliesTest, RowsAskForRepliesAlone) {
  Load(runtime::kChatMl);
  ExamplesReport report;
  const auto rows = Make(
      "{\"prompt\":\"a\",\"response\":\"the end\"}\n{\"prompt\":\"long question\",\"response\":\"x\"}\n"
      "{\"prompt\":\"\",\"response\":\"x\"}\n{\"prompt\":\"same\",\"response\":\" same "
      "\"}\n{\"prompt\":\"b\",\"response\":\" \"}\n",
      {}, &report);
  EXPECT_EQ(report.records, 5);
  EXPECT_EQ(report.empty, 3) << "nothing given, nothing to learn, and a reply that repeats";
  ASSERT_EQ(rows->size(), 2);
  const std::vector<int64_t> both = {0, 1};
  const model::Batch batch = rows->Collate(both, Rng(1));
  const int64_t longest = std::max(rows->Length(0), rows->Length(1));
  EXPECT_EQ(batch.inputs.size(1), longest);
  int64_t asked = 0;
  for (int64_t row = 0; row < 2; ++row) {
    for (int64_t t = 0; t < longest; ++t) {
      const int64_t target = batch.targets[row][t].item<int64_t>();
      if (target == model::kIgnored) continue;
      ++asked;
      if (t + 1 < rows->Length(row)) EXPECT_EQ(batch.inputs[row][t + 1].item<int64_t>(), target);
    }
  }
  EXPECT_EQ(asked, report.targets);
  EXPECT_EQ(batch.targets[1][rows->Length(1) - 1].item<int64_t>(), tokenizer_->Find("<|im_end|>"));
}

TEST_F(RepliesTest, LongRecordsAreCutOrDropped) {
  Load(runtime::kChatMl);
  const std::string lines =
      "{\"prompt\":\"a\",\"response\":\"a reply of some words that goes on\"}\n{\"prompt\":\"a prompt that goes on and "
      "on and on "
      "beyond all measure\",\"response\":\"x\"}\n";
  DataSettings data;
  data.sequence_length = 40;
  ExamplesReport cut;
  const auto rows = Make(lines, data, &cut);
  EXPECT_EQ(rows->size(), 1);
  EXPECT_EQ(rows->Length(0), 40);
  EXPECT_EQ(cut.truncated, 1);
  EXPECT_EQ(cut.empty, 1) << "of the second nothing to learn was left";
  data.long_records = "drop";
  ExamplesReport dropped;
  EXPECT_THROW(Make(lines, data, &dropped), Error);
  EXPECT_EQ(dropped.dropped, 2);
}

}  // namespace
}  // namespace atelier::train
