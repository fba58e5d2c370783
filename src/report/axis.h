// Axes: which numbers stand at them, how they are written, and where a value lies.
#pragma once

#include <string>
#include <vector>

namespace atelier::report {

struct Ticks {
  std::vector<double> at;
  std::vector<std::string> labels;  // as many decimals as the step needs
  double low = 0, high = 1;         // the axis, within which all ticks lie
};
// About `wanted` ticks at multiples of 1, 2, 2.5 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph
// labels"), over [low, high] widened to whole steps on the sides that are not `fixed`. low == high gets room around it.
// REQUIRES: low <= high, both finite and within 1e300.
Ticks NiceTicks(double low, double high, int wanted, bool fixed_low = false, bool fixed_high = false);

// A number for a label: the shortest of at most `digits` digits; a true minus; no zeros behind.
std::string NumberLabel(double value, int digits = 4);

// Values [low, high] onto pixels [from, to]; what lies beyond comes to the border.
class Scale {
 public:
  Scale(double low, double high, double from, double to) : low_(low), high_(high), from_(from), to_(to) {}
  double operator()(double value) const;

 private:
  double low_, high_, from_, to_;
};

// What can be drawn: a number within 1e300.
bool Drawable(double value);

// The lowest and the highest of what it was shown.
struct Range {
  double low = 0, high = 0;
  bool empty = true;
  void Add(double value);  // passes over what cannot be drawn
};

}  // namespace atelier::report
