// What a classifier named over all batches of a validation, as figures of all of them together.
#pragma once

#include <torch/torch.h>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace atelier::train {

class ClassCounts {
 public:
  static constexpr int64_t kMostClasses = 1000;  // the counts are their square: with more, there are none

  // Both of one shape, int64, below `classes`; targets that are kIgnored do not count.
  void Add(const torch::Tensor& predicted, const torch::Tensor& targets, int64_t classes);
  // [true class][predicted class], empty before the first Add: what several processes sum.
  std::span<double> counts() { return counts_; }
  // Sets accuracy and macro_f1: the mean over the classes that occur, as scikit-learn's f1_score(average="macro") has
  // it. Nothing where nothing was counted.
  void Report(std::map<std::string, double>* values) const;

 private:
  int64_t classes_ = 0;
  std::vector<double> counts_;
};

}  // namespace atelier::train
