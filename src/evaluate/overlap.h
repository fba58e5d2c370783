// How alike two texts are by the pieces they share.
#pragma once

#include <string_view>

namespace atelier::evaluate {

// Jaccard index of the sets of character n-grams, letters and digits only, case folded: 1 the same, 0 nothing shared.
// Texts shorter than n are compared whole.
double CharacterJaccard(std::string_view a, std::string_view b, size_t n = 3);

}  // namespace atelier::evaluate
