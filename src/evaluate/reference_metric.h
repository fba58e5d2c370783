// The frame of metrics that hold texts against references, line by line: BLEU, chrF, TER, ROUGE ...
//
// A metric turns one line into a few integers and a sum of such integers into its score. Corpus scores, scores of
// single lines, bootstrap and paired tests (resample.h) need nothing else, and since integers add up exactly, no score
// depends on the order of the lines. A metric that is a mean of line scores counts in ScoreUnits.
//
// A new metric is one file with a struct of options and a class, and one line in reference_metrics.cc.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/note.h"
#include "base/progress.h"
#include "text/segmenter.h"

namespace atelier::evaluate {

// Who cuts texts into words, and its name for signatures ("icu").
struct WordSource {
  std::string name;
  std::shared_ptr<const text::Segmenter> segmenter;
};
using WordSourceFn = std::function<WordSource()>;

// What a metric may be told. A struct of options declares itself once, to whatever fills it: the command line takes
// "smooth-value" as --smooth-value, a file takes it as a key.
class MetricSettings {
 public:
  virtual ~MetricSettings() = default;
  virtual void Choice(const std::string& name, std::string* value, const std::vector<std::string>& choices,
                      const std::string& help) = 0;
  virtual void Text(const std::string& name, std::string* value, const std::string& help) = 0;
  virtual void Flag(const std::string& name, bool* value, const std::string& help) = 0;
  virtual void Int(const std::string& name, int64_t* value, const std::string& help, int64_t least, int64_t most) = 0;
  virtual void Number(const std::string& name, std::optional<double>* value, const std::string& help, double least,
                      double most) = 0;
  // For a metric that may want words: where they would come from, loaded only if it calls *words. Stays empty where
  // there is none to offer.
  virtual void Words(WordSourceFn* words) = 0;
};

// Scores that a sum of lines' integers tells: all that resampling needs to know.
class SumScore {
 public:
  virtual ~SumScore() = default;
  virtual size_t width() const = 0;   // integers per line
  virtual size_t scores() const = 0;  // how many
  virtual double Score(std::span<const int64_t> sum, size_t which) const = 0;
  virtual bool lower_is_better() const { return false; }
};

// Counts one line after another; not for two threads at once. Bytes that are not UTF-8 count as U+FFFD.
class ReferenceMetric : public SumScore {
 public:
  virtual std::string title() const = 0;  // for people: "chrF2++"
  // The keys of its scores in JSON; one for most.
  virtual std::vector<std::string> names() const { return {"score"}; }
  size_t scores() const override { return names().size(); }
  virtual double scale() const { return 100; }  // scores lie in 0..scale (TER may exceed it)
  // Sees all lines before the first Count: for what a metric learns from the whole, or computes in batches.
  virtual void Prepare(std::span<const std::string_view> hypotheses,
                       std::span<const std::vector<std::string_view>> references, const ProgressFn& progress) {
    (void)hypotheses, (void)references, (void)progress;
  }
  // The integers of one line: counts[0..width). REQUIRES: at least one reference.
  virtual void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) = 0;
  // Score `which` of names() for one line alone, where that is another thing.
  virtual double LineScore(std::span<const int64_t> counts, size_t which) const { return Score(counts, which); }
  // "case:mixed|tok:13a": what its scores depend on, in the order and the words of the peer that defines it; `line`: of
  // LineScore.
  virtual std::string Fields(bool line) const = 0;
  virtual std::string version() const = 0;  // of that peer
  // What else the sum says, for JSON; and what one line's counts say beside its scores.
  virtual Json Details(std::span<const int64_t>) const { return Json::object(); }
  virtual Json LineDetails(std::span<const int64_t>) const { return Json::object(); }
  // One line of doubt about the texts themselves; empty for none.
  virtual Note Doubt(std::span<const std::string_view> hypotheses) const {
    (void)hypotheses;
    return {};
  }
};

// Parts of a mean of line scores: exact to 2^-41 a line, enough for a million lines of scores up to 8.
inline constexpr int64_t kScoreUnit = int64_t{1} << 40;
inline int64_t ScoreUnits(double score) { return std::llround(score * static_cast<double>(kScoreUnit)); }
// The mean of `lines` line scores; 0 of none.
inline double MeanOfUnits(int64_t units, int64_t lines) {
  return lines == 0 ? 0 : static_cast<double>(units) / static_cast<double>(kScoreUnit) / static_cast<double>(lines);
}

// The integers of all lines, one row a line.
class LineCounts {
 public:
  explicit LineCounts(size_t width) : width_(width) {}
  size_t width() const { return width_; }
  size_t size() const { return rows_.size() / width_; }
  std::span<const int64_t> row(size_t line) const { return {rows_.data() + line * width_, width_}; }
  int64_t* Add() {
    rows_.resize(rows_.size() + width_);
    return rows_.data() + rows_.size() - width_;
  }
  std::vector<int64_t> Sum() const;

 private:
  size_t width_;
  std::vector<int64_t> rows_;
};

// references[r][line]. REQUIRES: at least one reference, every one with as many lines as there are hypotheses. Throws
// Error(kInvalidInput) for so many lines that a sum of as many could exceed 64 bits.
LineCounts CountLines(ReferenceMetric& metric, std::span<const std::string_view> hypotheses,
                      std::span<const std::vector<std::string_view>> references, const ProgressFn& progress = nullptr);

// How scores were resampled; 0 for not at all.
struct Resampled {
  int64_t bootstrap = 0, randomisation = 0;
  uint64_t seed = 0;
};
// "nrefs:1|bs:1000|seed:12345|rng:splitmix64|case:mixed|...|version:2.6.0": sacrebleu's form (Post 2018). `rng` is
// ours, and names the random numbers: Rng of base/rng.h, drawn as resample.cc does.
std::string Signature(const ReferenceMetric& metric, size_t references, const Resampled& resampled, bool line = false);

}  // namespace atelier::evaluate
