// Numbers that may be undefined, as JSON: null, never a 0.
#pragma once

#include <cmath>
#include <vector>

#include "base/json.h"

namespace atelier::app {

inline Json Known(double value) { return std::isfinite(value) ? Json(value) : Json(); }

inline Json Known(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(Known(value));
  return list;
}

}  // namespace atelier::app
