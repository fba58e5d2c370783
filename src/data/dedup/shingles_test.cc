#include "data/dedup/shingles.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/rng.h"
#include "data/dedup/minhash.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

std::u32string Folded(std::string_view text) {
  FoldedText out;
  Fold(text, &out);
  EXPECT_TRUE(text::IsValidUtf8(out.text()));
  return text::DecodeUtf8(out.text());
}

// The slow way: the whole function, then white space.
std::u32string Expected(std::string_view text) {
  std::u32string out;
  for (char32_t c : text::DecodeUtf8(text::FoldForComparison(text))) {
    if (!text::IsSpace(c)) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != U' ') {
      out.push_back(U' ');
    }
  }
  if (!out.empty() && out.back() == U' ') out.pop_back();
  return out;
}

TEST(Fold, EqualsTheWholeFunction) {
  for (const char* text : {"", " ", "a", "ＡＢＣ　ｄ", "Straße ﬁn", "咖啡，很好……", "㎏ ½ ①", "e\u0301 cafe\u0301",
                           "한국어 \u1112\u1161\u11ab", "ﾊﾟﾋﾟ", "a\u200db\u00adc", "İı", "👍🏽 😀",
                           "\xff\xfe broken \xe4\xb8", "\r\n\t x \n", "ﷺ", "\u0345 x", "Ǆ"}) {
    EXPECT_EQ(Folded(text), Expected(text)) << text;
  }
  const std::string broken(5000, '\xff');
  EXPECT_EQ(Folded(broken), Expected(broken));
  std::string long_fold;
  for (int i = 0; i < 2000; ++i) long_fold += "ﷺ";  // one character that folds to eighteen
  EXPECT_EQ(Folded(long_fold), Expected(long_fold));
}

TEST(Fold, EqualsTheWholeFunctionOnRandomText) {
  Rng rng(4);
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0, 0x7f},        {0x80, 0x24f},    {0x300, 0x36f},   {0x370, 0x1fff},    {0x2000, 0x2fff},
      {0x3000, 0x30ff}, {0x4e00, 0x9fff}, {0xa000, 0xffff}, {0x1f300, 0x1faff}, {0, 0x10ffff}};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (uint64_t n = rng.Below(12); n > 0; --n) {
      const auto [low, high] = kRanges[rng.Below(std::size(kRanges))];
      text::AppendUtf8(&text, low + static_cast<char32_t>(rng.Below(high - low + 1)));
    }
    if (rng.Below(10) == 0) text.push_back(static_cast<char>(rng.Next()));
    ASSERT_EQ(Folded(text), Expected(text)) << text;
  }
  // Long stretches of ASCII with a stranger somewhere, so that every border of sixteen bytes is met.
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (uint64_t n = rng.Below(70); n > 0; --n) {
      const uint64_t kind = rng.Below(30);
      text.push_back(kind == 0  ? static_cast<char>(rng.Below(128))
                     : kind < 6 ? ' '
                                : static_cast<char>('A' + rng.Below(58)));
      if (rng.Below(25) == 0) text::AppendUtf8(&text, 0x4e00 + static_cast<char32_t>(rng.Below(100)));
    }
    ASSERT_EQ(Folded(text), Expected(text)) << text;
  }
}

// Whether sixteen bytes go at a time or one by one must not be seen: what stands before shifts the borders.
TEST(Fold, UnitsDoNotDependOnWhereTheyStand) {
  const std::string text = "The QUICK brown-fox $5 jumps, over 手冲咖啡壶 and internationalisation; l'été  again x";
  FoldedText whole, shifted;
  Fold(text, &whole);
  for (size_t shift = 1; shift < 40; ++shift) {
    Fold(std::string(shift, '-') + text, &shifted);
    ASSERT_EQ(shifted.runs.back().end, whole.runs.back().end);
    for (size_t i = 0; i < whole.runs.back().end; ++i) ASSERT_EQ(whole.units[i], shifted.units[i]) << shift;
  }
  EXPECT_EQ(whole.runs.size(), 5u);  // the .. fox; $; 5 jumps over; 手冲咖啡壶; and ..
  EXPECT_EQ(whole.runs.back().end, 4u + 1 + 3 + 5 + 6);
}

std::vector<uint32_t> ShinglesOf(std::string_view text, ShingleSize size = {}) {
  FoldedText folded;
  Fold(text, &folded);
  std::vector<uint32_t> out;
  AppendShingles(folded, size, &out);
  return out;
}

std::set<uint32_t> SetOf(std::string_view text, ShingleSize size = {}) {
  const std::vector<uint32_t> list = ShinglesOf(text, size);
  return {list.begin(), list.end()};
}

TEST(Shingles, CharactersForHanWordsForLatin) {
  EXPECT_EQ(ShinglesOf("手冲咖啡壶").size(), 3u);                    // 手冲咖 冲咖啡 咖啡壶
  EXPECT_EQ(ShinglesOf("the quick brown fox").size(), 3u);           // pairs of words
  EXPECT_EQ(ShinglesOf("买了 iPhone 15 Pro，屏幕很好").size(), 5u);  // 买了; iphone 15, 15 pro; 屏幕很, 幕很好
  EXPECT_EQ(ShinglesOf("").size(), 0u);
  EXPECT_EQ(ShinglesOf("。，！ ... ").size(), 0u);
  EXPECT_EQ(ShinglesOf("好").size(), 1u);
  EXPECT_EQ(ShinglesOf("😀😀😀😀").size(), 2u);
  EXPECT_EQ(ShinglesOf("手冲咖啡壶", {5, 2}).size(), 1u);
  EXPECT_EQ(ShinglesOf("手冲咖啡壶", {1, 2}).size(), 5u);
  EXPECT_EQ(ShinglesOf("a b c d e f", {3, 4}).size(), 3u);
}

TEST(Shingles, PunctuationCaseAndWidthDoNotCount) {
  EXPECT_EQ(SetOf("The quick, BROWN fox!"), SetOf("the　quick brown ｆｏｘ"));
  EXPECT_EQ(SetOf("手冲。咖啡壶"), SetOf("手冲 咖啡壶"));
  EXPECT_NE(SetOf("手冲咖啡壶"), SetOf("壶咖啡冲手"));
  EXPECT_NE(SetOf("ab c"), SetOf("a bc"));  // where words end counts
  EXPECT_NE(SetOf("dog bites man"), SetOf("man bites dog"));
}

// Shingles as text, cut by another way than the code's: only for text whose kinds are known here.
std::set<std::string> PlainShingles(const std::vector<std::string>& units, size_t width) {
  std::set<std::string> out;
  for (size_t i = 0; i + width <= units.size(); ++i) {
    std::string one;
    for (size_t j = 0; j < width; ++j) one += units[i + j] + "|";
    out.insert(one);
  }
  return out;
}

TEST(Shingles, JaccardEqualsThatOfTextSets) {
  Rng rng(9);
  Comparer comparer;
  for (int i = 0; i < 400; ++i) {
    const bool han = i % 2 == 0;
    std::vector<std::string> a, b;
    for (uint64_t n = 20 + rng.Below(60); n > 0; --n) {
      std::string unit;
      text::AppendUtf8(
          &unit, han ? 0x4e00 + static_cast<char32_t>(rng.Below(30)) : U'a' + static_cast<char32_t>(rng.Below(9)));
      a.push_back(unit);
      if (rng.Below(12) != 0) b.push_back(unit);
    }
    const auto join = [&](const std::vector<std::string>& units) {
      std::string out;
      for (const std::string& unit : units) out += unit + (han ? "" : " ");
      return out;
    };
    const auto plain_a = PlainShingles(a, han ? 3 : 2), plain_b = PlainShingles(b, han ? 3 : 2);
    size_t common = 0;
    for (const std::string& s : plain_a) common += plain_b.count(s);
    const double expected = static_cast<double>(common) / static_cast<double>(plain_a.size() + plain_b.size() - common);
    ASSERT_NEAR(comparer.Jaccard(ShinglesOf(join(a)), ShinglesOf(join(b))), expected, 1e-12);
  }
  const std::vector<uint32_t> none, one = {1, 2, 3, 3, 1}, two = {4, 2, 3, 4, 4}, last = {0, 0xffffffff};
  EXPECT_EQ(comparer.Jaccard(none, none), 0);
  EXPECT_EQ(comparer.Jaccard(one, none), 0);
  EXPECT_EQ(comparer.Jaccard(one, two), 0.5);
  EXPECT_EQ(comparer.Jaccard(last, last), 1);
}

TEST(MinHash, BandingKeepsItsWord) {
  for (const double threshold : {0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0}) {
    const Banding banding = ChooseBanding(threshold, 0.95);
    EXPECT_LE(banding.bands * banding.rows, 128);
    EXPECT_GE(banding.Chance(threshold), 0.95) << threshold;
    // One row more would not have done.
    const int rows = banding.rows + 1;
    if (rows <= 128) EXPECT_LT((Banding{128 / rows, rows}.Chance(threshold)), 0.95) << threshold;
  }
  EXPECT_EQ(ChooseBanding(0.8, 0.95).rows, 7);
  EXPECT_EQ(ChooseBanding(0.8, 0.95).bands, 13);
}

// Single values agree as often as the sets are similar: the law that everything rests on.
TEST(MinHash, AgreesAsOftenAsSetsAreSimilar) {
  for (const double similarity : {0.1, 0.5, 0.8, 0.95}) {
    double agreed = 0, all = 0;
    for (uint64_t seed = 1; seed <= 200; ++seed) {
      const MinHasher hasher({128, 1}, seed);
      Rng rng(seed, "sets");
      std::vector<uint32_t> a, b;
      const size_t common = 100, apart = static_cast<size_t>(100 / similarity - 100 + 0.5);
      for (size_t i = 0; i < common + apart; ++i) {
        const auto x = static_cast<uint32_t>(rng.Next() >> 32);
        if (i < common || i % 2 == 0) a.push_back(x);
        if (i < common || i % 2 == 1) b.push_back(x);
      }
      uint64_t keys_a[128], keys_b[128];
      hasher.Keys(a.data(), a.size(), keys_a);
      hasher.Keys(b.data(), b.size(), keys_b);
      for (int i = 0; i < 128; ++i) agreed += keys_a[i] == keys_b[i], ++all;
    }
    EXPECT_NEAR(agreed / all, similarity, 0.012) << similarity;
  }
}

}  // namespace
}  // namespace atelier::data
