#include "text/special_tokens.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/rng.h"

namespace atelier::text {
namespace {

using Tokens = std::vector<std::pair<std::string_view, int32_t>>;

// The rule as it is stated, without any cleverness: for each token, longest first, every stretch of free text from the
// left.
std::vector<SpecialTokens::Match> Naive(Tokens tokens, std::string_view text) {
  std::stable_sort(tokens.begin(), tokens.end(), [](auto& a, auto& b) { return a.first.size() > b.first.size(); });
  std::vector<bool> taken(text.size());
  std::vector<SpecialTokens::Match> found;
  for (size_t length = text.size(); length > 0; --length) {
    for (size_t at = 0; at + length <= text.size(); ++at) {
      if (std::find(taken.begin() + at, taken.begin() + at + length, true) != taken.begin() + at + length) continue;
      for (const auto& [token, id] : tokens) {
        if (token.size() != length || text.substr(at, length) != token) continue;
        std::fill(taken.begin() + at, taken.begin() + at + length, true);
        found.push_back({at, at + length, id});
        break;
      }
    }
  }
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
  return found;
}

std::vector<std::vector<size_t>> Plain(const std::vector<SpecialTokens::Match>& matches) {
  std::vector<std::vector<size_t>> plain;
  for (const auto& match : matches) plain.push_back({match.begin, match.end, static_cast<size_t>(match.id)});
  return plain;
}

TEST(SpecialTokens, LongestOfTheWholeTextFirst) {
  const SpecialTokens tokens({{"ab", 0}, {"bcd", 1}, {"d", 2}});
  // Leftmost-longest would take "ab" and leave "cd"; the longest token goes first.
  EXPECT_EQ(Plain(tokens.Find("abcd")), (std::vector<std::vector<size_t>>{{1, 4, 1}}));
  EXPECT_EQ(Plain(tokens.Find("abd")), (std::vector<std::vector<size_t>>{{0, 2, 0}, {2, 3, 2}}));
  EXPECT_TRUE(tokens.Find("").empty());
  EXPECT_TRUE(tokens.Find("xyz").empty());
  EXPECT_TRUE(SpecialTokens().Find("abcd").empty());
}

TEST(SpecialTokens, EqualsTheStatedRuleOnRandomVocabularies) {
  Rng rng(11);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> words(1 + rng.Next() % 8);
    for (std::string& word : words) {
      const size_t length = 1 + rng.Next() % 5;
      while (word.size() < length) word.push_back(static_cast<char>('a' + rng.Next() % 2));
    }
    Tokens tokens;
    for (size_t i = 0; i < words.size(); ++i) tokens.emplace_back(words[i], static_cast<int32_t>(i));
    std::string text;
    const size_t length = rng.Next() % 24;
    while (text.size() < length) text.push_back(static_cast<char>('a' + rng.Next() % 2));
    ASSERT_EQ(Plain(SpecialTokens(tokens).Find(text)), Plain(Naive(tokens, text))) << text;
  }
}

TEST(SpecialTokens, ManyTokensAndOneHugeTextTakeOnePass) {
  std::vector<std::string> words;
  for (int i = 1; i <= 300; ++i) words.push_back(std::string(static_cast<size_t>(i), '\n'));
  for (int i = 0; i < 5000; ++i) words.push_back("<unused" + std::to_string(i) + ">");
  words.push_back(std::string(1 << 20, 'z'));
  Tokens list;
  for (size_t i = 0; i < words.size(); ++i) list.emplace_back(words[i], static_cast<int32_t>(i));
  const SpecialTokens tokens(list);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(tokens.Find(std::string(1'000'007, '\n')).size(), 1'000'007u / 300 + 1);
  EXPECT_EQ(tokens.Find(std::string((1 << 20) - 1, 'z')).size(), 0u);
  EXPECT_EQ(tokens.Find(std::string(1 << 20, 'z')).size(), 1u);
  std::string tags;
  for (int i = 0; i < 100'000; ++i) tags += "<unused4999><unused";
  EXPECT_EQ(tokens.Find(tags).size(), 100'000u);
  // Quadratic time would take hours; this only tells the two apart.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace atelier::text
