#include "report/axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/str.h"

namespace atelier::report {
namespace {

constexpr double kMostDrawn = 1e300;

std::string TickLabel(double value, double step, double widest) {
  if (std::abs(value) < step * 1e-9) value = 0;
  if (widest >= 1e6 || widest < 1e-4) return NumberLabel(value, 6);
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 12);
  // 2.5 and its like need one more.
  const double scaled = step * std::pow(10, decimals);
  const bool more = std::abs(scaled - std::round(scaled)) > 1e-6;
  return ReplaceAll(FormatFixed(value, decimals + (more ? 1 : 0)), "-", "−");
}

}  // namespace

bool Drawable(double value) { return std::abs(value) <= kMostDrawn; }

void Range::Add(double value) {
  if (!Drawable(value)) return;
  low = empty ? value : std::min(low, value);
  high = empty ? value : std::max(high, value);
  empty = false;
}

std::string NumberLabel(double value, int digits) {
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%.*g", digits, value == 0 ? 0 : value);
  std::string text = buffer;
  const size_t e = text.find('e');
  if (e != std::string::npos) {  // 1.5e+06 becomes 1.5e6
    const auto power = ParseInt(text[e + 1] == '+' ? text.substr(e + 2) : text.substr(e + 1));
    text = Cat(text.substr(0, e), "e", power.value_or(0));
  }
  return ReplaceAll(text, "-", "−");
}

Ticks NiceTicks(double low, double high, int wanted, bool fixed_low, bool fixed_high) {
  // Closer than doubles can tell apart, or one value: room around it.
  const double widest = std::max(std::abs(low), std::abs(high));
  if (high - low <= widest * 1e-9) {
    const double room = widest == 0 ? 0.5 : widest * 0.1;
    low -= room;
    high += room;
    fixed_low = fixed_high = false;
  }
  const double rough = (high - low) / std::max(1, wanted - 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double nice : {1.0, 2.0, 2.5, 5.0}) {
    if (rough <= nice * power * (1 + 1e-9)) {
      step = nice * power;
      break;
    }
  }
  Ticks ticks;
  double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  ticks.low = fixed_low ? low : std::min(low, first * step);
  ticks.high = fixed_high ? high : std::max(high, last * step);
  if (fixed_low) first = std::ceil(low / step - 1e-9);
  if (fixed_high) last = std::floor(high / step + 1e-9);
  const double most = std::max(std::abs(ticks.low), std::abs(ticks.high));
  for (double k = first; k <= last && ticks.at.size() < 100; ++k) {
    ticks.at.push_back(k * step);
    ticks.labels.push_back(TickLabel(k * step, step, most));
  }
  return ticks;
}

double Scale::operator()(double value) const {
  const double share = high_ > low_ ? (value - low_) / (high_ - low_) : 0.5;
  return from_ + std::clamp(share, 0.0, 1.0) * (to_ - from_);
}

}  // namespace atelier::report
