// Predictions as atelier-learn writes them: JSON lines with label, predicted, probabilities.
#pragma once

#include <string>
#include <vector>

namespace atelier::app {

struct Predictions {
  std::string labels, predicted;            // a line each, in the file's order
  std::vector<std::string> classes;         // those that probabilities are said of, in their order; else empty
  std::vector<std::vector<double>> scores;  // [line][class], or empty
};

// Throws Error(kInvalidInput) "FILE:LINE: ..." for a line without label or prediction, for a label that is more than
// one line of text, and where only some lines have probabilities, or those of other classes.
Predictions ReadPredictions(const std::string& path);

}  // namespace atelier::app
