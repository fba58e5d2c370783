#include "text/train_bpe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"

namespace atelier::text {
namespace {

using Strings = std::vector<std::string>;

TextPull Pull(const Strings& texts) {
  return [&texts, i = size_t{0}](std::string* text) mutable {
    if (i == texts.size()) return false;
    *text = texts[i++];
    return true;
  };
}

std::string CodeAndLine(const Strings& texts, const TrainBpeOptions& options) {
  try {
    TrainBpe(Pull(texts), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.Line().find('\n'), std::string::npos);
    return Cat(Info(error.code()).name, ": ", error.what());
  }
  return "no error";
}

// The plain definition: count all pairs of all words anew before each merge.
Strings SlowMerges(const Strings& words, size_t most, size_t least) {
  // Ids as the trainer gives them: the 256 stand-ins in their order, then the merges.
  TrainBpeOptions options;
  options.vocab_size = 259;
  const Strings alphabet = TrainBpe(Pull(words), options).tokens;
  Strings tokens(alphabet.begin() + 3, alphabet.end());
  const auto id_of = [&](const std::string& text) {
    return static_cast<size_t>(std::find(tokens.begin(), tokens.end(), text) - tokens.begin());
  };
  std::vector<std::vector<size_t>> sequences;
  for (const std::string& word : words) {
    std::vector<size_t> ids;
    for (const char c : word) ids.push_back(id_of(std::string(1, c)));
    sequences.push_back(ids);
  }
  Strings merges;
  while (merges.size() < most) {
    std::map<std::pair<size_t, size_t>, size_t> counts;
    for (const auto& ids : sequences) {
      for (size_t i = 0; i + 1 < ids.size(); ++i) ++counts[{ids[i], ids[i + 1]}];
    }
    std::pair<size_t, size_t> best;
    size_t count = 0;
    for (const auto& [pair, n] : counts) {  // in the order of ids
      if (n > count) {
        best = pair;
        count = n;
      }
    }
    if (count < least) break;
    merges.push_back(tokens[best.first] + " " + tokens[best.second]);
    tokens.push_back(tokens[best.first] + tokens[best.second]);
    for (auto& ids : sequences) {
      std::vector<size_t> merged;
      for (size_t i = 0; i < ids.size(); ++i) {
        if (i + 1 < ids.size() && ids[i] == best.first && ids[i + 1] == best.second) {
          merged.push_back(tokens.size() - 1);
          ++i;
        } else {
          merged.push_back(ids[i]);
        }
      }
      ids = merged;
    }
  }
  return merges;
}

TEST(TrainBpe, MergesTheCommonestPairAndOfEqualsTheSmallerIds) {
  // Words: low x5, lower x2, newest x6, widest x3 (Sennrich et al. 2016), without their mark of a word's end.
  Strings texts;
  for (const auto& [word, times] : {std::pair{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}}) {
    for (int i = 0; i < times; ++i) texts.push_back(word);
  }
  const TokenizerSpec spec = TrainBpe(Pull(texts), {.vocab_size = 266});
  EXPECT_EQ(spec.merges, (Strings{"e s", "es t", "l o", "lo w", "e w", "n ew", "new est"}));
  EXPECT_EQ(spec.tokens.size(), 266u);
  EXPECT_EQ(spec.tokens[0], "<s>");
  EXPECT_EQ(spec.tokens[3], "!");
  EXPECT_EQ(spec.tokens.back(), "newest");
  EXPECT_EQ(MakeTokenizer(spec)->Encode("newest").size(), 1u);
}

TEST(TrainBpe, RunsOverlapAndAreMergedFromTheLeft) {
  Rng rng(7);
  for (int round = 0; round < 60; ++round) {
    Strings words;
    const uint64_t letters = 1 + rng.Below(3);
    for (uint64_t n = 1 + rng.Below(12); n-- > 0;) {
      std::string word;
      for (uint64_t i = 1 + rng.Below(8); i-- > 0;) {
        word += std::string(1 + rng.Below(5), static_cast<char>('a' + rng.Below(letters)));
      }
      words.push_back(word);
    }
    const auto least = static_cast<int64_t>(1 + rng.Below(3));
    const TokenizerSpec spec = TrainBpe(Pull(words), {.vocab_size = 259 + 40, .min_frequency = least, .threads = 2});
    EXPECT_EQ(spec.merges, SlowMerges(words, 40, static_cast<size_t>(least))) << Join(words, " ");
  }
}

TEST(TrainBpe, EqualsThePeer) {
  const Json golden =
      ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/tokenizer/golden.json"), "golden");
  const auto texts = golden.at("texts").get<Strings>();
  ASSERT_GT(golden.at("cases").size(), 3u);
  for (const Json& entry : golden.at("cases")) {
    TrainBpeOptions options;
    options.vocab_size = entry.at("vocab_size").get<int64_t>();
    options.min_frequency = entry.at("min_frequency").get<int64_t>();
    options.pre = entry.at("pre").get<std::string>();
    std::string before;
    for (const int threads : {1, 3}) {
      options.threads = threads;
      const TokenizerSpec spec = TrainBpe(Pull(texts), options);
      ASSERT_GE(spec.merges.size(), 8u);
      EXPECT_EQ(Strings(spec.merges.begin(), spec.merges.begin() + 8), entry.at("first_merges").get<Strings>());
      EXPECT_EQ(spec.tokens.size(), entry.at("tokens").get<size_t>());
      EXPECT_EQ(Sha256Hex(Join(spec.tokens, "\n")), entry.at("tokens_sha256").get<std::string>()) << options.pre;
      EXPECT_EQ(Sha256Hex(Join(spec.merges, "\n")), entry.at("merges_sha256").get<std::string>()) << options.pre;
      Strings ids;
      const auto tokenizer = MakeTokenizer(spec);
      for (const std::string& text : texts) {
        std::string line;
        for (const TokenId id : tokenizer->Encode(text)) line += Cat(line.empty() ? "" : " ", id);
        ids.push_back(line);
      }
      EXPECT_EQ(Sha256Hex(Join(ids, "\n")), entry.at("ids_sha256").get<std::string>()) << options.pre;
    }
  }
}

TEST(TrainBpe, BytesThatAreNoTextCountAsReplacementsAndNulIsAByte) {
  const Strings broken = {"\xFF\xFF", "\xFF\xFF", std::string("a\0b", 3), std::string("a\0b", 3)};
  const TokenizerSpec spec = TrainBpe(Pull(broken), {.vocab_size = 300});
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->Encode("\xEF\xBF\xBD\xEF\xBF\xBD").size(), 1u);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(std::string("a\0b", 3))), std::string("a\0b", 3));
}

TEST(TrainBpe, TellsWhatIsWrong) {
  const Strings texts = {"hello hello"};
  EXPECT_EQ(CodeAndLine({}, {}), "invalid_input: tokenizer: the corpus is empty");
  EXPECT_EQ(CodeAndLine({"", ""}, {}), "invalid_input: tokenizer: the corpus is empty");
  EXPECT_EQ(CodeAndLine(texts, {.vocab_size = 258}),
            "invalid_input: tokenizer: a vocabulary of 258 has no room for 256 bytes and 3 special tokens");
  EXPECT_EQ(CodeAndLine(texts, {.pre = "nobody"}), "unsupported: tokenizer: unknown pre-tokenizer 'nobody'");
  TrainBpeOptions options;
  options.special.more = {"<s>"};
  EXPECT_EQ(CodeAndLine(texts, options), "invalid_input: tokenizer: two special tokens are '<s>'");
  options.special.more = {"hello"};
  EXPECT_EQ(CodeAndLine(texts, options),
            "invalid_input: tokenizer: the special token 'hello' is also a token of the texts");
  options.special.more = {"a\nb"};
  EXPECT_EQ(CodeAndLine(texts, options).substr(0, 32), "invalid_input: tokenizer: the sp");
  options.special.more = {"\xFF"};
  EXPECT_EQ(CodeAndLine(texts, options).substr(0, 32), "invalid_input: tokenizer: the sp");
  options.special.more = {std::string(257, 'x')};
  EXPECT_EQ(CodeAndLine(texts, options).substr(0, 32), "invalid_input: tokenizer: the sp");
}

TEST(TrainBpe, OneLongWordIsNotQuadratic) {
  std::string word;
  Rng rng(3);
  for (int i = 0; i < 2'000'000; ++i) word += static_cast<char>('a' + rng.Below(4));
  std::string run(1'000'000, 'z');
  const TokenizerSpec spec = TrainBpe(Pull({word, run}), {.vocab_size = 600});
  EXPECT_EQ(spec.tokens.size(), 600u);
}

TEST(TrainBpe, TellsHowFarItIs) {
  uint64_t read = 0, total = 0, calls = 0;
  Strings texts;
  for (int i = 0; i < 3000; ++i) texts.push_back(Cat("word", i * 7919, " "));
  TrainingNotes notes;
  TrainBpe(
      Pull(texts), {.vocab_size = 600},
      [&](uint64_t done, uint64_t of, std::string_view) {
        ++calls;
        if (of == 0) read = done;
        total = std::max(total, of);
        EXPECT_LE(of == 0 ? 0 : done, of);
      },
      &notes);
  EXPECT_GT(calls, 2u);
  EXPECT_EQ(read, notes.bytes);
  EXPECT_EQ(notes.texts, 3000u);
  EXPECT_EQ(total, 600u);
}

TEST(WordCounts, KeepsEachWordOnce) {
  WordCounts counts, more;
  std::map<std::string, uint64_t> wanted;
  Rng rng(5);
  for (int i = 0; i < 20000; ++i) {
    std::string word(rng.Below(6), static_cast<char>('a' + rng.Below(20)));
    word += std::to_string(rng.Below(3000));
    ++wanted[word];
    (i % 2 == 0 ? counts : more).Add(word);
  }
  counts.AddAll(more);
  EXPECT_EQ(counts.words().size(), wanted.size());
  for (const WordCounts::Word& word : counts.words()) EXPECT_EQ(wanted[std::string(counts.Text(word))], word.count);
}

}  // namespace
}  // namespace atelier::text
