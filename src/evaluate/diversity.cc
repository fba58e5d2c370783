#include "evaluate/diversity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"
#include "evaluate/bleu.h"
#include "evaluate/gram_matcher.h"
#include "evaluate/rouge_tokens.h"
#include "evaluate/score_tokens.h"
#include "evaluate/sums.h"
#include "evaluate/units.h"

namespace atelier::evaluate {
namespace {

std::vector<std::string> Tokenizers() {
  std::vector<std::string> names = {"units", "zh-words"};
  names.insert(names.end(), SchemeNames().begin(), SchemeNames().end());
  return names;
}

// All texts' tokens as numbers, one text behind the other.
struct Corpus {
  std::vector<uint32_t> tokens;
  std::vector<size_t> ends;

  std::span<const uint32_t> text(size_t i) const {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::span(tokens).subspan(begin, ends[i] - begin);
  }
};

// Words to numbers, for a whole file.
class Vocabulary {
 public:
  uint32_t Number(std::string_view word) {
    const auto known = numbers_.find(word);
    if (known != numbers_.end()) return known->second;
    return numbers_.emplace(word, static_cast<uint32_t>(numbers_.size())).first->second;
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view word) const { return std::hash<std::string_view>()(word); }
  };
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_;
};

// Appends a text's tokens; one object for a whole file.
class Tokenizer {
 public:
  explicit Tokenizer(const DiversityOptions& options) {
    const std::vector<std::string> names = Tokenizers();
    if (std::find(names.begin(), names.end(), options.tokenize) == names.end()) {
      throw Error(Code::kUsage, Cat("diversity: there is no tokenizer ", Quote(options.tokenize)), Join(names, ", "));
    }
    if (options.tokenize == "units") return;
    if (options.tokenize == "zh-words") {
      if (!options.words) throw Error(Code::kUsage, "diversity: zh-words wants a segmenter, and here is none");
      source_ = options.words();
      words_ = std::make_unique<RougeTokenizer>(RougeUnits::kSegments, false, source_.segmenter);
    } else {
      scheme_ = std::make_unique<ScoreTokenizer>(SchemeOf(options.tokenize, "diversity"), options.lowercase);
    }
  }

  void Append(std::string_view text, std::vector<uint32_t>* tokens) {
    if (words_ != nullptr) {
      words_->Tokenize(text, &word_numbers_);
      tokens->insert(tokens->end(), word_numbers_.tokens.begin(), word_numbers_.tokens.end());
    } else if (scheme_ != nullptr) {
      scheme_->Split(text, &line_);
      for (const std::string_view token : line_.tokens) tokens->push_back(vocabulary_.Number(token));
    } else {
      for (const std::string& unit : Units(text)) tokens->push_back(vocabulary_.Number(unit));
    }
  }

  const std::string& source() const { return source_.name; }

 private:
  WordSource source_;
  std::unique_ptr<RougeTokenizer> words_;
  std::unique_ptr<ScoreTokenizer> scheme_;
  RougeText word_numbers_;
  TokenLine line_;
  Vocabulary vocabulary_;
};

// One n-gram of the corpus.
struct Gram {
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t total = 0;
  uint32_t text = kNone, here = 0;            // the text that is being counted, and how often it has had the n-gram
  uint32_t most = 0, holder = 0, second = 0;  // of its counts in single texts: the largest, whose, the next

  void Leave() {
    if (here > most) {
      second = most;
      most = here;
      holder = text;
    } else {
      second = std::max(second, here);
    }
  }
};

// For every text the length of another one that is nearest to its own, of two equally near the shorter. REQUIRES: two.
std::vector<int64_t> NearestLengths(const Corpus& corpus) {
  std::map<int64_t, size_t> lengths;
  const auto length = [&](size_t i) { return static_cast<int64_t>(corpus.text(i).size()); };
  for (size_t i = 0; i < corpus.ends.size(); ++i) ++lengths[length(i)];
  std::vector<int64_t> nearest;
  for (size_t i = 0; i < corpus.ends.size(); ++i) {
    const int64_t own = length(i);
    const auto at = lengths.find(own), above = std::next(at);
    if (at->second > 1) {
      nearest.push_back(own);
    } else if (at == lengths.begin() || (above != lengths.end() && above->first - own < own - std::prev(at)->first)) {
      nearest.push_back(above->first);
    } else {
      nearest.push_back(std::prev(at)->first);
    }
  }
  return nearest;
}

double Entropy(const std::vector<Gram>& grams, int64_t total) {
  std::map<uint32_t, int64_t> equal;  // n-grams by how often they occur: the sum has one order
  for (const Gram& gram : grams) ++equal[gram.total];
  double sum = 0;
  for (const auto& [times, number] : equal) {
    const double share = static_cast<double>(times) / static_cast<double>(total);
    sum -= static_cast<double>(number) * share * std::log(share);
  }
  return std::max(0.0, sum);
}

// Counts n-grams of one length after the other.
class Counter {
 public:
  explicit Counter(const Corpus& corpus) : corpus_(corpus), grams_at_(corpus.tokens.size()) {}

  // The n-grams one longer than before; appends to what `diversity` has by length.
  void Next(Diversity* diversity) {
    ++n_;
    KeyTable::Set set = table_.Begin(corpus_.tokens.size());
    grams_.clear();
    int64_t all = 0;
    double repetition = 0;
    ForEach([&](uint32_t text, size_t begin, size_t places) {
      size_t different = 0;
      for (size_t at = begin; at < begin + places; ++at) {
        const uint64_t before = n_ == 1 ? 0 : grams_at_[at];
        grams_at_[at] = set.Add(before << 32 | corpus_.tokens[at + n_ - 1]);
        if (grams_at_[at] == grams_.size()) grams_.emplace_back();
        Gram& gram = grams_[grams_at_[at]];
        if (gram.text != text) {
          gram.Leave();
          gram.text = text;
          gram.here = 0;
          ++different;
        }
        ++gram.here;
        ++gram.total;
      }
      all += static_cast<int64_t>(places);
      if (places > 0) repetition += 1 - static_cast<double>(different) / static_cast<double>(places);
    });
    for (Gram& gram : grams_) {
      gram.Leave();
      gram.text = Gram::kNone;
    }
    diversity->ngrams.push_back(all);
    diversity->different.push_back(static_cast<int64_t>(grams_.size()));
    diversity->distinct.push_back(all == 0 ? kUndefined
                                           : static_cast<double>(grams_.size()) / static_cast<double>(all));
    diversity->entropy.push_back(all == 0 ? kUndefined : Entropy(grams_, all));
    diversity->repetition.push_back(all == 0 ? kUndefined : repetition / static_cast<double>(corpus_.ends.size()));
  }

  // By text, how many of its n-grams the others have, each at most as often as one of them. Once for each length.
  void Matches(std::vector<int64_t>* matches) {
    matches->assign(corpus_.ends.size(), 0);
    ForEach([&](uint32_t text, size_t begin, size_t places) {
      for (size_t at = begin; at < begin + places; ++at) {
        Gram& gram = grams_[grams_at_[at]];
        if (gram.text != text) {
          gram.text = text;
          gram.here = 0;
        }
        const uint32_t most = gram.holder == text ? gram.second : gram.most;
        (*matches)[text] += ++gram.here <= most;
      }
    });
  }

 private:
  template <typename F>
  void ForEach(const F& f) {
    size_t begin = 0;
    for (uint32_t text = 0; text < corpus_.ends.size(); ++text) {
      const size_t length = corpus_.ends[text] - begin;
      f(text, begin, length < n_ ? 0 : length - n_ + 1);
      begin = corpus_.ends[text];
    }
  }

  const Corpus& corpus_;
  size_t n_ = 0;
  std::vector<uint32_t> grams_at_;  // by token: the n-gram that begins there
  std::vector<Gram> grams_;
  KeyTable table_;
};

void CountRepeats(std::span<const std::string_view> texts, std::span<const size_t> chosen, Diversity* diversity) {
  std::unordered_map<std::string_view, size_t> lines;
  for (const size_t i : chosen) {
    const auto [at, is_new] = lines.emplace(texts[i], i + 1);
    if (is_new) continue;
    if (diversity->repeats++ > 0) continue;
    diversity->first_repeat = i + 1;
    diversity->first = at->second;
  }
}

}  // namespace

void DiversityOptions::Declare(MetricSettings& settings) {
  settings.Int("n", &n, "the longest n-grams", 1, 16);
  settings.Choice("tokenize", &tokenize, Tokenizers(),
                  "Chinese characters and lower-case words; a segmenter's words; BLEU's");
  settings.Flag("lowercase", &lowercase, "upper and lower case count as equal, for BLEU's tokenizers");
  settings.Choice("smooth", &smooth, {"exp", "floor", "add-k", "none"},
                  "of self-BLEU, what stands for precisions of 0");
  settings.Number("smooth-value", &smooth_value, "of floor (0.1 when not given) and add-k (1)", 0, 1e6);
  settings.Int("sample", &sample, "measure so many lines, drawn at random, instead of all", 0, INT64_MAX);
  settings.Int("seed", &seed, "of the random numbers", 0, INT64_MAX);
  settings.Words(&words);
}

std::vector<size_t> DrawTexts(size_t texts, int64_t sample, uint64_t seed) {
  std::vector<size_t> places(texts);
  std::iota(places.begin(), places.end(), size_t{0});
  if (sample <= 0 || static_cast<uint64_t>(sample) >= texts) return places;
  Rng rng(seed, "diversity");
  const auto wanted = static_cast<size_t>(sample);
  for (size_t i = 0; i < wanted; ++i) std::swap(places[i], places[i + rng.Below(texts - i)]);
  places.resize(wanted);
  std::sort(places.begin(), places.end());
  return places;
}

Diversity MeasureDiversity(std::span<const std::string_view> texts, const DiversityOptions& options,
                           const ProgressFn& progress) {
  std::vector<Bleu> bleu;
  for (int64_t n = 1; n <= options.n; ++n) {
    bleu.emplace_back(BleuOptions{
        .tokenize = "none", .smooth = options.smooth, .smooth_value = options.smooth_value, .max_order = n});
  }
  Tokenizer tokenizer(options);
  Diversity diversity;
  std::vector<size_t> chosen;
  Corpus corpus;
  const std::vector<size_t> drawn = DrawTexts(texts.size(), options.sample, static_cast<uint64_t>(options.seed));
  const auto passes = static_cast<uint64_t>(options.n) + 1;  // over the texts
  for (size_t i = 0; i < drawn.size(); ++i) {
    if (progress && i % 4096 == 4095) progress(i, passes * drawn.size(), "");
    tokenizer.Append(texts[drawn[i]], &corpus.tokens);
    if (corpus.tokens.size() == (corpus.ends.empty() ? 0 : corpus.ends.back())) {
      ++diversity.without_tokens;
      continue;
    }
    corpus.ends.push_back(corpus.tokens.size());
    chosen.push_back(drawn[i]);
  }
  if (chosen.empty()) {
    throw Error(Code::kInvalidInput, "no text has a token: nothing can be measured",
                Cat("--tokenize ", options.tokenize, " finds none; char takes every character"));
  }
  diversity.texts = chosen.size();
  diversity.tokens = corpus.tokens.size();
  CountRepeats(texts, chosen, &diversity);

  const bool several = chosen.size() > 1;
  std::vector<int64_t> nearest, matches;
  if (several) nearest = NearestLengths(corpus);
  // A text's integers as Bleu has them: [length, nearest length, matches by order, n-grams by order].
  std::vector<std::vector<int64_t>> by_order;
  std::vector<int64_t> row;
  Counter counter(corpus);
  for (size_t n = 1; n <= bleu.size(); ++n) {
    if (progress) progress(n * drawn.size(), passes * drawn.size(), "");
    counter.Next(&diversity);
    if (!several) {
      diversity.self_bleu.push_back(kUndefined);
      continue;
    }
    counter.Matches(&matches);
    by_order.push_back(matches);
    row.assign(bleu[n - 1].width(), 0);
    double sum = 0;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto length = static_cast<int64_t>(corpus.text(i).size());
      row[0] = length;
      row[1] = nearest[i];
      for (size_t order = 1; order <= n; ++order) {
        row[1 + order] = by_order[order - 1][i];
        row[1 + n + order] = std::max<int64_t>(0, length - static_cast<int64_t>(order) + 1);
      }
      sum += bleu[n - 1].LineScore(row, 0);
    }
    diversity.self_bleu.push_back(sum / static_cast<double>(chosen.size()));
  }

  if (drawn.size() < texts.size()) {
    diversity.signature = Cat("sample:", options.sample, "|seed:", options.seed, "|rng:splitmix64|");
  }
  const bool lower = options.lowercase || options.tokenize == "units" || options.tokenize == "zh-words";
  const std::string fields = bleu[0].Fields(true);  // "case:..|eff:yes|tok:none|smooth:floor[0.10]|order:1"
  const size_t smooth = fields.find("|smooth:");
  diversity.signature +=
      Cat("case:", lower ? "lc" : "mixed", "|tok:", options.tokenize, tokenizer.source().empty() ? "" : "-",
          tokenizer.source(), "|n:", options.n, "|eff:yes",
          fields.substr(smooth, fields.find('|', smooth + 1) - smooth), "|version:", bleu[0].version());
  return diversity;
}

}  // namespace atelier::evaluate
