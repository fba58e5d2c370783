#include "text/train_unigram.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/error.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "text/space_mark.h"
#include "text/unicode.h"
#include "text/unigram_corpus.h"
#include "text/unigram_trie.h"

namespace atelier::text {
namespace {

constexpr double kScoreUnit = 4096;  // scores are multiples of its inverse

// Words begin at spaces; control characters are words of their own.
class UnigramCutter : public WordCutter {
 public:
  void Cut(std::string_view text, WordCounts* words) const override {
    size_t begin = 0;
    bool control = false;  // of the word that goes on
    for (size_t at = 0; at < text.size(); ++at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      const bool mark = byte == 0xE2 && text.substr(at, kSpaceMark.size()) == kSpaceMark;
      const bool now = byte < 0x20 || byte == 0x7F;
      if (at > begin && (byte == ' ' || mark || now != control)) {
        words->Add(text.substr(begin, at - begin));
        begin = at;
      }
      control = now;
    }
    if (begin < text.size()) words->Add(text.substr(begin));
  }
};

double Digamma(double x) {
  double result = 0;
  for (; x < 7; ++x) result -= 1 / x;
  x -= 0.5;
  const double xx = 1 / (x * x);
  return result + std::log(x) + xx * (1.0 / 24 - xx * (7.0 / 960 - xx * (31.0 / 8064 - xx * 127.0 / 30720)));
}

class UnigramTrainer {
 public:
  UnigramTrainer(const UnigramCorpus& corpus, std::vector<UnigramPiece> pieces, int threads)
      : corpus_(corpus), pieces_(std::move(pieces)), pool_(threads) {
    double sum = 0;
    for (const UnigramPiece& piece : pieces_) sum += piece.score;
    for (UnigramPiece& piece : pieces_) piece.score = std::log(piece.score) - std::log(sum);
    for (const UnigramSegment& segment : corpus_.segments) characters_ += uint64_t{segment.size} * segment.count;
  }

  // Down to `wanted` pieces, characters included.
  void Run(size_t wanted, const ProgressFn& progress) {
    uint64_t total = 4, done = 0;
    for (size_t size = pieces_.size(); size > wanted; size = Next(size, wanted)) total += 3;
    const auto tell = [&] {
      if (progress) progress(++done, total, Cat(pieces_.size(), " pieces"));
    };
    for (;;) {
      for (int i = 0; i < 2; ++i) {
        Expect(wanted);
        tell();
      }
      if (pieces_.size() <= wanted) break;
      Prune(Next(pieces_.size(), wanted));
      tell();
    }
    for (int i = 0; i < 2; ++i) {
      Expect(wanted);
      tell();
    }
  }

  const std::vector<UnigramPiece>& pieces() const { return pieces_; }

 private:
  static constexpr double kUnit = 1 << 20;  // counts are integers of this part
  static constexpr double kLeast = 0.5;     // a piece that is expected less often is none
  static constexpr double kKept = 0.75;     // share of the pieces that a round keeps

  static size_t Next(size_t size, size_t wanted) {
    return std::max(wanted, static_cast<size_t>(kKept * static_cast<double>(size)));
  }
  bool IsCharacter(size_t piece) const { return pieces_[piece].size == 1; }

  // Runs task(segment, thread) for all segments, some at a time.
  template <typename Task>
  void EachSegment(const Task& task) {
    constexpr size_t kAtOnce = 256;
    std::atomic<size_t> next{0};
    pool_.Run([&](int thread) {
      for (size_t first; (first = next.fetch_add(kAtOnce)) < corpus_.segments.size();) {
        const size_t end = std::min(first + kAtOnce, corpus_.segments.size());
        for (size_t i = first; i < end; ++i) task(corpus_.segments[i], static_cast<size_t>(thread));
      }
    });
  }
  using Counts = std::vector<std::vector<int64_t>>;  // [threads][pieces]
  Counts NoCounts() const { return Counts(static_cast<size_t>(pool_.size()), std::vector<int64_t>(pieces_.size())); }
  static std::vector<int64_t> Sum(Counts counts) {
    for (size_t t = 1; t < counts.size(); ++t) {
      for (size_t i = 0; i < counts[0].size(); ++i) counts[0][i] += counts[t][i];
    }
    return std::move(counts[0]);
  }

  // One step of expectation and maximisation; pieces that are hardly expected go, unless too few would be left.
  void Expect(size_t wanted) {
    const UnigramTrie trie(corpus_.text, pieces_, corpus_.characters.size());
    // Probabilities times a factor per character, so that sums over long segments stay within a double.
    std::vector<double> probabilities(pieces_.size());
    for (size_t i = 0; i < pieces_.size(); ++i) {
      probabilities[i] = std::exp(pieces_[i].score + per_character_ * pieces_[i].size);
    }
    Counts counts = NoCounts();
    std::vector<std::vector<Step>> steps(counts.size());
    std::vector<int64_t> likelihoods(counts.size());
    EachSegment([&](const UnigramSegment& segment, size_t thread) {
      const double likelihood = Count(trie, probabilities, segment, &steps[thread], counts[thread].data());
      likelihoods[thread] += std::llround(likelihood * segment.count * 1024);
    });
    int64_t likelihood = 0;
    for (const int64_t part : likelihoods) likelihood += part;
    per_character_ = -static_cast<double>(likelihood) / 1024 / static_cast<double>(characters_);

    const std::vector<int64_t> sums = Sum(std::move(counts));
    const auto rare = [&](size_t i) { return static_cast<double>(sums[i]) < kLeast * kUnit; };
    size_t staying = 0;
    for (size_t i = 0; i < pieces_.size(); ++i) staying += IsCharacter(i) || !rare(i);
    std::vector<UnigramPiece> kept;
    double sum = 0;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (rare(i) && !IsCharacter(i) && staying >= wanted) continue;
      const double expected = std::max(kLeast, static_cast<double>(sums[i]) / kUnit);
      kept.push_back(pieces_[i]);
      kept.back().score = Digamma(expected);
      sum += expected;
    }
    const double log_sum = Digamma(sum);
    for (UnigramPiece& piece : kept) piece.score -= log_sum;
    pieces_ = std::move(kept);
  }

  struct Step {
    double alpha, beta;
  };
  // Adds how often each piece is expected in the segment; returns the logarithm of its probability.
  double Count(const UnigramTrie& trie, const std::vector<double>& probabilities, const UnigramSegment& segment,
               std::vector<Step>* steps, int64_t* counts) const {
    const uint32_t* text = corpus_.text.data() + segment.begin;
    const uint32_t size = segment.size;
    steps->assign(size + 1, {0, 0});
    Step* s = steps->data();
    s[0].alpha = 1;
    for (uint32_t at = 0; at < size; ++at) {
      trie.Prefixes(text + at, [&](uint32_t length, int32_t piece) {
        s[at + length].alpha += s[at].alpha * probabilities[static_cast<size_t>(piece)];
      });
    }
    const double all = s[size].alpha;
    if (!(all > 1e-280 && all < 1e280)) return CountByLogarithms(trie, segment, steps, counts);
    s[size].beta = static_cast<double>(segment.count) * kUnit / all;
    for (uint32_t at = size; at-- > 0;) {
      double beta = 0;
      trie.Prefixes(text + at, [&](uint32_t length, int32_t piece) {
        const double here = probabilities[static_cast<size_t>(piece)] * s[at + length].beta;
        beta += here;
        counts[piece] += static_cast<int64_t>(s[at].alpha * here + 0.5);
      });
      s[at].beta = beta;
    }
    return std::log(all) - per_character_ * size;
  }

  static double AddLogarithms(double a, double b) {
    if (a < b) std::swap(a, b);
    return b == -std::numeric_limits<double>::infinity() ? a : a + std::log1p(std::exp(b - a));
  }
  // The same for segments whose probability no double holds.
  double CountByLogarithms(const UnigramTrie& trie, const UnigramSegment& segment, std::vector<Step>* steps,
                           int64_t* counts) const {
    constexpr double kNever = -std::numeric_limits<double>::infinity();
    const uint32_t* text = corpus_.text.data() + segment.begin;
    const uint32_t size = segment.size;
    steps->assign(size + 1, {kNever, kNever});
    Step* s = steps->data();
    s[0].alpha = 0;
    for (uint32_t at = 0; at < size; ++at) {
      trie.Prefixes(text + at, [&](uint32_t length, int32_t piece) {
        s[at + length].alpha =
            AddLogarithms(s[at + length].alpha, s[at].alpha + pieces_[static_cast<size_t>(piece)].score);
      });
    }
    s[size].beta = 0;
    for (uint32_t at = size; at-- > 0;) {
      trie.Prefixes(text + at, [&](uint32_t length, int32_t piece) {
        const double here = pieces_[static_cast<size_t>(piece)].score + s[at + length].beta;
        s[at].beta = AddLogarithms(s[at].beta, here);
        const double share = std::exp(s[at].alpha + here - s[size].alpha);
        counts[piece] += static_cast<int64_t>(share * segment.count * kUnit + 0.5);
      });
    }
    return s[size].alpha;
  }

  struct Best {
    double score;
    uint32_t from;
    int32_t piece;
  };
  // The likeliest way to cut `size` characters into pieces, from the last to the first; not `without`.
  double Cut(const UnigramTrie& trie, const uint32_t* text, uint32_t size, int32_t without, std::vector<Best>* best,
             std::vector<int32_t>* cut) const {
    best->assign(size + 1, {-std::numeric_limits<double>::infinity(), 0, -1});
    Best* b = best->data();
    b[0].score = 0;
    for (uint32_t at = 0; at < size; ++at) {
      trie.Prefixes(text + at, [&](uint32_t length, int32_t piece) {
        if (at + length > size || piece == without) return;
        const double score = b[at].score + pieces_[static_cast<size_t>(piece)].score;
        if (score > b[at + length].score) b[at + length] = {score, at, piece};
      });
    }
    cut->clear();
    for (uint32_t at = size; at > 0; at = b[at].from) cut->push_back(b[at].piece);
    return b[size].score;
  }

  // Leaves `size` pieces: all characters, and those without which the corpus would lose most likelihood.
  void Prune(size_t size) {
    const UnigramTrie trie(corpus_.text, pieces_, corpus_.characters.size());
    Counts parts = NoCounts();
    std::vector<std::vector<Best>> best(parts.size());
    std::vector<std::vector<int32_t>> cuts(parts.size());
    EachSegment([&](const UnigramSegment& segment, size_t thread) {
      Cut(trie, corpus_.text.data() + segment.begin, segment.size, -1, &best[thread], &cuts[thread]);
      for (const int32_t piece : cuts[thread]) parts[thread][static_cast<size_t>(piece)] += segment.count;
    });
    const std::vector<int64_t> counts = Sum(std::move(parts));
    double sum = 0;
    for (const int64_t count : counts) sum += static_cast<double>(count);
    struct Loss {
      double loss;
      size_t piece;
    };
    std::vector<Loss> losses;
    size_t characters = 0;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      characters += IsCharacter(i);
      if (IsCharacter(i) || counts[i] == 0) continue;
      const UnigramPiece& piece = pieces_[i];
      const double without =
          Cut(trie, corpus_.text.data() + piece.begin, piece.size, static_cast<int32_t>(i), &best[0], &cuts[0]);
      if (without >= piece.score) continue;  // it is not even the best way to cut itself
      const auto count = static_cast<double>(counts[i]);
      // Were it left out, its places would fall to the pieces that it is cut into.
      const double more = static_cast<double>(cuts[0].size() - 1);
      double loss = std::log(count) - std::log(sum);
      const double log_sum = std::log(sum + count * more);
      for (const int32_t part : cuts[0]) {
        loss -= std::log(static_cast<double>(counts[static_cast<size_t>(part)]) + count) - log_sum;
      }
      losses.push_back({count * loss, i});
    }
    const size_t room = size > characters ? size - characters : 0;
    if (losses.size() > room) {
      std::nth_element(
          losses.begin(), losses.begin() + static_cast<int64_t>(room), losses.end(),
          [](const Loss& a, const Loss& b) { return a.loss != b.loss ? a.loss > b.loss : a.piece < b.piece; });
      losses.resize(room);
    }
    std::vector<bool> stays(pieces_.size());
    for (const Loss& loss : losses) stays[loss.piece] = true;
    std::vector<UnigramPiece> kept;
    for (size_t i = 0; i < pieces_.size(); ++i) {
      if (IsCharacter(i) || stays[i]) kept.push_back(pieces_[i]);
    }
    pieces_ = std::move(kept);
  }

  const UnigramCorpus& corpus_;
  std::vector<UnigramPiece> pieces_;  // sorted by their characters' numbers
  ThreadPool pool_;
  uint64_t characters_ = 0;
  double per_character_ = 4;  // mean of the negative logarithm of the probability, of the last step
};

}  // namespace

TokenizerSpec TrainUnigram(const TextPull& next, const TrainUnigramOptions& options, const ProgressFn& progress,
                           TrainingNotes* notes) {
  CheckSpecials(options.special);
  if (options.special.unknown.empty()) {
    throw Error(Code::kInvalidInput, "tokenizer: a unigram vocabulary without an unknown token",
                "give that token a text, like <unk>");
  }
  if (!(options.coverage > 0 && options.coverage <= 1) || options.most_characters < 1 || options.most_characters > 64 ||
      options.candidates < 1 || options.candidates > 100'000'000) {
    throw Error(Code::kInvalidInput, "tokenizer: a setting is out of range",
                "coverage is above 0 and at most 1, pieces have 1 to 64 characters, candidates are 1 to 100000000");
  }
  if (options.vocab_size < 1 || options.vocab_size > 16'000'000) {
    throw Error(Code::kInvalidInput, Cat("tokenizer: a vocabulary of ", options.vocab_size, " tokens"),
                "ask for 1 to 16000000");
  }
  TokenizerSpec spec;
  spec.model = "t5";
  spec.merge_spaces = spec.add_space_prefix = false;
  AddSpecials(options.special, &spec);
  const size_t first = spec.tokens.size();
  spec.scores.resize(first, 0.0f);
  const int threads = options.threads > 0 ? options.threads : ThreadPool::DefaultThreads();
  CorpusSize size;
  UnigramCorpus corpus;
  {
    const WordCounts words = CountWords(next, UnigramCutter(), threads, progress, &size);
    if (words.words().empty()) {
      throw Error(Code::kInvalidInput, "tokenizer: the corpus is empty", "give texts to learn from");
    }
    if (notes != nullptr) *notes = {size.texts, size.bytes, words.words().size()};
    corpus = MakeUnigramCorpus(words, options.coverage);
  }
  const size_t least = first + corpus.characters.size() - 1;
  if (static_cast<size_t>(options.vocab_size) < least) {
    throw Error(Code::kInvalidInput,
                Cat("tokenizer: a vocabulary of ", options.vocab_size, " has no room for ",
                    corpus.characters.size() - 1, " characters and ", first, " special tokens"),
                Cat("ask for ", least, " or more, or cover fewer characters"));
  }
  if (corpus.segments.empty()) {
    throw Error(Code::kInvalidInput, "tokenizer: the corpus holds no text that is UTF-8", "give texts to learn from");
  }
  UnigramTrainer trainer(corpus,
                         UnigramCandidates(corpus, static_cast<uint32_t>(options.most_characters),
                                           static_cast<size_t>(options.candidates), threads),
                         threads);
  trainer.Run(static_cast<size_t>(options.vocab_size) - first, progress);

  struct Token {
    std::string text;
    float score;
  };
  std::vector<Token> tokens;
  const std::unordered_set<std::string> special(spec.tokens.begin(), spec.tokens.end());
  for (const UnigramPiece& piece : trainer.pieces()) {
    Token token{"", static_cast<float>(std::round(piece.score * kScoreUnit) / kScoreUnit)};
    for (uint32_t i = 0; i < piece.size; ++i) {
      const char32_t c = corpus.characters[corpus.text[piece.begin + i]];
      if (c == ' ') {
        token.text += kSpaceMark;
      } else {
        AppendUtf8(&token.text, c);
      }
    }
    if (special.contains(token.text)) {
      throw Error(Code::kInvalidInput,
                  Cat("tokenizer: the special token ", Quote(token.text), " is also a token of the texts"),
                  "give it a text that nobody writes, like <|name|>");
    }
    tokens.push_back(std::move(token));
  }
  std::sort(tokens.begin(), tokens.end(),
            [](const Token& a, const Token& b) { return a.score != b.score ? a.score > b.score : a.text < b.text; });
  for (Token& token : tokens) {
    spec.tokens.push_back(std::move(token.text));
    spec.scores.push_back(token.score);
    spec.types.push_back(static_cast<uint8_t>(TokenType::kNormal));
  }
  return spec;
}

}  // namespace atelier::text
