#include "rank/losses.h"

#include <algorithm>
#include <cmath>

namespace atelier::rank {
namespace {

double Pairwise(std::span<const double> scores, std::span<const double> gains, std::span<double> slope) {
  double loss = 0, pairs = 0;
  for (size_t a = 0; a < scores.size(); ++a) {
    for (size_t b = 0; b < scores.size(); ++b) {
      if (!(gains[a] > gains[b])) continue;
      const double behind = scores[b] - scores[a], push = Sigmoid(behind);
      loss += Softplus(behind);
      slope[a] -= push;
      slope[b] += push;
      ++pairs;
    }
  }
  for (double& one : slope) one /= pairs;
  return loss / pairs;
}

double Listwise(std::span<const double> scores, std::span<const double> gains, std::span<double> slope) {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0, gained = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    slope[i] = std::exp(scores[i] - most);
    sum += slope[i];
    gained += gains[i];
  }
  double loss = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const double share = gains[i] / gained;
    loss -= share * (scores[i] - most - std::log(sum));
    slope[i] = slope[i] / sum - share;
  }
  return loss;
}

}  // namespace

std::string_view Name(Loss loss) { return loss == Loss::kPairwise ? "pairwise" : "listwise"; }

std::optional<Loss> LossNamed(std::string_view name) {
  for (const Loss loss : {Loss::kPairwise, Loss::kListwise}) {
    if (Name(loss) == name) return loss;
  }
  return std::nullopt;
}

double LossOf(Loss loss, std::span<const double> scores, std::span<const double> gains, std::span<double> slope) {
  std::fill(slope.begin(), slope.end(), 0.0);
  return loss == Loss::kPairwise ? Pairwise(scores, gains, slope) : Listwise(scores, gains, slope);
}

double Softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

double Sigmoid(double x) {
  const double small = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}

std::vector<double> Chances(std::span<const double> scores) {
  std::vector<double> chances;
  for (size_t i = 0; i < scores.size(); ++i) {
    double sum = 0;
    for (size_t j = 0; j < scores.size(); ++j) sum += i == j ? 0 : Sigmoid(scores[i] - scores[j]);
    chances.push_back(scores.size() == 1 ? 0.5 : sum / static_cast<double>(scores.size() - 1));
  }
  return chances;
}

}  // namespace atelier::rank
