#include "evaluate/regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "evaluate/sums.h"

namespace atelier::evaluate {
namespace {

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double Explained(double unexplained, double all) {
  if (unexplained == 0) return 1;
  return all == 0 ? 0 : 1 - unexplained / all;
}

double MeanSquareAround(std::span<const double> values, double center) {
  std::vector<double> squares;
  for (const double value : values) squares.push_back((value - center) * (value - center));
  return Mean(squares);
}

}  // namespace

RegressionScores ScoreRegression(std::span<const double> truth, std::span<const double> predicted) {
  std::vector<double> errors, absolute, relative;
  for (size_t i = 0; i < truth.size(); ++i) {
    errors.push_back(truth[i] - predicted[i]);
    absolute.push_back(std::abs(errors[i]));
    relative.push_back(absolute[i] / std::max(std::abs(truth[i]), std::numeric_limits<double>::epsilon()));
  }
  RegressionScores scores;
  scores.mean_absolute_error = Mean(absolute);
  scores.mean_squared_error = MeanSquareAround(errors, 0);
  scores.root_mean_squared_error = std::sqrt(scores.mean_squared_error);
  scores.median_absolute_error = Median(absolute);
  scores.max_error = *std::max_element(absolute.begin(), absolute.end());
  scores.mean_absolute_percentage_error = Mean(relative);
  const double spread = MeanSquareAround(truth, Mean(truth));
  scores.r2 =
      truth.size() < 2 ? std::numeric_limits<double>::quiet_NaN() : Explained(scores.mean_squared_error, spread);
  scores.explained_variance = Explained(MeanSquareAround(errors, Mean(errors)), spread);
  return scores;
}

}  // namespace atelier::evaluate
