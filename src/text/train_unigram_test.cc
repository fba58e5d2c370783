#include "text/train_unigram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"
#include "text/unicode.h"
#include "text/unigram_corpus.h"
#include "text/unigram_trie.h"

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

std::string TextOf(const UnigramCorpus& corpus, const UnigramPiece& piece) {
  std::string text;
  for (uint32_t i = 0; i < piece.size; ++i) AppendUtf8(&text, corpus.characters[corpus.text[piece.begin + i]]);
  return text;
}

// Sentences of a little language, with Chinese and emoji.
Strings Sentences(size_t count) {
  const Strings words = {"coffee", "kettle", "the", "with", "a",  "手冲",   "咖啡壶",
                         "非常",   "不错",   "😀",   "，",   "。", "pouring"};
  Strings texts;
  Rng rng(11);
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    for (uint64_t n = 3 + rng.Below(8); n-- > 0;) {
      const std::string& word = words[rng.Below(words.size())];
      if (static_cast<unsigned char>(word[0]) < 0x80 && !text.empty()) text += ' ';
      text += word;
    }
    texts.push_back(text + "\n");
  }
  return texts;
}

TEST(UnigramCandidates, AreTheSubstringsThatGoOnInMoreThanOneWay) {
  Rng rng(2);
  for (int round = 0; round < 30; ++round) {
    WordCounts words;
    for (uint64_t n = 1 + rng.Below(30); n-- > 0;) {
      std::string word;
      for (uint64_t i = 1 + rng.Below(9); i-- > 0;) word += static_cast<char>('a' + rng.Below(2 + rng.Below(3)));
      words.Add(word, 1 + rng.Below(3));
    }
    const UnigramCorpus corpus = MakeUnigramCorpus(words, 1);
    constexpr uint32_t kLongest = 5;
    // By hand: how often each substring occurs, and what follows it.
    std::map<std::string, uint64_t> counts;
    std::map<std::string, std::map<std::string, int>> next;
    std::map<std::string, int> places;
    std::map<std::string, bool> whole;
    for (const auto& word : words.words()) {
      const std::string text(words.Text(word));
      for (size_t i = 0; i < text.size(); ++i) {
        for (size_t n = 1; n <= kLongest && i + n <= text.size(); ++n) {
          const std::string part = text.substr(i, n);
          counts[part] += word.count;
          ++places[part];
          // A border, and what lies beyond the longest, differ from everything.
          const bool ends = i + n == text.size() || n == kLongest;
          ++next[part][ends ? Cat("#", places[part]) : text.substr(i + n, 1)];
          if (i == 0 && n == text.size()) whole[part] = true;
        }
      }
    }
    std::map<std::string, double> wanted;
    for (const auto& [part, count] : counts) {
      const bool branches = places[part] > 1 && next[part].size() > 1;
      const bool alone = places[part] == 1 && whole[part];
      if (part.size() == 1 || (count >= 2 && (branches || alone))) {
        wanted[part] = static_cast<double>(count) * static_cast<double>(part.size());
      }
    }
    std::map<std::string, double> found;
    std::string before;
    for (const UnigramPiece& piece : UnigramCandidates(corpus, kLongest, 1000, 2)) {
      EXPECT_TRUE(found.emplace(TextOf(corpus, piece), piece.score).second);
    }
    EXPECT_EQ(found, wanted);
  }
}

TEST(UnigramTrie, FindsEveryPieceThatATextBeginsWith) {
  WordCounts words;
  for (const char* word : {"abcab", "abd", "bca", "哈哈哈", "哈a"}) words.Add(word, 2);
  const UnigramCorpus corpus = MakeUnigramCorpus(words, 1);
  const auto pieces = UnigramCandidates(corpus, 16, 1000, 1);
  const UnigramTrie trie(corpus.text, pieces, corpus.characters.size());
  for (const UnigramSegment& segment : corpus.segments) {
    for (uint32_t i = 0; i < segment.size; ++i) {
      Strings found, wanted;
      const uint32_t* at = corpus.text.data() + segment.begin + i;
      trie.Prefixes(at, [&](uint32_t size, int32_t piece) {
        EXPECT_EQ(pieces[piece].size, size);
        found.push_back(TextOf(corpus, pieces[piece]));
      });
      const std::string rest = TextOf(corpus, {segment.begin + i, segment.size - i});
      for (const UnigramPiece& piece : pieces) {
        if (rest.starts_with(TextOf(corpus, piece))) wanted.push_back(TextOf(corpus, piece));
      }
      std::sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
      EXPECT_EQ(found, wanted) << rest;
    }
  }
}

TEST(TrainUnigram, FindsTheWordsOfALanguage) {
  const Strings texts = Sentences(2000);
  TrainUnigramOptions options;
  options.vocab_size = 80;
  const TokenizerSpec spec = TrainUnigram(Pull(texts), options);
  EXPECT_EQ(spec.tokens.size(), 80u);
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->vocab_size(), 80);
  for (const char* word : {"\xE2\x96\x81"
                           "kettle",
                           "\xE2\x96\x81"
                           "pouring",
                           "咖啡壶", "手冲", "非常", "😀", "\n"}) {
    EXPECT_GE(tokenizer->Find(word), 0) << word;
  }
  // What comes out is what went in, spaces and line ends included.
  for (const std::string& text : {texts[0], std::string("  a  the\n\n kettle "), std::string("咖啡壶 咖啡壶")}) {
    EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text);
  }
  double sum = 0;
  for (size_t id = 4; id < spec.tokens.size(); ++id) {
    sum += std::exp(spec.scores[id]);
    EXPECT_EQ(spec.scores[id] * 4096, std::round(spec.scores[id] * 4096));
    if (id > 4) EXPECT_LE(spec.scores[id], spec.scores[id - 1]);
    EXPECT_EQ(spec.tokens[id].find("\xE2\x96\x81", 1), std::string::npos) << spec.tokens[id];
    EXPECT_TRUE(spec.tokens[id].find('\n') == std::string::npos || spec.tokens[id] == "\n") << spec.tokens[id];
  }
  EXPECT_NEAR(sum, 1, 0.05);
  EXPECT_EQ(spec.unknown, 3);
  EXPECT_EQ(tokenizer->Encode("龘"), (std::vector<TokenId>{3}));
}

TEST(TrainUnigram, IsTheSameForAnyNumberOfThreads) {
  const Strings texts = Sentences(3000);
  TrainUnigramOptions options;
  options.vocab_size = 120;
  options.threads = 1;
  const TokenizerSpec one = TrainUnigram(Pull(texts), options);
  options.threads = 3;
  const TokenizerSpec three = TrainUnigram(Pull(texts), options);
  EXPECT_EQ(one.tokens, three.tokens);
  EXPECT_EQ(one.scores, three.scores);
}

TEST(TrainUnigram, LongSegmentsOfRareCharactersDoNotVanish) {
  // Each character once in a long word: their probability together is far below the smallest double.
  std::string rare;
  for (char32_t c = 0x4E00; c < 0x4E00 + 3000; ++c) AppendUtf8(&rare, c);
  Strings texts(400, "the kettle the kettle");
  texts.push_back(rare);
  TrainUnigramOptions options;
  options.vocab_size = 3100;
  options.coverage = 1;
  const TokenizerSpec spec = TrainUnigram(Pull(texts), options);
  for (const float score : spec.scores) EXPECT_TRUE(std::isfinite(score));
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(rare)), rare);
  EXPECT_GE(tokenizer->Find("\xE2\x96\x81kettle"), 0);
  // Each is expected once among some 4600 tokens; digamma(1) is -0.58.
  EXPECT_NEAR(spec.scores[static_cast<size_t>(tokenizer->Find("一"))], -0.58 - std::log(4600), 0.5);
}

TEST(TrainUnigram, RareCharactersAreUnknown) {
  Strings texts(1000, "aaaa bbbb");
  texts.push_back("a\xE9\xBE\x98z");
  TrainUnigramOptions options;
  options.vocab_size = 30;
  options.coverage = 0.999;
  const TokenizerSpec spec = TrainUnigram(Pull(texts), options);
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->Find("龘"), -1);
  EXPECT_GE(tokenizer->Find("b"), 0);
}

TEST(TrainUnigram, TellsWhatIsWrong) {
  const auto line = [](const Strings& texts, const TrainUnigramOptions& options) -> std::string {
    try {
      TrainUnigram(Pull(texts), options);
    } catch (const Error& error) {
      EXPECT_EQ(error.Line().find('\n'), std::string::npos);
      return error.what();
    }
    return "no error";
  };
  TrainUnigramOptions options;
  EXPECT_EQ(line({}, options), "tokenizer: the corpus is empty");
  EXPECT_EQ(line({"\xFF\xFE"}, options), "tokenizer: the corpus holds no text that is UTF-8");
  options.vocab_size = 6;
  EXPECT_EQ(line({"abc"}, options), "tokenizer: a vocabulary of 6 has no room for 3 characters and 4 special tokens");
  options.vocab_size = 7;
  EXPECT_EQ(line({"abc"}, options), "no error");
  options.special.unknown = "";
  EXPECT_EQ(line({"abc"}, options), "tokenizer: a unigram vocabulary without an unknown token");
  options.special.unknown = "a";
  EXPECT_EQ(line({"abc"}, options), "tokenizer: the special token 'a' is also a token of the texts");
  options.special.unknown = "</s>";
  EXPECT_EQ(line({"abc"}, options), "tokenizer: two special tokens are '</s>'");
  options.special.unknown = "<unk>";
  options.coverage = 0;
  EXPECT_EQ(line({"abc"}, options), "tokenizer: a setting is out of range");
}

TEST(TrainUnigram, TextsThatAreHardlyTexts) {
  Strings texts = {std::string("a\0b\0\0c", 6),
                   "\n\n\n\t\t",
                   " ",
                   "   ",
                   "\xE2\x96\x81x\xE2\x96\x81",
                   std::string(100000, 'z'),
                   "\xF0\x9F\x98\x80\xF0\x9F\x98\x80",
                   "e\xCC\x81"};
  TrainUnigramOptions options;
  options.vocab_size = 40;
  options.coverage = 1;
  const TokenizerSpec spec = TrainUnigram(Pull(texts), options);
  const auto tokenizer = MakeTokenizer(spec);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("   \n\t")), "   \n\t");
  EXPECT_LT(tokenizer->Encode(std::string(160, 'z')).size(), 41u);
  for (const std::string& token : spec.tokens) EXPECT_EQ(token.find('\0'), std::string::npos);
}

}  // namespace
}  // namespace atelier::text
