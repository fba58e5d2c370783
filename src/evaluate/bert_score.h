// BERTScore (Zhang et al. 2020): every token of the one text finds the token of the other whose vector is nearest by
// cosine; precision is the mean over the hypothesis's tokens, recall over the reference's, F1 their harmonic mean. The
// arithmetic is that of the package bert-score 0.3.13: the ends of a text may be found and weigh nothing themselves; of
// several references each of the three numbers is its best; idf is log((n + 1) / (df + 1)) over all references.
//
// What differs, all of it in Count and none in MatchGreedily: texts are never padded, where bert-score's score of a
// pair with a negative cosine depends on its batch; the role's words ("query:") that e5 wants before a text are read by
// the model and then left out; and a text whose tokens all weigh 0 by idf counts them evenly, there it is not a number.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "artefact/embedder.h"
#include "base/thread_pool.h"
#include "evaluate/reference_metric.h"

namespace atelier::evaluate {

// A text to be matched.
struct MatchTokens {
  std::span<const float> vectors;   // [tokens][dims], of any length
  std::span<const double> weights;  // [tokens], at least 0; they need not sum to 1
  bool empty = false;               // nothing but its ends
};

struct BertScores {
  double precision = 0, recall = 0, f1 = 0;
};

// All 0 where one text is empty. Precision and recall are not numbers where a vector has no direction or the weights of
// that side sum to 0; F1 then is 0, as there. REQUIRES: dims > 0, at least one token each.
BertScores MatchGreedily(const MatchTokens& hypothesis, const MatchTokens& reference, size_t dims);

// By token: in how many of `references` it occurs, [reference][token].
class InverseFrequencies {
 public:
  void Add(std::span<const int32_t> reference);
  // log((n + 1) / (df + 1)); of a token that no reference has, log(n + 1).
  double Of(int32_t token) const;

 private:
  int64_t references_ = 0;
  std::unordered_map<int32_t, int64_t> with_;
};

struct BertScoreOptions {
  bool idf = false;
  int64_t layer = 0;  // 0: the last
  // What unrelated texts get: (x - b) / (1 - b) is shown in the place of x. All three or none.
  std::optional<double> rescale_precision{}, rescale_recall{}, rescale_f1{};

  void Declare(MetricSettings& settings);
};

// In [-1, 1]; for e5 most of what people write lies between 0.75 and 1, which rescaling spreads.
class BertScore : public ReferenceMetric {
 public:
  // Throws kInvalidInput for a layer that the model has not, kUsage for some of the three numbers.
  BertScore(const BertScoreOptions& options, std::shared_ptr<artefact::Embedder> embedder);
  ~BertScore() override;

  std::string title() const override { return "BERTScore"; }
  std::vector<std::string> names() const override { return {"f1", "precision", "recall"}; }
  double scale() const override { return 1; }
  size_t width() const override { return 4; }  // the three in ScoreUnits, and the line
  // Reads the references' idf, and scores all lines, in batches.
  void Prepare(std::span<const std::string_view> hypotheses, std::span<const std::vector<std::string_view>> references,
               const ProgressFn& progress) override;
  void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) override;
  double Score(std::span<const int64_t> sum, size_t which) const override;
  std::string Fields(bool line) const override;
  std::string version() const override { return "0.3.13"; }
  Json Details(std::span<const int64_t> sum) const override;
  Note Doubt(std::span<const std::string_view> hypotheses) const override;

 private:
  struct Read;  // a text with its vectors
  struct Pair {
    std::string_view hypothesis, reference;
    const Read* left = nullptr;
    const Read* right = nullptr;
    BertScores scores;
    bool even = false;  // a side's tokens all weigh 0
  };

  void ScorePairs(std::vector<Pair>* pairs);
  const Read* Find(const std::string& text) const;
  void ReadTexts(const std::vector<std::string>& texts);

  BertScoreOptions options_;
  std::shared_ptr<artefact::Embedder> embedder_;
  std::unique_ptr<ThreadPool> threads_;
  std::optional<InverseFrequencies> idf_;
  std::unordered_map<std::string, std::unique_ptr<Read>> read_;  // what was read lately
  size_t read_bytes_ = 0;
  std::unordered_map<std::string, BertScores> scores_;  // by hypothesis, line feed, reference
  int64_t even_ = 0, cut_ = 0;
};

}  // namespace atelier::evaluate
