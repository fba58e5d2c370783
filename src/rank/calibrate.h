// Whether "a is preferred to b with 80 %" is true four times out of five, and what makes it so.
#pragma once

#include <span>
#include <vector>

#include "evaluate/calibration.h"

namespace atelier::rank {

// Two options of which one was worth more to who chose.
struct JudgedPair {
  double ahead = 0;   // the score of that one less the other's
  double weight = 1;  // the pairs of one choice share its weight
};

// Appends the pairs of one choice.
void AppendPairs(std::span<const double> scores, std::span<const double> gains, double weight,
                 std::vector<JudgedPair>* pairs);

// What scores are to be multiplied with (Guo et al. 2017, there a divisor): the least mean of ln(1 + exp(-t ahead)),
// held to 1 as strongly as one choice would, so that pairs which are all right do not make it endless. In [0.001,
// 1000]. REQUIRES: pairs of choices whose scores were not learned from them.
double FitTemperature(std::span<const JudgedPair> pairs);

// Reliability of 1 / (1 + exp(-t ahead)). Every pair counts both ways round, so that it does not matter which of the
// two stands first.
std::vector<evaluate::ReliabilityBin> PairBins(std::span<const JudgedPair> pairs, double temperature);

// Mean of ln(1 + exp(-t ahead)): 0.693 is a coin.
double PairLoss(std::span<const JudgedPair> pairs, double temperature);

}  // namespace atelier::rank
