#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "base/rng.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

using Ids = std::vector<TokenId>;

// The 256 printable stand-ins of bytes, as GPT-2's vocabulary begins: by hand here, so as not to ask the code itself.
std::vector<std::string> ByteAlphabet() {
  std::vector<std::string> tokens(256);
  char32_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool same = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    AppendUtf8(&tokens[static_cast<size_t>(byte)], same ? static_cast<char32_t>(byte) : next++);
  }
  return tokens;
}

TokenizerSpec ByteSpec(std::vector<std::string> merges, std::string pre = "gpt-2") {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = std::move(pre);
  spec.tokens = ByteAlphabet();
  for (const std::string& merge : merges) {
    const size_t space = merge.find(' ', 1);
    if (space != std::string::npos) spec.tokens.push_back(merge.substr(0, space) + merge.substr(space + 1));
  }
  spec.merges = std::move(merges);
  return spec;
}

TokenizerSpec PieceSpec(const std::vector<std::pair<std::string, float>>& pieces) {
  TokenizerSpec spec;
  spec.model = "llama";
  spec.add_space_prefix = false;
  spec.tokens = {"<unk>", "<s>", "</s>"};
  spec.types = {2, 3, 3};
  spec.scores = {0, 0, 0};
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.push_back(std::string{'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'});
    spec.types.push_back(6);
    spec.scores.push_back(0);
  }
  for (const auto& [text, score] : pieces) {
    spec.tokens.push_back(text);
    spec.types.push_back(1);
    spec.scores.push_back(score);
  }
  spec.unknown = 0;
  spec.bos = 1;
  spec.eos = 2;
  return spec;
}

TEST(Bpe, MergesByRankNotByPlace) {
  const auto tokenizer = MakeTokenizer(ByteSpec({"b c", "a b", "ab c", "Ġ a"}));
  EXPECT_EQ(tokenizer->Encode("abc"), (Ids{'a', 256}));  // "b c" ranks first, then nothing fits
  EXPECT_EQ(tokenizer->Encode("ab"), (Ids{257}));
  EXPECT_EQ(tokenizer->Encode("x a"), (Ids{'x', 259}));
  EXPECT_EQ(tokenizer->Encode(""), Ids{});
  EXPECT_EQ(tokenizer->Encode("你"), (Ids{0xE4, 0xBD, 0xA0}));
  EXPECT_EQ(tokenizer->Encode("\xFF"), (Ids{0xEF, 0xBF, 0xBD}));  // U+FFFD
}

TEST(Bpe, OfEqualPairsTheLeftmostMergesFirst) {
  const auto tokenizer = MakeTokenizer(ByteSpec({"a a"}));
  for (size_t n : {3u, 23u, 25u, 101u}) {  // short and long words take different paths
    const Ids ids = tokenizer->Encode(std::string(n, 'a'));
    ASSERT_EQ(ids.size(), n / 2 + 1);
    EXPECT_EQ(ids.back(), 'a');
  }
}

TEST(Bpe, ShortAndLongWordsMergeAlike) {
  // Random merges; a long word is a short one between bytes that merge with nothing, so both paths see the same pairs.
  Rng rng(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> parts = {"a", "b", "c"}, merges;
    for (int i = 0; i < 24; ++i) {
      const std::string left = parts[rng.Below(parts.size())], right = parts[rng.Below(parts.size())];
      merges.push_back(left + " " + right);
      parts.push_back(left + right);
    }
    const auto tokenizer = MakeTokenizer(ByteSpec(merges));
    std::string word;
    while (word.size() < 20) word.push_back(static_cast<char>('a' + rng.Below(3)));
    Ids expected = tokenizer->Encode(word);
    for (int i = 0; i < 30; ++i) expected.push_back('z');
    ASSERT_EQ(tokenizer->Encode(word + std::string(30, 'z')), expected) << word;
  }
}

TEST(Bpe, WholeWordsAreTakenWithoutMergesWhereTheFamilySaysSo) {
  TokenizerSpec spec = ByteSpec({}, "llama-bpe");
  spec.tokens.push_back("abc");
  EXPECT_EQ(MakeTokenizer(spec)->Encode("abc"), (Ids{256}));
  spec.pre = "qwen2";
  EXPECT_EQ(MakeTokenizer(spec)->Encode("abc"), (Ids{'a', 'b', 'c'}));
}

TEST(Bpe, SpecialTokensOnlyWhenAsked) {
  TokenizerSpec spec = ByteSpec({"a b"});
  spec.tokens.insert(spec.tokens.end(), {"<|im_end|>", "<user>", "<s>"});
  spec.types.assign(spec.tokens.size(), 1);
  spec.types[257] = 3;
  spec.types[258] = 4;
  spec.types[259] = 3;
  spec.bos = 259;
  spec.eos = 257;
  spec.add_bos = spec.add_eos = true;
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->Encode("ab<user>"), (Ids{256, 258}));  // user-defined: always
  EXPECT_EQ(tokenizer->Encode("<|im_end|>").size(), 10u);
  EXPECT_EQ(tokenizer->Encode("ab<|im_end|>ab", {.parse_special = true}), (Ids{256, 257, 256}));
  EXPECT_EQ(tokenizer->Encode("ab", {.add_special = true}), (Ids{259, 256, 257}));
  EXPECT_EQ(tokenizer->Encode("", {.add_special = true}), (Ids{259, 257}));
  EXPECT_EQ(tokenizer->Piece(257), "");
  EXPECT_EQ(tokenizer->Piece(257, true), "<|im_end|>");
  EXPECT_EQ(tokenizer->Piece(258), "<user>");
  EXPECT_EQ(tokenizer->Piece(-1), "");
  EXPECT_EQ(tokenizer->Piece(1 << 30, true), "");
  EXPECT_TRUE(tokenizer->IsControl(257));
  EXPECT_FALSE(tokenizer->IsControl(258));
  EXPECT_FALSE(tokenizer->IsControl(-7));
  EXPECT_EQ(tokenizer->Find("<user>"), 258);
  EXPECT_EQ(tokenizer->Find(""), -1);
  EXPECT_EQ(tokenizer->Find("nothing"), -1);
  EXPECT_TRUE(tokenizer->adds_bos());
}

TEST(Bpe, EndsOfGeneration) {
  TokenizerSpec spec = ByteSpec({});
  spec.tokens.insert(spec.tokens.end(), {"<|im_end|>", "<|endoftext|>", "<|im_start|>", "x1", "x2"});
  spec.eos = 259;
  spec.end_of_generation = {258, 99999, -3};
  const auto tokenizer = MakeTokenizer(spec);
  for (TokenId id : {256, 257, 258, 259}) EXPECT_TRUE(tokenizer->EndsGeneration(id)) << id;
  for (TokenId id : {0, 260, -1, -3, 99999}) EXPECT_FALSE(tokenizer->EndsGeneration(id)) << id;
  EXPECT_TRUE(tokenizer->IsControl(256));  // whatever its type says: a user's text must not hold it
  // Harmony: <|end|> ends a message, <|return|> the reply.
  TokenizerSpec harmony = ByteSpec({});
  harmony.tokens.insert(harmony.tokens.end(), {"<|end|>", "<|return|>", "<|call|>"});
  EXPECT_FALSE(MakeTokenizer(harmony)->EndsGeneration(256));
  EXPECT_TRUE(MakeTokenizer(harmony)->EndsGeneration(257));
}

TEST(Bpe, WhatHasNoTokenComesOutAsItsAsciiBytes) {
  TokenizerSpec spec = ByteSpec({});
  spec.tokens[0xE4] = "unused";
  spec.tokens[' '] = "unused2";
  spec.merges = {"x y"};  // a merge whose result is no token
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->Encode("你"), (Ids{0xBD, 0xA0}));
  EXPECT_EQ(tokenizer->Encode("axyb"), (Ids{'a', 'x', 'y', 'b'}));
}

TEST(Bpe, DecodeGivesBackEveryValidText) {
  Rng rng(5);
  const auto tokenizer = MakeTokenizer(ByteSpec({"a b", "ä ½", "Ġ Ġ", "Ġ a", "ab ab"}));
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const size_t length = rng.Below(40);
    for (size_t i = 0; i < length; ++i) {
      AppendUtf8(&text, rng.Below(3) == 0 ? static_cast<char32_t>(rng.Below(0x110000)) : U" ab你\n"[rng.Below(5)]);
    }
    ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text);
  }
}

TEST(SentencePiece, TheHighestScoreMergesFirstThenTheLeftmost) {
  const auto tokenizer = MakeTokenizer(PieceSpec(
      {{"a", -1}, {"b", -1}, {"c", -1}, {"ab", -5}, {"bc", -4}, {"abc", -9}, {"aa", -2}, {"▁", -1}, {"▁a", -3}}));
  EXPECT_EQ(tokenizer->Encode("abc"), (Ids{264}));  // bc, then a+bc
  EXPECT_EQ(tokenizer->Encode("abab"), (Ids{262, 262}));
  EXPECT_EQ(tokenizer->Encode("aaa"), (Ids{265, 259}));
  EXPECT_EQ(tokenizer->Encode(" a"), (Ids{267}));
  EXPECT_EQ(tokenizer->Encode("é"), (Ids{3 + 0xC3, 3 + 0xA9}));  // byte fallback
  EXPECT_EQ(tokenizer->Encode("\xFF"), (Ids{3 + 0xEF, 3 + 0xBF, 3 + 0xBD}));
  EXPECT_EQ(tokenizer->Encode(""), Ids{});
  EXPECT_EQ(tokenizer->Piece(267), " a");
  EXPECT_EQ(tokenizer->Piece(3 + 0xC3), "\xC3");
  EXPECT_EQ(tokenizer->Decode(Ids{1, 3 + 0xC3, 3 + 0xA9, 2}), "é");
  EXPECT_EQ(tokenizer->Decode(Ids{1, 2}, true), "<s></s>");
}

TEST(SentencePiece, SpacePrefixAtTheStartAndAfterSpecialTokens) {
  TokenizerSpec spec = PieceSpec({{"▁", -1}, {"a", -1}, {"▁a", -2}, {"[T]", 0}});
  spec.types.back() = 4;
  spec.add_space_prefix = true;
  spec.add_bos = true;
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->Encode("a"), (Ids{261}));
  EXPECT_EQ(tokenizer->Encode("a[T]a"), (Ids{261, 262, 261}));
  EXPECT_EQ(tokenizer->Encode("<s>a", {.parse_special = true}), (Ids{1, 261}));
  EXPECT_EQ(tokenizer->Encode("a", {.add_special = true}), (Ids{1, 261}));
  EXPECT_EQ(tokenizer->Encode("", {.add_special = true}), (Ids{1}));
}

TEST(SentencePiece, ScoresThatAreNoNumbersDoNoHarm) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto tokenizer =
      MakeTokenizer(PieceSpec({{"a", nan}, {"aa", nan}, {"aaaa", inf}, {"ab", -inf}, {"b", 0.0f}, {"ba", -0.0f}}));
  for (size_t n = 0; n < 70; ++n) {
    const std::string text = std::string(n, 'a') + "ba" + std::string(n, 'b');
    EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text);
  }
}

TEST(Tokenizer, HostileVocabularies) {
  const auto code = [](TokenizerSpec spec) {
    try {
      MakeTokenizer(std::move(spec));
    } catch (const Error& error) {
      return std::string(Info(error.code()).name);
    }
    return std::string("made");
  };
  TokenizerSpec empty;
  empty.model = "gpt2";
  EXPECT_EQ(code(empty), Info(Code::kCorrupt).name);
  TokenizerSpec spec = ByteSpec({"a b"});
  spec.scores.assign(3, 0.0f);
  EXPECT_EQ(code(spec), Info(Code::kCorrupt).name);
  spec.scores.clear();
  spec.types.assign(258, 1);
  EXPECT_EQ(code(spec), Info(Code::kCorrupt).name);
  spec.types.assign(257, 77);
  EXPECT_EQ(code(spec), "made");
  spec.pre = "no-such-family";
  EXPECT_EQ(code(spec), Info(Code::kUnsupported).name);
  spec.pre = "";
  EXPECT_EQ(code(spec), "made");
  spec.model = "unigram";
  EXPECT_EQ(code(spec), Info(Code::kUnsupported).name);

  // Second copies, empty tokens, merges of unknown parts or of no parts, ids beyond the vocabulary: no harm.
  TokenizerSpec odd = ByteSpec({"a b"});
  odd.tokens.insert(odd.tokens.end(), {"", "ab", "a", "", "\xFF\xFE", std::string(size_t{1} << 20, 'q')});
  odd.merges = {"", " ", "a", "  ", "a b", "a b", "qq nothing", "ab ", " ab", "x y z", "\xFF \xFE", "ab ab"};
  odd.bos = 1 << 30;
  odd.eos = -5;
  odd.unknown = 300;
  odd.add_bos = odd.add_eos = true;
  const auto tokenizer = MakeTokenizer(odd);
  EXPECT_EQ(tokenizer->bos(), -1);
  EXPECT_FALSE(tokenizer->adds_bos());
  EXPECT_EQ(tokenizer->Encode("abab", {.add_special = true}), (Ids{'a', 'b', 'a', 'b'}));  // "abab" is no token
  EXPECT_EQ(tokenizer->Find("ab"), 256);
  EXPECT_EQ(tokenizer->Find("a"), 'a');
  for (TokenId id = -2; id < tokenizer->vocab_size() + 2; ++id) tokenizer->Piece(id, true);
}

// Found by fuzzing: a special token of half a character cut the text within characters.
TEST(Tokenizer, SpecialTokensThatAreNoUtf8AreNotCutOut) {
  for (TokenizerSpec spec : {ByteSpec({}), PieceSpec({})}) {
    spec.types.resize(spec.tokens.size(), 1);
    spec.tokens.push_back("\xBD");
    spec.types.push_back(4);
    if (!spec.scores.empty()) spec.scores.push_back(0);
    const auto tokenizer = MakeTokenizer(spec);
    EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("a你b")), "a你b");
  }
}

// Quadratic behaviour would take minutes; the limit only tells the two apart on a busy machine.
TEST(Tokenizer, LongLinesTakeNoTime) {
  std::vector<std::string> merges;
  std::vector<std::pair<std::string, float>> pieces = {{"a", 0}, {"▁", 0}, {"的", 0}};
  for (std::string part : {"a", "Ġ"}) {
    for (int i = 0; i < 10; ++i, part += part) merges.push_back(part + " " + part);
  }
  for (std::string part : {"aa", "▁▁", "的的"}) {
    for (int i = 0; i < 10; ++i, part += part) pieces.emplace_back(part, -1.0f - i);
  }
  const auto begin = std::chrono::steady_clock::now();
  std::string han;
  while (han.size() < 1'000'000) han += "的";
  for (const char* pre : {"llama-bpe", "deepseek-llm", "tekken", "jais-2"}) {
    const auto tokenizer = MakeTokenizer(ByteSpec(merges, pre));
    for (const std::string& text :
         {std::string(1'000'000, 'a'), std::string(1'000'000, 'A'), std::string(1'000'000, ' '), han,
          std::string(1'000'000, ' ') + "x", std::string(500'000, '\n') + std::string(500'000, ' ') + "x"}) {
      ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text) << pre;
    }
  }
  const auto tokenizer = MakeTokenizer(PieceSpec(pieces));
  for (const std::string& text : {std::string(1'000'000, 'a'), std::string(1'000'000, ' '), han}) {
    ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

}  // namespace
}  // namespace atelier::text
