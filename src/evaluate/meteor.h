// METEOR (Banerjee and Lavie 2005) with two of its stages, exact words and stems: no synonyms, which would need
// WordNet. The arithmetic and the alignment are those of NLTK 3.10.4's meteor_score: from the end, each word with the
// last one still free. Of a file the mean over lines, in 0..1; of several references a line takes the best.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluate/reference_metric.h"

namespace atelier::evaluate {

struct MeteorOptions {
  std::optional<double> alpha = std::nullopt;  // weight of recall in the mean (0.9)
  std::optional<double> beta = std::nullopt;   // how the penalty grows with the share of chunks (3)
  std::optional<double> gamma = std::nullopt;  // the largest penalty (0.5)

  void Declare(MetricSettings& settings);
};

// Of lower-case tokens, in [0, 1]; 0 where nothing matches. Words of a-z and 0-9 are stemmed by NLTK's Porter.
double MeteorScore(std::span<const std::string> reference, std::span<const std::string> hypothesis,
                   const MeteorOptions& options = {});

// Over the units of units.h: lower-case words, and Han, kana and Hangul characters.
class Meteor : public ReferenceMetric {
 public:
  explicit Meteor(const MeteorOptions& options) : options_(options) {}
  std::string title() const override { return "METEOR"; }
  std::vector<std::string> names() const override { return {"meteor"}; }
  double scale() const override { return 1; }
  size_t width() const override { return 2; }  // [ScoreUnits, 1]
  void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) override;
  double Score(std::span<const int64_t> sum, size_t which) const override;
  std::string Fields(bool line) const override;
  std::string version() const override { return "3.10.4"; }

 private:
  MeteorOptions options_;
};

}  // namespace atelier::evaluate
