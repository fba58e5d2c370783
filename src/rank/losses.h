// What a ranker learns by: how badly scores explain one choice, and which way they should move.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace atelier::rank {

enum class Loss {
  // RankNet (Burges et al. 2005): mean over the pairs of which a gained more than b of ln(1 + exp(s_b - s_a)). The
  // mean and not the sum, so that a choice out of ten counts as much as a choice out of two.
  kPairwise,
  // ListNet's top one (Cao et al. 2007), which for one click is Plackett-Luce's first place: cross-entropy of
  // softmax(s) to the gains over their sum. ListNet takes softmax(gains) there, which gives mass to what nobody took.
  kListwise,
};

std::string_view Name(Loss loss);
std::optional<Loss> LossNamed(std::string_view name);

// Of one choice: the loss, and its slope by every score in `slope` [options].
// REQUIRES: gains and slope as long as scores; not all gains alike, none negative.
double LossOf(Loss loss, std::span<const double> scores, std::span<const double> gains, std::span<double> slope);

// ln(1 + exp(x)) and 1 / (1 + exp(-x)), which do not overflow.
double Softplus(double x);
double Sigmoid(double x);

// Of each of several options, the mean over the others of the probability that it is preferred to them; 0.5 where there
// is no other.
std::vector<double> Chances(std::span<const double> scores);

}  // namespace atelier::rank
