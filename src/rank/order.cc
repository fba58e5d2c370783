#include "rank/order.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "evaluate/ranking.h"

namespace atelier::rank {
namespace {

double PairsRight(std::span<const double> scores, std::span<const double> gains) {
  double right = 0, pairs = 0;
  for (size_t a = 0; a < scores.size(); ++a) {
    for (size_t b = 0; b < scores.size(); ++b) {
      if (!(gains[a] > gains[b])) continue;
      right += scores[a] > scores[b] ? 1 : scores[a] == scores[b] ? 0.5 : 0;
      ++pairs;
    }
  }
  return right / pairs;
}

// The mean of 1 / place of the first of `taken` things among `all` that are shuffled.
double RandomReciprocalRank(size_t all, size_t taken) {
  double none_before = 1, sum = 0;
  for (size_t place = 1; place <= all; ++place) {
    const double left = static_cast<double>(all - place + 1);
    const double here = std::min(1.0, static_cast<double>(taken) / left);
    sum += none_before * here / static_cast<double>(place);
    none_before *= 1 - here;
  }
  return sum;
}

}  // namespace

Order MeasureOrder(std::string name, std::span<const Choice> choices, const std::vector<std::vector<double>>& scores) {
  Order order{.name = std::move(name)};
  double total = 0;
  std::vector<double> accuracies;
  for (size_t i = 0; i < choices.size(); ++i) {
    const Choice& choice = choices[i];
    accuracies.push_back(PairsRight(scores[i], choice.gains));
    order.accuracy += choice.weight * accuracies.back();
    order.ndcg += choice.weight * evaluate::GradedNdcg(choice.gains, scores[i]);
    order.mrr += choice.weight * evaluate::ReciprocalRank(evaluate::RankByScore(choice.gains, scores[i]));
    total += choice.weight;
  }
  order.accuracy /= total;
  order.ndcg /= total;
  order.mrr /= total;
  std::map<std::string_view, double> by_group;
  for (size_t i = 0; i < choices.size(); ++i)
    by_group[choices[i].group] += choices[i].weight * (accuracies[i] - order.accuracy);
  double squares = 0;
  for (const auto& [group, sum] : by_group) squares += sum * sum;
  const auto groups = static_cast<double>(by_group.size());
  order.error = groups > 1 ? std::sqrt(squares * groups / (groups - 1)) / total : NAN;
  return order;
}

Order MeasureRandom(std::span<const Choice> choices) {
  std::vector<std::vector<double>> equal;  // which share their places' discounts, and are half right
  for (const Choice& choice : choices) equal.emplace_back(choice.options.size(), 0.0);
  Order order = MeasureOrder("random", choices, equal);
  order.error = 0;
  order.mrr = 0;
  double total = 0;
  for (const Choice& choice : choices) {
    const auto taken = static_cast<size_t>(
        std::count_if(choice.gains.begin(), choice.gains.end(), [](double gain) { return gain > 0; }));
    order.mrr += choice.weight * RandomReciprocalRank(choice.gains.size(), taken);
    total += choice.weight;
  }
  order.mrr /= total;
  return order;
}

}  // namespace atelier::rank
