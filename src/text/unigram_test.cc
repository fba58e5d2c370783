#include "text/unigram.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/rng.h"
#include "text/charsmap.h"
#include "text/double_array.h"

namespace atelier::text {
namespace {

using Ids = std::vector<TokenId>;

// <unk> 0, <s> 1, </s> 2, then the pieces.
TokenizerSpec Spec(const std::vector<std::pair<std::string, float>>& pieces,
                   const std::vector<std::pair<std::string, std::string>>& characters = {}) {
  TokenizerSpec spec;
  spec.model = "t5";
  spec.tokens = {"<unk>", "<s>", "</s>"};
  spec.types = {2, 3, 3};
  spec.scores = {0, 0, 0};
  for (const auto& [text, score] : pieces) {
    spec.tokens.push_back(text);
    spec.types.push_back(1);
    spec.scores.push_back(score);
  }
  spec.unknown = 0;
  spec.bos = 1;
  spec.eos = 2;
  spec.add_bos = spec.add_eos = true;
  if (!characters.empty()) spec.charsmap = Charsmap::Build(characters);
  return spec;
}

TEST(Unigram, TakesTheGreatestSumNotTheLongestToken) {
  // ▁ab + c = -5, ▁a + bc = -4, ▁abc = -6
  const auto tokenizer = MakeTokenizer(Spec({{"▁ab", -1}, {"c", -4}, {"▁a", -2}, {"bc", -2}, {"▁abc", -6}}));
  EXPECT_EQ(tokenizer->Encode("abc"), (Ids{5, 6}));
  EXPECT_EQ(tokenizer->Encode("abc", {.add_special = true}), (Ids{1, 5, 6, 2}));
  EXPECT_EQ(tokenizer->Decode(Ids{1, 5, 6, 2}), " abc");
}

TEST(Unigram, WhiteSpaceIsOneMarkBeforeEachWord) {
  const auto tokenizer = MakeTokenizer(Spec({{"▁a", -1}, {"b", -1}, {"▁", -3}}, {{"\t", " "}, {"\xE3\x80\x80", " "}}));
  const Ids wanted = {3, 3, 4};
  EXPECT_EQ(tokenizer->Encode("a ab"), wanted);
  EXPECT_EQ(tokenizer->Encode("  a \t \xE3\x80\x80 ab  "), wanted);
  EXPECT_EQ(tokenizer->Encode(""), Ids{});
  EXPECT_EQ(tokenizer->Encode(" \t "), Ids{});
  TokenizerSpec spec = Spec({{"▁a", -1}, {"▁", -3}});
  spec.merge_spaces = false;
  EXPECT_EQ(MakeTokenizer(spec)->Encode("a  a "), (Ids{3, 4, 3, 4}));
}

TEST(Unigram, UnknownCharactersAreOneTokenTogether) {
  const auto tokenizer = MakeTokenizer(Spec({{"▁", -2}, {"a", -1}, {"▁a", -1}}));
  EXPECT_EQ(tokenizer->Encode("☕🫖𠮷a☕"), (Ids{3, 0, 4, 0}));
  EXPECT_EQ(tokenizer->Encode("\xFF\xFE"), (Ids{3, 0}));  // U+FFFD twice
  EXPECT_EQ(tokenizer->Decode(Ids{3, 0, 4}, true), " <unk>a");
}

TEST(Unigram, ControlTokensInATextAreText) {
  const auto tokenizer = MakeTokenizer(Spec({{"▁", -1}, {"<", -1}, {"s", -1}, {">", -1}}));
  EXPECT_EQ(tokenizer->Encode("<s>"), (Ids{3, 4, 5, 6}));
  EXPECT_EQ(tokenizer->Encode("<s>s", {.parse_special = true}), (Ids{1, 3, 5}));
}

TEST(Unigram, TheLongestReplacementWins) {
  const auto tokenizer = MakeTokenizer(
      Spec({{"▁x", -1}, {"▁y", -1}, {"y", -1}, {"x", -1}}, {{"\xC2\xBD", "x"}, {"\xC2\xBD\xCC\x81", "y"}, {"q", ""}}));
  EXPECT_EQ(tokenizer->Encode("½q"), (Ids{3}));
  EXPECT_EQ(tokenizer->Encode("q½\xCC\x81½"), (Ids{4, 6}));
}

TEST(Unigram, RefusesVocabulariesThatContradictThemselves) {
  const auto refused = [](const std::function<void(TokenizerSpec*)>& change) {
    TokenizerSpec spec = Spec({{"a", -1}}, {{"b", "c"}});
    change(&spec);
    try {
      MakeTokenizer(std::move(spec));
    } catch (const Error& error) {
      return error.code() == Code::kCorrupt;
    }
    return false;
  };
  EXPECT_FALSE(refused([](TokenizerSpec*) {}));
  EXPECT_TRUE(refused([](TokenizerSpec* spec) { spec->scores.clear(); }));
  EXPECT_TRUE(refused([](TokenizerSpec* spec) { spec->unknown = -1; }));
  EXPECT_TRUE(refused([](TokenizerSpec* spec) { spec->scores[3] = __builtin_nanf(""); }));
  EXPECT_TRUE(refused([](TokenizerSpec* spec) { spec->tokens[3].assign(5000, 'a'); }));
  EXPECT_TRUE(refused([](TokenizerSpec* spec) { spec->charsmap = "ab"; }));
  EXPECT_TRUE(refused([](TokenizerSpec* spec) { spec->charsmap[1] = '\x7F'; }));
  EXPECT_TRUE(refused([](TokenizerSpec* spec) { spec->charsmap.pop_back(); }));
}

// Random keys over few bytes share many beginnings; every one is found, and nothing else.
TEST(DoubleArray, FindsWhatWasPutInAndNothingElse) {
  Rng rng(7);
  for (int round = 0; round < 40; ++round) {
    std::map<std::string, uint32_t> keys;
    const int letters = 1 + static_cast<int>(rng.Next() % 255);
    const size_t count = rng.Next() % 3000;
    for (size_t i = 0; i < count; ++i) {
      std::string key;
      for (size_t n = 1 + rng.Next() % 9; n > 0; --n) key += static_cast<char>(1 + rng.Next() % letters);
      keys.emplace(key, static_cast<uint32_t>(rng.Next() & 0x7FFFFFFF));
    }
    std::vector<DoubleArray::Key> sorted(keys.begin(), keys.end());
    const DoubleArray trie(DoubleArray::Build(sorted));
    for (size_t i = 0; i < 300 + keys.size(); ++i) {
      std::string text;
      if (i < keys.size()) text = sorted[i].first;
      for (size_t n = rng.Next() % 6; n > 0; --n) text += static_cast<char>(rng.Next() % (letters + 2));
      std::map<size_t, uint32_t> wanted, found;
      for (size_t n = 1; n <= text.size(); ++n) {
        if (const auto key = keys.find(text.substr(0, n)); key != keys.end()) wanted[n] = key->second;
      }
      trie.Prefixes(text, [&](size_t length, uint32_t value) { found[length] = value; });
      ASSERT_EQ(found, wanted) << round;
      if (!text.empty()) {
        const auto first = keys.lower_bound(text.substr(0, 1));
        ASSERT_EQ(trie.Begins(static_cast<unsigned char>(text[0])), first != keys.end() && first->first[0] == text[0]);
      }
    }
  }
}

TEST(Charsmap, APlaceBeyondItsTextsIsNoReplacement) {
  std::string bytes = Charsmap::Build({{"a", "xyz"}, {"b", "q"}});
  std::string_view to;
  EXPECT_EQ(Charsmap(bytes).Match("b", &to), 1u);
  EXPECT_EQ(to, "q");
  bytes.resize(bytes.size() - 2);  // without q
  const Charsmap cut(bytes);
  EXPECT_EQ(cut.Match("a", &to), 1u);
  EXPECT_EQ(cut.Match("b", &to), 0u);
}

TEST(DoubleArray, UnitsThatLieLeadNowhereOutside) {
  Rng rng(8);
  for (int round = 0; round < 500; ++round) {
    std::vector<uint32_t> units(rng.Next() % 300);
    for (uint32_t& unit : units) unit = static_cast<uint32_t>(rng.Next() >> rng.Next() % 32);
    std::string bytes(4, '\0'), text;
    const auto size = static_cast<uint32_t>(units.size() * 4);
    std::memcpy(bytes.data(), &size, 4);
    bytes.append(reinterpret_cast<const char*>(units.data()), size);
    bytes += std::string("abc\0", 4);
    const Charsmap map(bytes);
    for (int i = 0; i < 50; ++i) text += static_cast<char>(rng.Next());
    for (size_t at = 0; at < text.size(); ++at) {
      std::string_view to;
      const size_t matched = map.Match(std::string_view(text).substr(at), &to);
      ASSERT_LE(matched, text.size() - at);
      ASSERT_LE(to.size(), 3u);
    }
  }
}

}  // namespace
}  // namespace atelier::text
