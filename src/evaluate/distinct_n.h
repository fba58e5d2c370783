// distinct-n (Li et al. 2016): how varied a set of texts is.
#pragma once

#include <string>
#include <vector>

namespace atelier::evaluate {

// Different n-grams over all n-grams of all texts together, in [0, 1]; 0 where there are none.
double DistinctN(const std::vector<std::string>& texts, size_t n);

}  // namespace atelier::evaluate
