// How good ranked lists are: what share of what should be found is near the top; gains that are graded, and lists that
// come as scores.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace atelier::evaluate {

// One question's list: relevance of each place (0 or 1), and how many relevant ones there are in all, found or not.
// Every relevant one counts once: REQUIRES: the list holds no thing twice.
struct Ranked {
  std::vector<int> relevant;
  size_t total = 0;
};

double RecallAt(const Ranked& ranked, size_t k);  // share of the relevant among the first k; 0 where total is 0
double ReciprocalRank(const Ranked& ranked);      // 1 / place of the first relevant one, 0 where there is none
double PrecisionAt(const Ranked& ranked,
                   size_t k);                   // relevant among the first k, over k also where the list is shorter
double NdcgAt(const Ranked& ranked, size_t k);  // Järvelin & Kekäläinen 2002, gain 1, log2(place + 1)
// Mean, over the relevant ones, of the precision at their places; 0 for those not found. 0 where total is 0.
double AveragePrecision(const Ranked& ranked);

// Lists as scores, highest first. REQUIRES: as many gains as scores, finite; gains not negative.

// Relevant is what gains more than 0. Among equal scores the relevant come last: a constant score earns nothing.
Ranked RankByScore(std::span<const double> gains, std::span<const double> scores);
// Graded gains, log2(place + 1), over the best order's; equal scores share the mean of their places' discounts
// (McSherry and Najork 2008), as scikit-learn's ndcg_score has it. k 0: the whole list. 0 where nothing gains.
double GradedNdcg(std::span<const double> gains, std::span<const double> scores, size_t k = 0);

}  // namespace atelier::evaluate
