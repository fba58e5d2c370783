#include "data/augment/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"
#include "data/record_line.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

class Augment : public testing::Test {
 protected:
  Augment() : folder_(testing::TempDir() + "augment-" + NewUuid()), datasets_(folder_ + "/data") {
    MakeFolders(folder_);
  }
  ~Augment() override { std::filesystem::remove_all(folder_); }

  // The operation of one step.
  std::unique_ptr<AugmentOperation> Make(const std::string& keys) {
    AugmentOptions options = ParseAugmentOptions("[[step]]\nfields = \"text\"\n" + keys, "a.toml", folder_);
    return std::move(options.steps[0].operation);
  }
  void Put(const std::string& name, const std::string& text) { WriteFileAtomic(folder_ + "/" + name, text); }

  std::string folder_;
  Datasets datasets_;
};

constexpr const char* kUgly[] = {"",
                                 " ",
                                 "a",
                                 "好",
                                 "👨‍👩‍👧‍👦",
                                 "\n\n",
                                 "。，！",
                                 "e\u0301\u0301\u0301",
                                 "12 345",
                                 "中english混合123文本",
                                 "\u200b"};

TEST_F(Augment, WordsCoverTheWholeText) {
  for (const std::string text :
       {"这家酒店的房间很干净。", "The quick-brown fox's den", "手冲coffee壶 3.5元", "", "👍🏽 ok"}) {
    std::string all;
    for (const Token& token : CutWords(text)) all += token.text;
    EXPECT_EQ(all, text);
  }
  std::vector<std::string> words;
  for (const Token& token : CutWords("我们喜欢北京的酒店，very much")) {
    if (token.word) words.emplace_back(token.text);
  }
  EXPECT_EQ(words, (std::vector<std::string>{"我们", "喜欢", "北京", "的", "酒店", "very", "much"}));
}

TEST_F(Augment, NoiseStrikesAtItsRate) {
  const std::string text = [] {
    std::string out;
    for (int i = 0; i < 2000; ++i) out += "房ab ";
    return out;
  }();
  const auto length = [](const std::string& t) { return static_cast<double>(text::CountChars(t)); };
  Rng rng(1);
  EXPECT_NEAR(length(text) - length(Make("use = \"noise\"\nrate = 0.1\nkinds = [\"drop\"]\n")->Apply(text, &rng)), 600,
              80);
  EXPECT_NEAR(length(Make("use = \"noise\"\nrate = 0.1\nkinds = [\"repeat\"]\n")->Apply(text, &rng)) - length(text),
              600, 80);
  const std::string swapped = Make("use = \"noise\"\nrate = 0.1\nkinds = [\"swap\"]\n")->Apply(text, &rng);
  std::u32string a = text::DecodeUtf8(text), b = text::DecodeUtf8(swapped);
  EXPECT_NE(a, b);
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  EXPECT_EQ(a, b);
  const std::string typed = Make("use = \"noise\"\nrate = 1.0\nkinds = [\"keyboard\"]\n")->Apply("Aa Zz 中9", &rng);
  EXPECT_EQ(typed.size(), std::string("Aa Zz 中9").size());
  EXPECT_TRUE(std::string("QWSZ").find(typed[0]) != std::string::npos) << typed;
  EXPECT_TRUE(std::string("asx").find(typed[4]) != std::string::npos) << typed;
  EXPECT_TRUE(typed.ends_with(" 中9")) << typed;
  EXPECT_EQ(Make("use = \"noise\"\nrate = 0.0\n")->Apply(text, &rng), text);
  for (const char* ugly : kUgly)
    EXPECT_TRUE(text::IsValidUtf8(Make("use = \"noise\"\nrate = 0.5\n")->Apply(ugly, &rng)));
}

TEST_F(Augment, PinyinNoiseSoundsAlike) {
  Put("pinyin.txt", "# readings\n在 zai\n再 zai\n的 de\n得 de\n地 de\n好 hao\n");
  Rng rng(2);
  const auto noise = Make("use = \"noise\"\nrate = 1.0\nkinds = [\"pinyin\"]\npinyin = \"pinyin.txt\"\n");
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) seen.insert(noise->Apply("在的好x", &rng));
  EXPECT_EQ(seen.size(), 6u);  // two readings of 在, three of 的
  EXPECT_TRUE(seen.count("再地好x"));
  EXPECT_THROW(Make("use = \"noise\"\nkinds = [\"pinyin\"]\n"), Error);
  Put("pinyin.txt", "在zai\n");
  EXPECT_THROW(Make("use = \"noise\"\npinyin = \"pinyin.txt\"\n"), Error);
}

TEST_F(Augment, SynonymsInBothLanguages) {
  Put("words.txt", "quick, fast, rapid\n干净，整洁\n ice cream\tgelato \n酒店,宾馆\n");
  const auto all = Make("use = \"synonyms\"\nrate = 1.0\ndictionary = \"words.txt\"\n");
  Rng rng(3);
  EXPECT_EQ(all->Apply("酒店很干净。", &rng), "宾馆很整洁。");
  EXPECT_EQ(all->Apply("Ice  cream, ice cream", &rng), "Ice  cream, gelato");  // the term has one blank
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(all->Apply("Quick!", &rng));
  EXPECT_EQ(seen, (std::set<std::string>{"Fast!", "Rapid!"}));
  EXPECT_EQ(all->Apply("quicker 干 净", &rng), "quicker 干 净");
  int replaced = 0;
  const auto some = Make("use = \"synonyms\"\nrate = 0.3\ndictionary = \"words.txt\"\n");
  for (int i = 0; i < 1000; ++i) replaced += some->Apply("酒店", &rng) == "宾馆";
  EXPECT_NEAR(replaced, 300, 60);
  for (const char* ugly : kUgly) EXPECT_EQ(all->Apply(ugly, &rng), ugly);
  Put("words.txt", "alone\n");
  EXPECT_THROW(Make("use = \"synonyms\"\ndictionary = \"words.txt\"\n"), Error);
  EXPECT_THROW(Make("use = \"synonyms\"\ndictionary = \"none.txt\"\n"), Error);
}

TEST_F(Augment, OrderKeepsWordsAndSentences) {
  Rng rng(4);
  const auto words = Make("use = \"order\"\nrate = 0.5\n");
  const std::string text = "we came late, and they were kind. 我们很晚才到酒店。The end";
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string out = words->Apply(text, &rng);
    seen.insert(out);
    std::multiset<std::string> a, b;
    for (const Token& t : CutWords(text)) a.emplace(t.text);
    const size_t stop = text.find("我");
    EXPECT_EQ(out.substr(stop - 2, 2), ". ");  // the first sentence keeps its bytes
    std::string x = text.substr(0, stop), y = out.substr(0, stop);
    std::sort(x.begin(), x.end());
    std::sort(y.begin(), y.end());
    EXPECT_EQ(x, y);
    EXPECT_EQ(out.find(','), text.find(','));
  }
  EXPECT_GT(seen.size(), 20u);
  const auto clauses = Make("use = \"order\"\nunit = \"clauses\"\nrate = 1.0\n");
  EXPECT_EQ(clauses->Apply("房间很大，早餐一般。下次再来", &rng), "早餐一般，房间很大。下次再来");
  EXPECT_EQ(clauses->Apply("one, two, three! four", &rng), "two, one, three! four");
  for (const char* ugly : kUgly) {
    EXPECT_EQ(words->Apply(ugly, &rng).size(), std::string(ugly).size());
    EXPECT_EQ(clauses->Apply(ugly, &rng).size(), std::string(ugly).size());
  }
}

TEST_F(Augment, BlankMasking) {
  Rng rng(5);
  const auto mask = Make("use = \"mask\"\nrate = 0.25\nmask = \"[M]\"\n");
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "word ";
  const std::string out = mask->Apply(text, &rng);
  int count = 0;
  for (size_t at = out.find("[M]"); at != std::string::npos; at = out.find("[M]", at + 1)) ++count;
  EXPECT_NEAR(count, 1000, 110);
}

// On a text whose counts are known: after "the" (4 times, 4 followers) every word is struck, after "a" (4, 1) a
// quarter of the time; "cat" follows two words, the others one.
TEST_F(Augment, BackoffFollowsTheCounts) {
  const auto mask = Make("use = \"mask\"\nwith = \"backoff\"\nrate = 1.0\n");
  for (const char* line : {"the dog", "the cat", "the fox", "the cow", "a cat", "a cat", "a cat", "a cat"})
    mask->Count(line);
  mask->EndCounting();
  Rng rng(6);
  std::map<std::string, int> drawn;
  int struck_after_a = 0;
  for (int i = 0; i < 8000; ++i) {
    const std::vector<std::string> the = Split(mask->Apply("the zzz", &rng), ' '),
                                   a = Split(mask->Apply("a zzz", &rng), ' ');
    ASSERT_NE(the[1], "zzz");
    ++drawn[the[1]];
    struck_after_a += a[1] != "zzz";
  }
  EXPECT_NEAR(struck_after_a, 2000, 150);
  // N1+(.,w): the and a follow the beginning (1 each), dog, fox, cow 1 each, cat 2: seven in all.
  EXPECT_NEAR(drawn["cat"], 8000 * 2.0 / 7, 200);
  EXPECT_NEAR(drawn["dog"], 8000 * 1.0 / 7, 150);
  EXPECT_NEAR(drawn["the"], 8000 * 1.0 / 7, 150);
}

TEST_F(Augment, OnlyTheTrainSideAndTheSameAgain) {
  const auto store = [&](const std::string& name, int from, int to) {
    std::string lines;
    for (int i = from; i < to; ++i) {
      const std::string fields = Cat("\"text\":\"第", i, "条评论 says the room number ", i, " was clean\",\"n\":", i);
      lines += Cat("{\"_id\":\"", RecordId(Cat("{", fields, "}")), "\",", fields, ",\"_from\":[0,", i,
                   "],\"_split\":\"", i % 5 == 0 ? "test" : "train", "\"}\n");
    }
    DatasetWriter writer(datasets_, name);
    writer.Append(lines, static_cast<size_t>(to - from));
    Manifest draft;
    draft.recipe.operation = "split";
    draft.fields.push_back({.name = "text"});
    draft.splits = {{"test", static_cast<uint64_t>(to - from) / 5},
                    {"train", static_cast<uint64_t>(to - from) * 4 / 5}};
    writer.Commit(draft);
  };
  const auto read = [&](const std::string& name) {
    std::vector<std::string> out;
    DatasetReader(datasets_, name).ReadAll([&](std::string_view lines) {
      for (const std::string& line : Split(lines.substr(0, lines.size() - 1), '\n')) out.push_back(line);
      return true;
    });
    return out;
  };
  store("a", 0, 100);
  const AugmentOptions options = ParseAugmentOptions(
      "seed = 7\ncopies = 3\n[[step]]\nuse = \"noise\"\nfields = \"text\"\nrate = 0.1\n"
      "[[step]]\nuse = \"order\"\nfields = [\"text\"]\nrate = 0.1\nchance = 0.5\n",
      "a.toml", "");
  const AugmentOutcome outcome = AugmentDataset(datasets_, "a", options);
  EXPECT_EQ(outcome.report["chosen"], 80);
  EXPECT_GT(outcome.report["copies"], 200);
  const std::vector<std::string> lines = read("a");
  EXPECT_EQ(lines.size(), 100 + outcome.report["copies"].get<size_t>());
  std::map<std::string, std::string> parents;  // id -> split
  size_t copies = 0;
  std::set<std::string> ids;
  for (const std::string& line : lines) {
    const std::string id = PlainText(FindValue(line, "_id")), from(FindValue(line, "_from"));
    EXPECT_EQ(RecordId(line), id) << line;
    EXPECT_TRUE(ids.insert(id).second);
    if (from[0] != '"') {
      parents[id] = FindValue(line, "_split");
      continue;
    }
    ++copies;
    ASSERT_EQ(parents.at(PlainText(from)), "\"train\"") << line;
    EXPECT_EQ(FindValue(line, "_split"), "\"train\"");
  }
  EXPECT_EQ(copies, outcome.report["copies"].get<size_t>());
  // The same records in another company give the same copies; a copy is not copied again.
  store("b", 50, 100);
  AugmentDataset(datasets_, "b", options);
  const std::vector<std::string> half = read("b");
  for (const std::string& line : half) EXPECT_TRUE(std::find(lines.begin(), lines.end(), line) != lines.end()) << line;
  EXPECT_EQ(AugmentDataset(datasets_, "b", options).report["chosen"], 40);
}

TEST_F(Augment, ADatasetWithoutSplitsIsRefused) {
  DatasetWriter writer(datasets_, "x");
  writer.Append("{\"_id\":\"0\",\"text\":\"a b c d\"}\n", 1);
  Manifest draft;
  draft.recipe.operation = "import";
  draft.fields.push_back({.name = "text"});
  writer.Commit(draft);
  const std::string step = "[[step]]\nuse = \"noise\"\nfields = \"text\"\nrate = 1.0\n";
  try {
    AugmentDataset(datasets_, "x", ParseAugmentOptions(step, "a.toml", ""));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.Line()).find("data split"), std::string::npos);
  }
  EXPECT_EQ(AugmentDataset(datasets_, "x", ParseAugmentOptions("whole = true\n" + step, "a.toml", "")).report["copies"],
            1);
  for (const char* bad : {"", "copies = 0\n", "[[step]]\nuse = \"nois\"\nfields = \"text\"\n",
                          "[[step]]\nuse = \"noise\"\n", "[[step]]\nuse = \"noise\"\nfields = \"text\"\nrat = 1\n"}) {
    EXPECT_THROW(ParseAugmentOptions(bad, "a.toml", ""), Error) << bad;
  }
  EXPECT_THROW(
      AugmentDataset(datasets_, "x", ParseAugmentOptions("whole = true\n" + ReplaceAll(step, "text", "tex"), "a", "")),
      Error);
}

}  // namespace
}  // namespace atelier::data
