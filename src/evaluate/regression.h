// How far predicted numbers are from the true ones; each value is that of scikit-learn's function of the same name.
#pragma once

#include <span>

namespace atelier::evaluate {

struct RegressionScores {
  double mean_absolute_error = 0;
  double mean_squared_error = 0;
  double root_mean_squared_error = 0;
  double median_absolute_error = 0;
  double max_error = 0;
  // Mean of |error| / |truth|; a share, 0.1 is 10 %. A truth of 0 counts as 2^-52, so that the value becomes huge.
  double mean_absolute_percentage_error = 0;
  // 1 - (squared errors) / (squared distances of the truth from its mean). Not a number for fewer than two cases; for a
  // constant truth 1 where every prediction is exact, else 0.
  double r2 = 0;
  // The same over the errors' variance: a constant error costs nothing.
  double explained_variance = 0;
};
// REQUIRES: as many of both, at least one, all finite.
RegressionScores ScoreRegression(std::span<const double> truth, std::span<const double> predicted);

}  // namespace atelier::evaluate
