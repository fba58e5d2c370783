#include "text/segmenter_trainer.h"

#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

constexpr uint32_t kNone = ~uint32_t{0};
constexpr size_t kRun = 100;        // lines of a run
constexpr int kLeastCharacter = 2;  // a rarer character is "unknown"
constexpr int kLeastPair = 1, kLeastSkip = 2, kLeastTriple = 2;
constexpr int kMargin = 30;           // a wrong tag is made this much better while learning
constexpr double kLeastWeight = 0.2;  // rows that weigh less everywhere are left out
constexpr double kMostSum = 32000;    // of int16_t, what weights may add up to

struct Line {
  std::vector<uint16_t> symbols;  // [n + 4], two pads on either side
  std::vector<uint8_t> tags;      // [n]
  std::vector<uint32_t> clauses;  // ends, in places; the last is n
  size_t first = 0;               // its place 0 in the arrays of features
  size_t bytes = 0;
  size_t size() const { return tags.size(); }
};

// Keys that come `least` times or more, in order.
template <typename T>
std::vector<T> Frequent(std::vector<T> all, int least) {
  std::sort(all.begin(), all.end());
  std::vector<T> out;
  for (size_t i = 0; i < all.size();) {
    size_t j = i;
    while (j < all.size() && all[j] == all[i]) ++j;
    if (j - i >= static_cast<size_t>(least)) out.push_back(all[i]);
    i = j;
  }
  return out;
}

template <typename T>
uint32_t IndexOf(const std::vector<T>& keys, T key) {
  const auto found = std::lower_bound(keys.begin(), keys.end(), key);
  return found != keys.end() && *found == key ? static_cast<uint32_t>(found - keys.begin()) : kNone;
}

class Trainer {
 public:
  Trainer(const std::vector<MarkedLine>& marked, const TrainSegmenterOptions& options) : options_(options) {
    for (const MarkedLine& line : marked) {
      if (!line.held_out && !line.words.empty()) Read(line);
    }
    if (words_ < 1000) {
      throw Error(Code::kInvalidInput, Cat("a corpus of ", words_, " words is too small to learn segmentation from"),
                  "give text in which words are marked, at least some 100,000 of them");
    }
    NumberSymbols();
    NumberFeatures();
  }

  SegmenterWeights Run(const ProgressFn& progress) {
    Rng rng(options_.seed);
    std::vector<uint32_t> order(lines_.size());
    std::iota(order.begin(), order.end(), 0);
    const uint64_t total = static_cast<uint64_t>(options_.rounds) * bytes_;
    uint64_t done = 0, told = 0;
    for (int round = 0; round < options_.rounds; ++round) {
      for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.Below(i)]);
      for (const uint32_t line : order) {
        Learn(lines_[line]);
        done += lines_[line].bytes;
        if (done - told < (1 << 18) || !progress) continue;
        progress(done, total, Cat("round ", round + 1, " of ", options_.rounds));
        told = done;
      }
    }
    if (progress) progress(total, total, "");
    return Finish();
  }

 private:
  using Row = std::array<int32_t, kTags>;
  using Totals = std::array<int64_t, kTags>;

  void Read(const MarkedLine& marked) {
    text_.clear();
    std::vector<size_t> borders;
    for (const std::string_view word : marked.words) {
      borders.push_back(text_.size());
      text_ += word;
    }
    borders.push_back(text_.size());
    words_ += marked.words.size();
    units_.clear();
    CutUnits(text_, 0, text_.size(), &units_);
    Line line;
    size_t border = 0;
    const size_t n = units_.size();
    std::vector<bool> opens(n + 1, true);
    for (size_t i = 0; i < n; ++i) {
      while (borders[border] < units_[i].begin) ++border;
      opens[i] = borders[border] == units_[i].begin;
    }
    for (size_t i = 0; i < n; ++i) {
      line.tags.push_back(opens[i] ? (opens[i + 1] ? kTagS : kTagB) : (opens[i + 1] ? kTagE : kTagM));
      const char32_t c = units_[i].c;
      if (opens[i + 1] && (c == U'。' || c == U'！' || c == U'？' || c == U'；' || c == '!' || c == '?' || c == ';')) {
        if (i + 1 < n) line.clauses.push_back(static_cast<uint32_t>(i + 1));
      }
      const bool character = units_[i].kind == UnitKind::kHan || units_[i].kind == UnitKind::kMark;
      if (character) ++counts_[c];
      raw_.push_back({character ? c : 0, KindSymbol(units_[i])});
    }
    line.clauses.push_back(static_cast<uint32_t>(n));
    line.first = raw_.size() - n;
    line.bytes = text_.size();
    bytes_ += text_.size();
    lines_.push_back(std::move(line));
  }

  void NumberSymbols() {
    std::map<char32_t, uint16_t> symbol;
    for (const auto& [c, count] : counts_) {
      if (count < kLeastCharacter || out_.characters.size() >= 0xFFFF - kFirstCharacter) continue;
      symbol[c] = static_cast<uint16_t>(kFirstCharacter + out_.characters.size());
      out_.characters.push_back(c);
    }
    AddTraditional(symbol);
    types_.resize(kFirstCharacter + out_.characters.size());
    for (uint16_t s = 0; s < kFirstCharacter; ++s) types_[s] = TypeOfSymbol(s, 0);
    for (const auto& [c, s] : symbol) types_[s] = TypeOfSymbol(s, c);
    for (Line& line : lines_) {
      line.symbols.assign(line.size() + 4, kPadSymbol);
      for (size_t i = 0; i < line.size(); ++i) {
        const auto& [c, kind] = raw_[line.first + i];
        const auto found = symbol.find(c);
        line.symbols[i + 2] = c != 0 && found != symbol.end() ? found->second : kind;
      }
    }
    raw_.clear();
    raw_.shrink_to_fit();
  }

  // Traditional characters count as the simplified ones that the corpus has.
  void AddTraditional(const std::map<char32_t, uint16_t>& symbol) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::Transliterator> simplify(
        icu::Transliterator::createInstance("Traditional-Simplified", UTRANS_FORWARD, status));
    if (U_FAILURE(status) || simplify == nullptr) return;
    for (char32_t c = 0x3400; c < 0xA000; ++c) {
      if (symbol.contains(c)) continue;
      icu::UnicodeString one(static_cast<UChar32>(c));
      simplify->transliterate(one);
      if (one.countChar32() != 1) continue;
      const auto found = symbol.find(static_cast<char32_t>(one.char32At(0)));
      if (found != symbol.end()) out_.same.emplace_back(c, found->second);
    }
  }

  void NumberFeatures() {
    std::vector<uint32_t> pairs, skips;
    std::vector<uint64_t> triples;
    for (const Line& line : lines_) {
      const uint16_t* s = line.symbols.data() + 1;
      for (size_t i = 0; i <= line.size(); ++i) {
        pairs.push_back(PairKey(s + i));
        if (i == line.size()) continue;
        skips.push_back(SkipKey(s + i));
        triples.push_back(TripleKey(s + i));
      }
    }
    out_.pair_keys = Frequent(std::move(pairs), kLeastPair);
    out_.skip_keys = Frequent(std::move(skips), kLeastSkip);
    out_.triple_keys = Frequent(std::move(triples), kLeastTriple);
    size_t place = 0;
    for (Line& line : lines_) {
      line.first = place;
      place += line.size() + 1;
      const uint16_t* s = line.symbols.data() + 1;
      for (size_t i = 0; i <= line.size(); ++i) {
        pair_.push_back(IndexOf(out_.pair_keys, PairKey(s + i)));
        skip_.push_back(i < line.size() ? IndexOf(out_.skip_keys, SkipKey(s + i)) : kNone);
        triple_.push_back(i < line.size() ? IndexOf(out_.triple_keys, TripleKey(s + i)) : kNone);
      }
    }
    pairs_at_ = types_.size() * 5;
    skips_at_ = pairs_at_ + out_.pair_keys.size() * 4;
    triples_at_ = skips_at_ + out_.skip_keys.size();
    type_rows_at_ = triples_at_ + out_.triple_keys.size() * 3;
    rows_.resize(type_rows_at_ + kTypeRows);
    totals_.resize(rows_.size());
  }

  static uint32_t PairKey(const uint16_t* s) { return static_cast<uint32_t>(s[0]) << 16 | s[1]; }
  static uint32_t SkipKey(const uint16_t* s) { return static_cast<uint32_t>(s[0]) << 16 | s[2]; }
  static uint64_t TripleKey(const uint16_t* s) {
    return static_cast<uint64_t>(s[0]) << 32 | static_cast<uint64_t>(s[1]) << 16 | s[2];
  }

  // Calls do_row(row) for every row that place i of the line takes its score from; as SegmenterModel::Score adds them.
  template <typename F>
  void ForRows(const Line& line, size_t i, const F& do_row) const {
    const uint16_t* s = line.symbols.data() + i;  // place i - 2
    size_t window = 0;
    for (size_t k = 0; k < 5; ++k) {
      do_row(static_cast<size_t>(s[k]) * 5 + (4 - k));
      window = window << 3 | types_[s[k]];
    }
    do_row(type_rows_at_ + window);
    // pair_[first + j] begins at place j - 1; so do skips and triples.
    const size_t j = line.first + i;
    for (size_t row = 0; row < 4; ++row) {  // begins at i + 1 - row
      if (i + 2 < row || i + 2 - row > line.size()) continue;
      if (const uint32_t k = pair_[j + 2 - row]; k != kNone) do_row(pairs_at_ + k * size_t{4} + row);
    }
    if (const uint32_t k = skip_[j]; k != kNone) do_row(skips_at_ + k);
    for (size_t row = 0; row < 3; ++row) {  // begins at i - row
      if (i + 1 < row || i + 1 - row >= line.size()) continue;
      if (const uint32_t k = triple_[j + 1 - row]; k != kNone) do_row(triples_at_ + k * size_t{3} + row);
    }
  }

  void Learn(const Line& line) {
    size_t begin = 0;
    for (const uint32_t end : line.clauses) {
      ++step_;
      const size_t n = end - begin;
      scores_.assign(n, Row{});
      for (size_t i = 0; i < n; ++i) {
        Row& score = scores_[i];
        ForRows(line, begin + i, [&](size_t row) {
          for (int t = 0; t < kTags; ++t) score[t] += rows_[row][t];
        });
        for (int t = 0; t < kTags; ++t) score[t] += t == line.tags[begin + i] ? 0 : kMargin;
      }
      Decode(n);
      for (size_t i = 0; i < n; ++i) {
        const uint8_t right = line.tags[begin + i], wrong = found_[i];
        if (i > 0) {
          const uint8_t right_before = line.tags[begin + i - 1], wrong_before = found_[i - 1];
          if (right != wrong || right_before != wrong_before) {
            Change(&moves_[right_before], &move_totals_[right_before], right, 1);
            Change(&moves_[wrong_before], &move_totals_[wrong_before], wrong, -1);
          }
        }
        if (right == wrong) continue;
        ForRows(line, begin + i, [&](size_t row) {
          Change(&rows_[row], &totals_[row], right, 1);
          Change(&rows_[row], &totals_[row], wrong, -1);
        });
      }
      begin = end;
    }
  }

  void Change(Row* row, Totals* total, uint8_t tag, int by) const {
    (*row)[tag] += by;
    (*total)[tag] += by * static_cast<int64_t>(step_);
  }

  void Decode(size_t n) {
    found_.resize(n);
    back_.resize(n);
    constexpr int32_t kNever = -(1 << 29);
    Row best = {scores_[0][kTagB], kNever, kNever, scores_[0][kTagS]};
    for (size_t i = 1; i < n; ++i) {
      Row next;
      uint8_t bits = 0;
      for (int t = 0; t < kTags; ++t) {
        const bool opens = t == kTagB || t == kTagS;
        const int one = opens ? kTagE : kTagB, two = opens ? kTagS : kTagM;
        const int32_t a = best[one] + moves_[one][t], b = best[two] + moves_[two][t];
        bits |= static_cast<uint8_t>((b > a) << t);
        next[t] = std::max(a, b) + scores_[i][t];
      }
      back_[i] = bits;
      best = next;
    }
    uint8_t tag = best[kTagE] > best[kTagS] ? kTagE : kTagS;
    for (size_t i = n; i-- > 0;) {
      found_[i] = tag;
      const bool two = back_[i] >> tag & 1;
      tag = tag == kTagB || tag == kTagS ? (two ? kTagS : kTagE) : (two ? kTagM : kTagB);
    }
  }

  // Averages, rounds and drops what hardly weighs.
  SegmenterWeights Finish() {
    const auto average = [&](const Row& row, const Totals& total, int t) {
      return static_cast<double>(row[t]) - static_cast<double>(total[t]) / static_cast<double>(step_ + 1);
    };
    // The largest weight per place of each kind of feature gives what a score can add up to.
    const auto largest = [&](size_t from, size_t count, size_t places) {
      std::vector<double> most(places, 0);
      for (size_t i = 0; i < count * places; ++i) {
        for (int t = 0; t < kTags; ++t) {
          most[i % places] = std::max(most[i % places], std::fabs(average(rows_[from + i], totals_[from + i], t)));
        }
      }
      return std::accumulate(most.begin(), most.end(), 0.0);
    };
    const double sum = largest(0, types_.size(), 5) + largest(pairs_at_, out_.pair_keys.size(), 4) +
                       largest(skips_at_, out_.skip_keys.size(), 1) + largest(triples_at_, out_.triple_keys.size(), 3) +
                       largest(type_rows_at_, kTypeRows, 1);
    out_.scale = std::floor(kMostSum / std::max(sum, 1.0));
    const auto rounded = [&](size_t row) {
      TagRow out;
      for (int t = 0; t < kTags; ++t) {
        out[t] = static_cast<int16_t>(std::lround(average(rows_[row], totals_[row], t) * out_.scale));
      }
      return out;
    };
    const auto weighs = [&](size_t from, size_t count) {
      for (size_t row = from; row < from + count; ++row) {
        for (int t = 0; t < kTags; ++t) {
          if (std::fabs(average(rows_[row], totals_[row], t)) >= kLeastWeight) return true;
        }
      }
      return false;
    };
    for (size_t s = 0; s < types_.size(); ++s) {
      auto& rows = out_.symbols.emplace_back();
      for (size_t k = 0; k < 5; ++k) rows[k] = rounded(s * 5 + k);
    }
    const auto keep = [&](size_t from, size_t places, auto* keys, auto add) {
      size_t kept = 0;
      for (size_t i = 0; i < keys->size(); ++i) {
        if (!weighs(from + i * places, places)) continue;
        (*keys)[kept++] = (*keys)[i];
        add(from + i * places);
      }
      keys->resize(kept);
    };
    keep(pairs_at_, 4, &out_.pair_keys, [&](size_t row) {
      out_.pairs.push_back({rounded(row), rounded(row + 1), rounded(row + 2), rounded(row + 3)});
    });
    keep(skips_at_, 1, &out_.skip_keys, [&](size_t row) { out_.skips.push_back(rounded(row)); });
    keep(triples_at_, 3, &out_.triple_keys, [&](size_t row) {
      out_.triples.push_back({rounded(row), rounded(row + 1), rounded(row + 2)});
    });
    for (size_t row = 0; row < kTypeRows; ++row) out_.types.push_back(rounded(type_rows_at_ + row));
    for (int from = 0; from < kTags; ++from) {
      for (int to = 0; to < kTags; ++to) {
        const double weight = average(moves_[from], move_totals_[from], to) * out_.scale;
        out_.transitions[from][to] = static_cast<int16_t>(std::clamp(std::round(weight), -32000.0, 32000.0));
      }
    }
    size_t characters = 0;
    for (const Line& line : lines_) characters += line.size();
    out_.description = ToText(Json{{"source", options_.source},
                                   {"words", words_},
                                   {"units", characters},
                                   {"rounds", options_.rounds},
                                   {"held_out_seed", kHeldOutSeed}});
    return std::move(out_);
  }

  const TrainSegmenterOptions& options_;
  SegmenterWeights out_;
  std::vector<Line> lines_;
  std::map<char32_t, int> counts_;
  std::vector<std::pair<char32_t, uint16_t>> raw_;  // [units]: the character or 0, and the symbol of its kind
  std::vector<uint8_t> types_;                      // [symbols]
  std::vector<uint32_t> pair_, skip_, triple_;      // [places]: indexes of keys
  size_t pairs_at_ = 0, skips_at_ = 0, triples_at_ = 0, type_rows_at_ = 0, words_ = 0;
  std::vector<Row> rows_;
  std::vector<Totals> totals_;  // sums of change times step: an average needs no pass over all weights
  Row moves_[kTags] = {};
  Totals move_totals_[kTags] = {};
  uint64_t step_ = 0, bytes_ = 0;
  std::string text_;
  std::vector<TextUnit> units_;
  std::vector<Row> scores_;
  std::vector<uint8_t> found_, back_;
};

}  // namespace

std::vector<MarkedLine> ReadMarked(std::string_view text, const std::string& file, uint64_t seed) {
  std::vector<MarkedLine> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    MarkedLine out;
    out.held_out = Rng(seed + lines.size() / kRun).Next() % 10 == 0;
    if (!IsValidUtf8(line)) {
      throw Error(Code::kInvalidInput, Cat(file, ":", lines.size() + 1, ": this line is not UTF-8"));
    }
    for (size_t at = 0; at < line.size();) {
      const size_t from = line.find_first_not_of(" \t\r", at);
      if (from == std::string_view::npos) break;
      at = std::min(line.find_first_of(" \t\r", from), line.size());
      std::string_view word = line.substr(from, at - from);
      if (const size_t slash = word.rfind('/'); slash != std::string_view::npos && slash > 0)
        word = word.substr(0, slash);
      out.words.push_back(word);
    }
    lines.push_back(std::move(out));
  }
  return lines;
}

SegmenterWeights TrainSegmenter(const std::vector<MarkedLine>& lines, const TrainSegmenterOptions& options,
                                const ProgressFn& progress) {
  return Trainer(lines, options).Run(progress);
}

}  // namespace atelier::text
