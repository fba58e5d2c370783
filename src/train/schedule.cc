#include "train/schedule.h"

#include <algorithm>
#include <cmath>

namespace atelier::train {

double Schedule::Share(int64_t step) const {
  const double warm = step < s_.warmup ? static_cast<double>(step + 1) / static_cast<double>(s_.warmup + 1) : 1.0;
  if (s_.name == "plateau") return warm * share_;
  if (step < s_.warmup || s_.name == "constant") return warm;
  const double length = static_cast<double>(std::max<int64_t>(1, steps_ - s_.warmup));
  const double done = std::min(1.0, static_cast<double>(step - s_.warmup) / length);
  const double left = s_.name == "linear" ? 1 - done : 0.5 * (1 + std::cos(M_PI * done));
  return s_.final_share + (1 - s_.final_share) * left;
}

void Schedule::Validated(double loss) {
  if (s_.name != "plateau") return;
  if (!any_ || loss < best_) {
    any_ = true;
    best_ = loss;
    standing_ = 0;
  } else if (++standing_ > s_.patience) {
    share_ = std::max(s_.final_share, share_ * s_.factor);
    standing_ = 0;
  }
}

Json Schedule::State() const { return {{"any", any_}, {"best", best_}, {"share", share_}, {"standing", standing_}}; }

void Schedule::Restore(const Json& state) {
  any_ = state.at("any").get<bool>();
  best_ = state.at("best").get<double>();
  share_ = state.at("share").get<double>();
  standing_ = state.at("standing").get<int64_t>();
}

}  // namespace atelier::train
