#include "data/dedup/dedup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

std::string Line(const Json& record) { return ToText(record) + "\n"; }

struct Result {
  std::vector<Duplicate> duplicates;
  DedupStats stats;
  std::map<std::string, std::string> kept;  // removed id -> survivor's id
  std::map<std::string, float> like;        // removed id -> similarity to the record that brought it in
};

Result RunLines(const std::vector<std::string>& lines, DedupOptions options = {}, size_t block = 7) {
  options.scratch = testing::TempDir();
  Deduplicator dedup(options);
  for (size_t i = 0; i < lines.size(); i += block) {
    std::string some;
    for (size_t j = i; j < std::min(lines.size(), i + block); ++j) some += lines[j];
    const size_t size = some.size();
    some.append(64, '\0');
    dedup.Add(std::string_view(some).substr(0, size));
  }
  dedup.Finish();
  Result out;
  out.stats = dedup.stats();
  dedup.duplicates().ForEach([&](const Duplicate& d) {
    out.duplicates.push_back(d);
    out.kept[dedup.Id(d.record)] = dedup.Id(d.kept);
    out.like[dedup.Id(d.record)] = d.like_similarity;
  });
  return out;
}

Result RunTexts(const std::vector<std::string>& texts, DedupOptions options = {}) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < texts.size(); ++i) lines.push_back(Line({{"text", texts[i]}, {"row", i}}));
  options.fields = {"text"};
  return RunLines(lines, options);
}

std::vector<uint32_t> Removed(const Result& result) {
  std::vector<uint32_t> out;
  for (const Duplicate& d : result.duplicates) out.push_back(d.record);
  return out;
}

// Sentences of a small world, half Chinese, half English, some mixed.
std::string Sentence(Rng* rng) {
  static const std::vector<std::string> han = {"这家", "酒店", "房间", "很",   "干净", "服务", "不错",
                                               "早餐", "一般", "位置", "方便", "下次", "还会", "再来",
                                               "价格", "有点", "贵",   "前台", "态度", "好"};
  static const std::vector<std::string> latin = {
      "the",  "room", "was",   "clean", "and",  "quiet", "but",  "breakfast", "came",  "late",   "staff",
      "were", "kind", "price", "seems", "high", "we",    "will", "come",      "again", "iPhone", "15"};
  const uint64_t kind = rng->Below(3);
  std::string out;
  for (uint64_t n = 15 + rng->Below(40); n > 0; --n) {
    const bool chinese = kind == 0 || (kind == 2 && rng->Below(2) == 0);
    out += chinese ? han[rng->Below(han.size())] : " " + latin[rng->Below(latin.size())];
  }
  return out;
}

std::string Edited(const std::string& text, int edits, Rng* rng) {
  std::u32string chars = text::DecodeUtf8(text);
  for (int i = 0; i < edits; ++i) {
    const size_t at = rng->Below(chars.size());
    switch (rng->Below(3)) {
      case 0: chars.erase(at, 1); break;
      case 1: chars.insert(at, 1, U'错'); break;
      default: chars[at] = U'x';
    }
  }
  return text::EncodeUtf8(chars);
}

std::vector<std::string> World(size_t originals, uint64_t seed) {
  Rng rng(seed);
  std::vector<std::string> texts;
  for (size_t i = 0; i < originals; ++i) {
    texts.push_back(Sentence(&rng));
    const std::string original = texts.back();
    if (i % 3 == 0) texts.push_back(Edited(original, 1 + static_cast<int>(rng.Below(6)), &rng));
    if (i % 5 == 0) texts.push_back(original);
    if (i % 7 == 0) texts.push_back(text::ToLower(original) + "！");
  }
  for (size_t i = texts.size(); i > 1; --i) std::swap(texts[i - 1], texts[rng.Below(i)]);
  return texts;
}

std::vector<uint32_t> SetOf(const std::string& text) {
  FoldedText folded;
  Fold(text, &folded);
  std::vector<uint32_t> out;
  AppendShingles(folded, {}, &out);
  return out;
}

TEST(Dedup, EqualTextsOfAnyDress) {
  const Result result = RunTexts(
      {"手冲咖啡壶 Ａ", "Drip kettle", "手冲咖啡壶　a", "drip  KETTLE ", "drip kettle!", "别的"}, {.exact = true});
  EXPECT_EQ(Removed(result).size(), 2u);
  EXPECT_EQ(result.stats.exact, 2u);
  EXPECT_EQ(result.stats.near, 0u);
  EXPECT_EQ(result.stats.clusters, 2u);
  for (const Duplicate& d : result.duplicates) {
    EXPECT_TRUE(d.equal);
    EXPECT_EQ(d.similarity, 1);
    EXPECT_EQ(d.record % 2, d.kept % 2);  // 0 with 2, 1 with 3; 4 has a mark more, which only shingles overlook
  }
  EXPECT_EQ(Removed(RunTexts({"drip kettle", "drip kettle!", "drip pot"})).size(), 1u);
}

TEST(Dedup, RecordsWithoutTextAreNoDuplicates) {
  const Result result = RunTexts({"", " ", "", "　", "。", "。", "😀", "😀", "好", "好", "壶"});
  EXPECT_EQ(result.stats.without_text, 4u);
  EXPECT_EQ(Removed(result).size(), 3u);  // one 。, one 😀, one 好
}

TEST(Dedup, TheRuleSaysWhoStays) {
  const std::string base =
      "the room was clean and quiet but the breakfast came very late on sunday and the staff were kind";
  const std::vector<std::string> lines = {
      Line({{"_id", std::string(32, 'a')}, {"t", base}, {"when", "2024-05-02"}}),
      Line({{"_id", std::string(32, 'b')}, {"t", base + " indeed"}, {"when", "2024-05-01T23:00:00Z"}}),
      Line({{"_id", std::string(32, 'c')}, {"t", base + " you see"}, {"when", "2024-05-02T01:00+08:00"}}),
      Line({{"_id", std::string(32, 'd')}, {"t", base}, {"when", nullptr}}),
  };
  const auto kept = [&](Survivor rule) {
    std::set<std::string> out;
    const Result result = RunLines(lines, {.fields = {"t"}, .survivor = rule, .newest_field = "when"});
    EXPECT_EQ(result.duplicates.size(), 3u);
    for (const auto& [removed, survivor] : result.kept) out.insert(survivor.substr(0, 1));
    return out;
  };
  EXPECT_EQ(kept(Survivor::kLongest), std::set<std::string>{"c"});
  EXPECT_EQ(kept(Survivor::kFirst), std::set<std::string>{"a"});
  EXPECT_EQ(kept(Survivor::kNewest), std::set<std::string>{"a"});  // c is 2024-05-01T17:00Z, b is six hours later
}

// Against all pairs, by exact similarity.
TEST(Dedup, FindsWhatAllPairsFind) {
  const std::vector<std::string> texts = World(900, 3);
  const Result result = RunTexts(texts);
  std::vector<std::vector<uint32_t>> sets;
  Comparer comparer;
  for (const std::string& text : texts) sets.push_back(SetOf(text));
  // Precision: whatever went is similar enough to the record that is named.
  for (const Duplicate& d : result.duplicates) {
    ASSERT_NEAR(comparer.Jaccard(sets[d.record], sets[d.kept]), d.similarity, 1e-6);
    ASSERT_NEAR(comparer.Jaccard(sets[d.record], sets[d.like]), d.like_similarity, 1e-6);
    ASSERT_GE(d.like_similarity, 0.8f);
  }
  // Recall: near pairs of which both stayed.
  const std::vector<uint32_t> gone = Removed(result);
  const std::set<uint32_t> removed(gone.begin(), gone.end());
  size_t near = 0, missed = 0;
  for (uint32_t i = 0; i < texts.size(); ++i) {
    for (uint32_t j = 0; j < i; ++j) {
      if (comparer.Jaccard(sets[i], sets[j]) < 0.8) continue;
      ++near;
      missed += removed.count(i) == 0 && removed.count(j) == 0;
    }
  }
  EXPECT_GT(near, 300u);
  EXPECT_LE(static_cast<double>(missed), 0.03 * static_cast<double>(near)) << missed << " of " << near;
  EXPECT_GT(result.stats.near, 100u);
  EXPECT_GT(result.stats.exact, 100u);
}

TEST(Dedup, MemoryThreadsAndBlocksChangeNothing) {
  const std::vector<std::string> texts = World(6000, 5);
  std::vector<std::string> lines;
  for (size_t i = 0; i < texts.size(); ++i) lines.push_back(Line({{"text", texts[i]}, {"row", i}}));
  const Result whole = RunLines(lines, {.fields = {"text"}});
  EXPECT_FALSE(whole.stats.spilled);
  EXPECT_GT(whole.duplicates.size(), 1000u);
  const Result small = RunLines(lines, {.fields = {"text"}, .memory = 1u << 18});
  EXPECT_TRUE(small.stats.spilled);
  const Result threads = RunLines(lines, {.fields = {"text"}, .threads = 3}, 101);
  for (const Result* other : {&small, &threads}) {
    ASSERT_EQ(other->duplicates.size(), whole.duplicates.size());
    for (size_t i = 0; i < whole.duplicates.size(); ++i) {
      const Duplicate &a = whole.duplicates[i], &b = other->duplicates[i];
      ASSERT_EQ(std::tie(a.record, a.kept, a.like, a.similarity, a.like_similarity, a.equal),
                std::tie(b.record, b.kept, b.like, b.similarity, b.like_similarity, b.equal));
    }
  }
}

TEST(Dedup, TheOrderOfRecordsChangesNothing) {
  std::vector<std::string> lines;
  for (const std::string& text : World(2000, 6)) {
    lines.push_back(Line({{"_id", Cat(lines.size() + 10'000'000, std::string(24, 'e'))}, {"text", text}}));
  }
  // A thousand texts of one mould share bands: the way of large buckets.
  for (int i = 0; i < 1000; ++i) {
    lines.push_back(
        Line({{"_id", Cat(90'000'000 + i, std::string(24, 'f'))},
              {"text", Cat("dear customer your order number ", i / 2, i % 3,
                           " has left our warehouse today and will be with you within three working days")}}));
  }
  const Result first = RunLines(lines);
  EXPECT_GT(first.stats.large_buckets, 0u);
  EXPECT_GT(first.stats.largest, 900u);
  Rng rng(1);
  for (size_t i = lines.size(); i > 1; --i) std::swap(lines[i - 1], lines[rng.Below(i)]);
  const Result second = RunLines(lines);
  EXPECT_EQ(first.kept, second.kept);
  EXPECT_EQ(first.like, second.like);
  EXPECT_EQ(first.stats.near, second.stats.near);
}

TEST(Dedup, AChainIsOneClusterAndSaysSo) {
  // Each text shares most of its words with the next, the ends little with each other.
  std::vector<std::string> texts;
  for (int i = 0; i < 5; ++i) {
    std::string text;
    for (int j = 0; j < 40; ++j) text += Cat(" word", i * 3 + j);
    texts.push_back(text);
  }
  const Result result = RunTexts(texts, {.threshold = 0.8, .recall = 0.999, .survivor = Survivor::kFirst});
  ASSERT_EQ(result.duplicates.size(), 4u);
  EXPECT_LT(result.duplicates[3].similarity, 0.8f);
  EXPECT_GE(result.duplicates[3].like_similarity, 0.8f);
  EXPECT_EQ(result.duplicates[3].like, 3u);
  EXPECT_EQ(result.duplicates[3].kept, 0u);
}

TEST(Dedup, FieldsAreComparedTogetherInTheDeclaredOrder) {
  const std::vector<std::string> lines = {Line({{"title", "咖啡壶"}, {"body", "好用"}, {"price", 12}}),
                                          Line({{"body", "好用"}, {"title", "咖啡壶"}, {"price", 13}}),
                                          Line({{"title", "咖啡壶好用"}, {"body", ""}, {"price", 12}}),
                                          Line({{"_split", "train"}, {"title", "茶"}, {"price", 12}})};
  EXPECT_EQ(Removed(RunLines(lines, {.fields = {"title", "body"}, .exact = true})), std::vector<uint32_t>{1});
  const Result by_price = RunLines(lines, {.fields = {"price"}, .exact = true});
  EXPECT_EQ(by_price.duplicates.size(), 2u);
  EXPECT_THROW(RunLines(lines, {.fields = {"titel"}}), Error);
}

TEST(Dedup, UglyInput) {
  EXPECT_TRUE(RunLines({}).duplicates.empty());
  std::string huge;
  for (int i = 0; i < 200'000; ++i) text::AppendUtf8(&huge, 0x4e00 + static_cast<char32_t>(i * 7919 % 20000));
  const Result result = RunTexts({huge, huge + "尾", "a", "A", "", "👨‍👩‍👧‍👦",
                                  "👨‍👩‍👧‍👦", "\xff\xfe", std::string("\0x", 2)},
                                 {.memory = 1u << 17});
  EXPECT_EQ(Removed(result).size(), 3u);
  const std::vector<std::string> all_equal(5000, "一模一样的话 the same words");
  EXPECT_EQ(RunTexts(all_equal).duplicates.size(), 4999u);
  for (const char* bad : {"{\"a\":\"x\"", "[1]\n", "nonsense\n", "{\"a\":tru}\n", "{\"a\":\"\xc3\x28\"}\n"}) {
    try {
      RunLines({"{\"a\":\"x\"}\n", bad}, {.fields = {"a"}});
      FAIL() << bad;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kCorrupt) << e.what();
      EXPECT_NE(std::string(e.what()).find("record 2"), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(RunLines({Line({{"a", "x"}, {"d", "yesterday"}})}, {.survivor = Survivor::kNewest, .newest_field = "d"}),
               Error);
  EXPECT_THROW(Deduplicator({.threshold = 0.1}), Error);
  EXPECT_THROW(Deduplicator({.threshold = 1.5}), Error);
}

TEST(Dedup, Dates) {
  double a, b;
  ASSERT_TRUE(ParseWhen("2024-02-29T12:00:00Z", &a));
  EXPECT_EQ(a, 1709208000);  // date -u -d 2024-02-29T12:00:00Z +%s
  ASSERT_TRUE(ParseWhen("2024-02-29 20:00:00+08:00", &b));
  EXPECT_EQ(a, b);
  ASSERT_TRUE(ParseWhen("1969-12-31T23:59:59.5", &a));
  EXPECT_EQ(a, -0.5);
  ASSERT_TRUE(ParseWhen("-3.5e2", &a));
  EXPECT_EQ(a, -350);
  for (const char* bad : {"", "yesterday", "2024-13-01", "2024-05-01T", "2024-05-01T25:00", "2024-05-01x", "12:30"}) {
    EXPECT_FALSE(ParseWhen(bad, &a)) << bad;
  }
}

}  // namespace
}  // namespace atelier::data
