// How much a text repeats itself: the usual sign of a small model that has lost its way.
#pragma once

#include <string_view>

namespace atelier::evaluate {

// The share of n-grams that occurred before in the same text (Welleck et al. 2020, seq-rep-n): 1 - distinct / all.
// 0 for texts of fewer than n + 1 units.
double RepetitionRate(std::string_view text, size_t n);

// The longest run in which one group of units follows itself without anything else between ("好好好": 3, "very very":
// 2), over groups of up to `most` units. 1 for a text that does not stutter, 0 for one without units.
size_t LongestStutter(std::string_view text, size_t most = 6);

}  // namespace atelier::evaluate
