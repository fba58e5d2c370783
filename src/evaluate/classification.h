// How well predicted labels match the true ones: the confusion matrix, precision, recall and F1 per class and on
// average, and the table of scikit-learn's classification_report to the character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

// The different labels of both lists: by value where all of them are whole numbers, else by code point.
std::vector<std::string> FindClasses(std::span<const std::string_view> truth,
                                     std::span<const std::string_view> predicted);

// The class of each label. Throws Error(kInvalidInput) "file:line: ..." for a label that is none of the classes.
std::vector<uint32_t> ClassIndices(std::span<const std::string_view> labels, std::span<const std::string> classes,
                                   const std::string& file);

struct Confusion {
  std::vector<std::string> classes;
  std::vector<int64_t> counts;  // [true class][predicted class]
  int64_t count(size_t truth, size_t predicted) const { return counts[truth * classes.size() + predicted]; }
};
// REQUIRES: as many of both, all below the number of classes.
Confusion CountConfusion(std::vector<std::string> classes, std::span<const uint32_t> truth,
                         std::span<const uint32_t> predicted);

struct ClassScore {
  double precision = 0, recall = 0, f1 = 0;  // 0 where there is nothing to divide by
  int64_t support = 0;                       // true cases
};

struct ClassificationScores {
  std::vector<ClassScore> classes;  // as the confusion has them
  double accuracy = 0;
  ClassScore macro, weighted;  // means over classes, plain and by support
  // Classes without a predicted case (precision), without a true one (recall), without either (F1): counted as 0.
  std::vector<size_t> no_predicted, no_true, neither;
};
// REQUIRES: at least one case.
ClassificationScores ScoreClasses(const Confusion& confusion);

// The table with `digits` decimals. Widths count characters, as Python's do: wide characters stand out to the right.
std::string ReportText(const Confusion& confusion, const ClassificationScores& scores, int digits = 2);

}  // namespace atelier::evaluate
