// Vocabularies with fewer tokens cut the texts that they were made for as the whole ones do.
#include "text/vocabulary_subset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "text/train_bpe.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

std::vector<std::string> Pieces(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> out;
  for (const TokenId id : tokenizer.Encode(text)) out.push_back(tokenizer.Piece(id, true));
  return out;
}

std::string Corpus() {
  return ReadFile(Cat(ATELIER_SOURCE_DIR, "/README.md")) + ReadFile(Cat(ATELIER_SOURCE_DIR, "/README.zh.md"));
}

const std::string kOdd = "Zwölf 🦊🦊 sprängen\t\tüber 你好，龘靐 \u0000\x01 ∮ ﷽ ";

// Every substring of the corpus that occurs often enough, with a score of its own: merges go any way they like.
TokenizerSpec RandomPieces(const std::string& corpus, Rng rng) {
  TokenizerSpec spec;
  spec.model = "llama";
  spec.tokens = {"<unk>", "<s>", "</s>"};
  spec.types = {2, 3, 3};
  spec.scores = {0, 0, 0};
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.push_back(std::string{'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'});
    spec.types.push_back(6);
    spec.scores.push_back(0);
  }
  const std::string text = ReplaceAll(corpus, " ", "\xE2\x96\x81");
  std::vector<size_t> starts;
  for (size_t at = 0; at < text.size(); at += DecodeChar(std::string_view(text).substr(at)).length)
    starts.push_back(at);
  starts.push_back(text.size());
  std::map<std::string, int> counts;
  for (size_t length = 1; length <= 4; ++length) {
    for (size_t i = 0; i + length < starts.size(); ++i)
      ++counts[text.substr(starts[i], starts[i + length] - starts[i])];
  }
  for (const auto& [piece, count] : counts) {
    if (count < 4 || piece.find('\n') != std::string::npos) continue;
    spec.tokens.push_back(piece);
    spec.types.push_back(1);
    spec.scores.push_back(static_cast<float>(-1000 * rng.Uniform()));
  }
  spec.unknown = 0, spec.bos = 1, spec.eos = 2;
  return spec;
}

void CutsAlike(const TokenizerSpec& whole, const std::string& text) {
  const auto before = MakeTokenizer(whole);
  const std::vector<TokenId> wanted = before->Encode(text);
  const std::vector<TokenId> stay = TokensThatStay(whole, wanted, 0);
  EXPECT_TRUE(std::is_sorted(stay.begin(), stay.end()));
  EXPECT_LT(stay.size(), whole.tokens.size() * 3 / 4);
  for (const TokenId id : wanted) EXPECT_TRUE(std::binary_search(stay.begin(), stay.end(), id)) << id;
  const auto after = MakeTokenizer(Subset(whole, stay));
  EXPECT_EQ(after->vocab_size(), std::ssize(stay));
  EXPECT_EQ(Pieces(*after, text), Pieces(*before, text));
  // The numbers are those of the same pieces.
  const std::vector<TokenId> ids = after->Encode(text);
  ASSERT_EQ(ids.size(), wanted.size());
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(stay[static_cast<size_t>(ids[i])], wanted[i]);
  // What it was not made for is cut smaller, and nothing of it is lost.
  for (const std::string& other : {Corpus(), kOdd}) {
    EXPECT_EQ(after->Decode(after->Encode(other)), before->Decode(before->Encode(other)));
    EXPECT_GE(after->Encode(other).size(), before->Encode(other).size());
  }
}

TEST(VocabularySubset, PiecesOfAnyScoresMergeAsTheyDid) {
  const std::string corpus = Corpus();
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const TokenizerSpec whole = RandomPieces(corpus, Rng(seed, "pieces"));
    for (const size_t at : {size_t{0}, corpus.size() / 3, corpus.size() * 3 / 4}) {
      CutsAlike(whole, SanitizeUtf8(corpus.substr(at, 1500)));
    }
    CutsAlike(whole, "");
  }
}

TEST(VocabularySubset, PairsOfBytesMergeAsTheyDid) {
  const std::string corpus = Corpus();
  size_t at = 0;
  TrainBpeOptions options;
  options.vocab_size = 3000;
  options.special.bos = options.special.padding = "";
  const TokenizerSpec whole = TrainBpe(
      [&](std::string* text) {
        if (at >= corpus.size()) return false;
        *text = corpus.substr(at, 1000);
        at += 1000;
        return true;
      },
      options);
  for (const size_t from : {size_t{0}, corpus.size() / 3, corpus.size() * 3 / 4}) {
    CutsAlike(whole, SanitizeUtf8(corpus.substr(from, 1500)));
  }
  CutsAlike(whole, "");
  const std::vector<TokenId> stay = TokensThatStay(whole, {}, 0);
  EXPECT_EQ(stay.size(), 257u) << "the alphabet and the control token";
}

TEST(VocabularySubset, TheFirstOnesFillUp) {
  const TokenizerSpec whole = RandomPieces(Corpus(), Rng(9));
  const std::vector<TokenId> fewest = TokensThatStay(whole, {}, 0);
  const std::vector<TokenId> some = TokensThatStay(whole, {}, 700);
  EXPECT_LT(fewest.size(), 400u);
  EXPECT_GE(some.size(), 700u);
  EXPECT_LT(some.size(), 710u) << "a token brings what it is built of";
  EXPECT_EQ(TokensThatStay(whole, {}, 1 << 30).size(), whole.tokens.size());
  for (const TokenId id : {0, 1, 2, 3, 258}) {
    EXPECT_TRUE(std::binary_search(fewest.begin(), fewest.end(), id)) << id;
  }
}

TEST(VocabularySubset, MarksStayWhateverTheirTypeAndMergesWithTheirParts) {
  TokenizerSpec whole;
  whole.model = "gpt2";
  whole.tokens = {"a", "b", "c", "ab", "bc", "abc", "stop", "start", "fill", "what"};
  whole.types.assign(whole.tokens.size(), 1);
  whole.merges = {"a b", "b c", "a bc", "ab c"};
  whole.end_of_generation = {6}, whole.bos = 7, whole.padding = 8, whole.unknown = 9;
  const std::vector<TokenId> wanted = {5};
  const std::vector<TokenId> stay = TokensThatStay(whole, wanted, 0);
  EXPECT_EQ(stay, (std::vector<TokenId>{0, 1, 2, 3, 5, 6, 7, 8, 9})) << "abc is merged of ab and c";
  const TokenizerSpec less = Subset(whole, stay);
  EXPECT_EQ(less.end_of_generation, (std::vector<TokenId>{5}));
  EXPECT_EQ((std::vector<TokenId>{less.bos, less.padding, less.unknown}), (std::vector<TokenId>{6, 7, 8}));
  EXPECT_EQ(less.merges, (std::vector<std::string>{"a b", "ab c"})) << "bc is gone, and what it was part of";
}

TEST(VocabularySubset, RefusesWhatDoesNotMerge) {
  TokenizerSpec words;
  words.model = "bert";
  words.tokens = {"a", "b"};
  EXPECT_THROW(TokensThatStay(words, {}, 0), Error);
  words.model = "llama";
  const std::vector<TokenId> wrong = {2};
  EXPECT_THROW(TokensThatStay(words, wrong, 0), Error);
}

}  // namespace
}  // namespace atelier::text
