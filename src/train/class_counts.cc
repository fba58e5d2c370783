#include "train/class_counts.h"

#include "evaluate/classification.h"
#include "model/batch.h"

namespace atelier::train {

void ClassCounts::Add(const torch::Tensor& predicted, const torch::Tensor& targets, int64_t classes) {
  if (classes > kMostClasses) return;
  classes_ = classes;
  counts_.resize(static_cast<size_t>(classes * classes));
  const torch::Tensor cells = (targets * classes + predicted).masked_select(targets.ne(model::kIgnored)).cpu();
  const torch::Tensor sums = torch::bincount(cells, {}, classes * classes).contiguous();
  for (size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += static_cast<double>(sums.const_data_ptr<int64_t>()[i]);
  }
}

void ClassCounts::Report(std::map<std::string, double>* values) const {
  const auto at = [&](int64_t truth, int64_t predicted) {
    return static_cast<int64_t>(counts_[static_cast<size_t>(truth * classes_ + predicted)]);
  };
  std::vector<int64_t> occur;
  for (int64_t c = 0; c < classes_; ++c) {
    int64_t cases = 0;
    for (int64_t other = 0; other < classes_; ++other) cases += at(c, other) + at(other, c);
    if (cases > 0) occur.push_back(c);
  }
  if (occur.empty()) return;
  evaluate::Confusion confusion;
  confusion.classes.resize(occur.size());
  for (const int64_t truth : occur) {
    for (const int64_t predicted : occur) confusion.counts.push_back(at(truth, predicted));
  }
  const evaluate::ClassificationScores scores = evaluate::ScoreClasses(confusion);
  (*values)["accuracy"] = scores.accuracy;
  (*values)["macro_f1"] = scores.macro.f1;
}

}  // namespace atelier::train
