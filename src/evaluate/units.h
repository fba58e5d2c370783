// The units that text measures count: every Han character (or kana, hangul) on its own, and runs of other letters and
// digits as lower-case words. Punctuation and space are not units.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

std::vector<std::string> Units(std::string_view text);

// Consecutive groups of n units, joined by a byte that no unit holds.
std::vector<std::string> Grams(const std::vector<std::string>& units, size_t n);

}  // namespace atelier::evaluate
