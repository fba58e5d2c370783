#include "data/text_corpus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

using Strings = std::vector<std::string>;

class TextCorpusTest : public testing::Test {
 protected:
  void SetUp() override { MakeFolders(folder_); }
  std::string File(const std::string& name, std::string_view bytes) const {
    WriteFileAtomic(folder_ + "/" + name, bytes);
    return folder_ + "/" + name;
  }
  static Strings All(TextCorpus corpus) {
    Strings texts;
    for (std::string text; corpus.Next(&text);) texts.push_back(text);
    EXPECT_EQ(corpus.bytes_read(), corpus.bytes_total());
    return texts;
  }
  static std::string Failure(const Strings& inputs, const TextCorpusOptions& options = {},
                             std::optional<Datasets> datasets = std::nullopt) {
    try {
      TextCorpus corpus(inputs, options, std::move(datasets));
      for (std::string text; corpus.Next(&text);) {
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.Line().find('\n'), std::string::npos);
      return error.what();
    }
    return "no error";
  }
  const std::string folder_ = Cat(testing::TempDir(), "text_corpus_", getpid());
};

TEST_F(TextCorpusTest, LinesKeepTheirEndsAndFieldsAreTaken) {
  const std::string plain = File("a.txt", "\xEF\xBB\xBF手冲\r\n\n  x\nlast");
  const std::string lines =
      File("b.jsonl", "{\"text\":\"a\\nb 😀\",\"n\":1}\n\n {\"n\":2,\"text\":\"\"}\n{\"text\":null}\n{\"text\":\"c\"}");
  EXPECT_EQ(All(TextCorpus({plain, lines, File("empty.txt", "")}, {}, std::nullopt)),
            (Strings{"手冲\r\n", "\n", "  x\n", "last", "a\nb 😀", "c"}));
  EXPECT_EQ(All(TextCorpus({plain, lines}, {.line_ends = false}, std::nullopt)),
            (Strings{"手冲", "", "  x", "last", "a\nb 😀", "c"}));
}

TEST_F(TextCorpusTest, LinesOfManyMebibytesComeWhole) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += Cat(i, i % 100'000 == 7 ? "\n" : " ");
  const Strings texts = All(TextCorpus({File("long.txt", text)}, {}, std::nullopt));
  EXPECT_EQ(texts.size(), 5u);
  EXPECT_EQ(Join(texts, ""), text);
}

TEST_F(TextCorpusTest, RecordsOfADataset) {
  const Datasets datasets(folder_ + "/data");
  {
    DatasetWriter writer(datasets, "评论", {.shard_bytes = 64});
    LineBuilder lines;
    for (const char* text : {"好", "", "bad \"quoted\"", "再见"}) {
      lines.Begin();
      lines.Key("body");
      lines.Text(text);
      lines.End(0, 1);
      writer.Append(lines.lines(), 1);
      lines.Clear();
    }
    writer.Commit({});
  }
  EXPECT_EQ(All(TextCorpus({"评论@1", "评论"}, {.text_field = "body"}, datasets)),
            (Strings{"好", "bad \"quoted\"", "再见", "好", "bad \"quoted\"", "再见"}));
  EXPECT_EQ(Failure({"评论"}, {}, datasets), "评论: record 1: has no field 'text'");
  EXPECT_EQ(Failure({"nobody"}, {}, datasets), "there is no file and no dataset 'nobody'");
}

TEST_F(TextCorpusTest, TellsWhereATextIsBroken) {
  const auto in = [&](const std::string& file, std::string_view bytes) {
    const std::string path = File(file, bytes);
    return ReplaceAll(Failure({path}, {.most_line_bytes = 40}), path, "FILE");
  };
  EXPECT_EQ(in("a.txt",
               "good\nb\xFF"
               "ad\n"),
            "FILE:2: is not UTF-8");
  EXPECT_EQ(in("a.txt", std::string_view("a\0b\n", 4)), "FILE:1: holds a NUL character");
  EXPECT_EQ(in("a.txt", "x\n" + std::string(41, 'x')), "FILE:2: a line of more than 40 B");
  EXPECT_EQ(in("a.txt", std::string(40, 'x')), "no error");
  EXPECT_EQ(in("a.jsonl", "{\"text\":\"a\"}\n{\"text\":"), "FILE:2: is no JSON object");
  EXPECT_EQ(in("a.jsonl", "[1]"), "FILE:1: is no JSON object");
  EXPECT_EQ(in("a.jsonl", "{\"txt\":\"a\"}"), "FILE:1: has no field 'text'");
  EXPECT_EQ(in("a.jsonl", "{\"text\":7}"), "FILE:1: 'text' is no text");
  EXPECT_EQ(in("a.jsonl", "{\"text\":\"\\u0000\"}"), "FILE:1: 'text' holds a NUL character");
  EXPECT_EQ(in("a.jsonl", "{\"text\":\"\xFF\"}"), "FILE:1: is not UTF-8");
  EXPECT_NE(in("a.jsonl", "{\"text\":\"\\ud83d\"}"), "no error");
  EXPECT_EQ(Failure({}), "no input");
  EXPECT_EQ(Failure({folder_}), folder_ + " is a folder");
  EXPECT_EQ(Failure({folder_ + "/nosuch"}), Cat("there is no file and no dataset ", Quote(folder_ + "/nosuch")));
}

}  // namespace
}  // namespace atelier::data
