#include "rank/choices.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::rank {
namespace {

TEST(RankChoices, ReadsAChoice) {
  const Choice choice = ParseChoice(
      R"({"context": {"name": "手冲咖啡壶", "features": ["600毫升"]}, "options": [
          {"text": "600毫升，够两个人喝 ☕", "features": {"likelihood": -1.5, "checked": true}, "clicked": true},
          {"text": "买!", "features": {"likelihood": -9, "checked": false}, "clicked": false}],
          "group": "reader-7", "weight": 2.5})",
      "c.jsonl:4");
  EXPECT_EQ(choice.context["name"], "手冲咖啡壶");
  ASSERT_EQ(choice.options.size(), 2u);
  EXPECT_EQ(choice.options[0].text, "600毫升，够两个人喝 ☕");
  EXPECT_EQ(choice.options[0].features, (std::map<std::string, double>{{"checked", 1}, {"likelihood", -1.5}}));
  EXPECT_EQ(choice.gains, (std::vector<double>{1, 0}));
  EXPECT_EQ(choice.group, "reader-7");
  EXPECT_EQ(choice.weight, 2.5);
}

TEST(RankChoices, ReadsAPair) {
  const Choice choice =
      ParseChoice(R"({"prompt":"写标题","chosen":"改好的","rejected":"原来的","by":"chen"})", "p.jsonl:1");
  EXPECT_EQ(choice.options[0].text, "改好的");
  EXPECT_EQ(choice.options[1].text, "原来的");
  EXPECT_EQ(choice.gains, (std::vector<double>{1, 0}));
  EXPECT_EQ(choice.group, "context 写标题");
  const Choice named = ParseChoice(R"({"q":"x","edited":"a","original":"b","group":3})", "p.jsonl:1",
                                   {.prompt = "q", .chosen = "edited", .rejected = "original"});
  EXPECT_EQ(named.options[0].text, "a");
  EXPECT_EQ(named.group, "3");
}

TEST(RankChoices, GroupsByContextElseByLine) {
  const Choices choices = ParseChoices(
      "\xEF\xBB\xBF"
      R"({"context":"壶","options":[{"text":"a","gain":2},{"text":"b","gain":1}]})"
      "\r\n\n"
      R"({"context":{"name":"壶"},"options":[{"text":"a","gain":0.5},{"text":"b"}]})"
      "\n"
      R"({"options":[{"text":"a","clicked":true},{"text":"b"}]})",
      "c.jsonl");
  ASSERT_EQ(choices.list.size(), 3u);
  EXPECT_EQ(choices.list[0].group, "context 壶");
  EXPECT_EQ(choices.list[1].group, "context 壶");
  EXPECT_EQ(choices.list[2].group, "c.jsonl:4");
  EXPECT_EQ(choices.list[2].line, 4u);
}

TEST(RankChoices, CountsWhatSaysNothing) {
  const Choices choices = ParseChoices(
      R"({"options":[{"text":"a"},{"text":"b","clicked":false}]}
{"options":[{"text":"a","clicked":true},{"text":"b","clicked":true}]}
{"options":[{"text":"a","clicked":true}]}
{"options":[{"text":"a","clicked":true},{"text":"b"}]})",
      "c.jsonl");
  EXPECT_EQ(choices.list.size(), 1u);
  EXPECT_EQ(choices.nothing_taken, 1u);
  EXPECT_EQ(choices.all_alike, 1u);
  EXPECT_EQ(choices.alone, 1u);
}

TEST(RankChoices, RefusesWithTheLine) {
  const std::string huge(3 << 20, 'x');
  std::string many = R"({"options":[{"text":"a"})";
  for (int i = 0; i < 1000; ++i) many += R"(,{"text":"b"})";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{", "c.jsonl:2"},
      {"[]", "object"},
      {"7", "object"},
      {"{}", "neither options nor"},
      {R"({"options":{}})", "no list"},
      {R"({"options":[]})", "no list"},
      {R"({"options":["a","b"]})", "option 1"},
      {R"({"options":[{"text":"a"},{"text":"  "}]})", "option 2: text is empty"},
      {R"({"options":[{"text":"a"},{"txt":"b"}]})", "unknown key"},
      {R"({"options":[{"text":"a"},{}]})", "text is missing"},
      {R"({"options":[{"text":3}]})", "text is no text"},
      {R"({"option":[{"text":"a"}],"options":[{"text":"a"}]})", "unknown key"},
      {R"({"options":[{"text":"a","clicked":1}]})", "clicked is neither"},
      {R"({"options":[{"text":"a","clicked":true,"gain":1}]})", "both clicked and gain"},
      {R"({"options":[{"text":"a","gain":-1}]})", "gain"},
      {R"({"options":[{"text":"a","gain":"much"}]})", "gain"},
      {R"({"options":[{"text":"a","features":{"x":null}}]})", "the feature 'x'"},
      {R"({"options":[{"text":"a","features":{"x":"12"}}]})", "the feature 'x'"},
      {R"({"options":[{"text":"a","features":{"x":1e300}}]})", "the feature 'x'"},
      {R"({"options":[{"text":"a","features":{"x":NaN}}]})", "c.jsonl:2"},
      {R"({"options":[{"text":"a","features":{"x":1e999}}]})", "c.jsonl:2"},
      {R"({"options":[{"text":"a","features":{"":1}}]})", "no name"},
      {R"({"options":[{"text":"a","features":[1]}]})", "no object"},
      {R"({"options":[{"text":"a"}],"weight":0})", "weight"},
      {R"({"options":[{"text":"a"}],"weight":"2"})", "weight"},
      {R"({"options":[{"text":"a"}],"group":""})", "group"},
      {R"({"options":[{"text":"a"}],"group":1.5})", "group"},
      {R"({"options":[{"text":"a"}],"context":[1]})", "context"},
      {R"({"chosen":"a"})", "rejected is missing"},
      {R"({"chosen":"a","rejected":["b"]})", "rejected is no text"},
      {"{\"options\":[{\"text\":\"\xff\"}]}", "c.jsonl:2"},
      {many + "]}", "1001 options"},
      {std::string(100'000, '['), "c.jsonl:2"},
      {Cat(R"({")", huge, R"(":1,"options":[{"text":"a"}]})"), "unknown key"},
  };
  for (const auto& [line, says] : wrong) {
    try {
      ParseChoices("\n" + line, "c.jsonl");
      FAIL() << line.substr(0, 100);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kInvalidInput) << e.what();
      EXPECT_TRUE(std::string_view(e.what()).starts_with("c.jsonl:2")) << e.what();
      EXPECT_NE(e.Line().find(says), std::string::npos) << e.what() << " wanted " << says;
      EXPECT_LT(e.Line().size(), 600u);
    }
  }
}

TEST(RankChoices, AFileWithNothingToLearnFromSaysWhy) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_choices.jsonl");
  for (const auto& [text, says] :
       {std::pair("", "it is empty"), {"{\"options\":[{\"text\":\"好\"}]}", "in 1 there was one"}}) {
    WriteFileAtomic(path, text);
    try {
      ReadChoices(path);
      FAIL() << text;
    } catch (const Error& e) {
      EXPECT_NE(std::string_view(e.what()).find(says), std::string::npos) << e.what();
    }
  }
  RemoveFile(path);
}

}  // namespace
}  // namespace atelier::rank
