#include "text/wordpiece.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"

namespace atelier::text {
namespace {

using Ids = std::vector<TokenId>;

TokenizerSpec Spec(const std::string& pre) {
  TokenizerSpec spec;
  spec.model = "bert";
  spec.pre = pre;
  spec.tokens = {"[UNK]", "[CLS]"};
  spec.types = {2, 3};
  for (const char* token : {"a", "##b", "b", "=", "金", "##ab", "A", "é", "e", "ab", "##▁", "▁"}) {
    spec.tokens.push_back(SpellWordPiece(token));
    spec.types.push_back(1);
  }
  spec.unknown = 0;
  spec.bos = 1;
  return spec;
}
enum : TokenId { kUnk, kCls, ka, kIb, kb, kEq, kJin, kIab, kA, keAcute, ke, kab, kIMark, kMark };

TEST(WordPiece, CutsFromTheLeftIntoTheLongest) {
  const auto tokenizer = MakeTokenizer(Spec(""));
  EXPECT_EQ(tokenizer->Encode("ab abb aab b"), (Ids{kab, kab, kIb, ka, kIab, kb}));
  EXPECT_EQ(tokenizer->Encode("abx b"), (Ids{kUnk, kb}));  // what cannot be cut to its end is unknown as a whole
  EXPECT_EQ(tokenizer->Encode(""), Ids{});
  EXPECT_EQ(tokenizer->Encode(" \t\n\u3000"), Ids{});
}

TEST(WordPiece, WordsOfMoreThanAHundredCharactersAreUnknown) {
  const auto tokenizer = MakeTokenizer(Spec(""));
  EXPECT_EQ(tokenizer->Encode(std::string(100, 'b')).size(), 100u);
  EXPECT_EQ(tokenizer->Encode(std::string(101, 'b')), Ids{kUnk});
  std::string accents;  // characters are counted after folding
  for (int i = 0; i < 99; ++i) accents += "b\u0301";
  EXPECT_EQ(tokenizer->Encode(accents).size(), 99u);
}

TEST(WordPiece, FoldsAndPartsAsBertDoes) {
  const auto tokenizer = MakeTokenizer(Spec(""));
  EXPECT_EQ(tokenizer->Encode("ÉE\u0301é"), Ids{kUnk});  // one word: e, e, e, and no ##e
  EXPECT_EQ(tokenizer->Encode("É"), Ids{ke});
  EXPECT_EQ(tokenizer->Encode("a金b"), (Ids{ka, kJin, kb}));
  EXPECT_EQ(tokenizer->Encode("a\uF90Ab"), (Ids{ka, kJin, kb}));  // a compatibility character
  EXPECT_EQ(tokenizer->Encode("a≠b"), (Ids{ka, kEq, kb}));        // loses its stroke before words are parted
  EXPECT_EQ(tokenizer->Encode("a=b"), (Ids{ka, kEq, kb}));
  EXPECT_EQ(tokenizer->Encode("a\u0001\u0085\uFFFD\u200Bb"), Ids{kab});
  EXPECT_EQ(tokenizer->Encode(std::string("a\0b", 3)), Ids{kab});
  EXPECT_EQ(tokenizer->Encode("a\xFF\xC0"
                              "b"),
            Ids{kab});
  EXPECT_EQ(tokenizer->Encode("a\u2028b"), (Ids{ka, kb}));
}

TEST(WordPiece, CasedLeavesLettersAsTheyAre) {
  const auto tokenizer = MakeTokenizer(Spec(std::string(kCased)));
  EXPECT_EQ(tokenizer->Encode("A a é e\u0301"), (Ids{kA, ka, keAcute, kUnk}));
}

TEST(WordPiece, TheMarkOfWordsMayStandInThem) {
  const auto tokenizer = MakeTokenizer(Spec(""));
  EXPECT_EQ(tokenizer->Encode("a▁ ▁"), (Ids{ka, kIMark, kMark}));
  EXPECT_EQ(tokenizer->Decode(Ids{ka, kIMark, kab}), " a▁ ab");
}

TEST(WordPiece, SpellingIsUndone) {
  for (const char* token : {"play", "##ing", "##", "#", "###", "▁", "##▁", "##▁x", "[x]", "##[x]"}) {
    EXPECT_EQ(UnspellWordPiece(SpellWordPiece(token)), token) << token;
  }
}

TEST(WordPiece, SpecialTokensAreCutOutOnlyWhereAsked) {
  const auto tokenizer = MakeTokenizer(Spec(""));
  EXPECT_EQ(tokenizer->Encode("a[CLS]b", {.parse_special = true}), (Ids{ka, kCls, kb}));
  EXPECT_EQ(tokenizer->Encode("[CLS]"), (Ids{kUnk, kUnk, kUnk}));
}

TEST(WordPiece, WantsAnUnknownToken) {
  TokenizerSpec spec = Spec("");
  spec.unknown = -1;
  EXPECT_THROW(MakeTokenizer(spec), Error);
}

}  // namespace
}  // namespace atelier::text
