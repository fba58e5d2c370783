// How well scores put the options of choices in order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rank/choices.h"

namespace atelier::rank {

// Means over choices by their weights.
struct Order {
  std::string name;     // "ranker", "longest" ...
  double accuracy = 0;  // share of a choice's pairs in the right order; equal scores are half right
  double error = 0;     // standard error of the accuracy, over groups; NaN where there is one
  double ndcg = 0;      // of the whole list (evaluate/ranking.h)
  double mrr = 0;       // 1 / place of the first that was taken
};

// `scores` [choices][options].
Order MeasureOrder(std::string name, std::span<const Choice> choices, const std::vector<std::vector<double>>& scores);
// What shuffling comes to: the expectation over all orders.
Order MeasureRandom(std::span<const Choice> choices);

}  // namespace atelier::rank
