#include "runtime/stop_text.h"

#include <algorithm>

namespace atelier::runtime {

std::string StopText::Append(std::string_view bytes) {
  if (stopped_) return "";
  held_ += utf8_.Append(bytes);
  return Release(false);
}

std::string StopText::Finish() {
  if (stopped_) return "";
  held_ += utf8_.Finish();
  return Release(true);
}

std::string StopText::Release(bool all) {
  // The stop text that is complete first, as if letters came one by one: how tokens cut the text must not matter.
  size_t end = std::string::npos, start = 0;
  for (const std::string& stop : stops_) {
    const size_t at = stop.empty() ? std::string::npos : held_.find(stop);
    if (at == std::string::npos || at + stop.size() > end) continue;
    start = at + stop.size() == end ? std::min(start, at) : at;
    end = at + stop.size();
  }
  if (end != std::string::npos) {
    stopped_ = true;
    std::string out = held_.substr(0, start);
    held_.clear();
    return out;
  }
  size_t keep = 0;  // the longest tail that begins some stop text
  if (!all) {
    for (const std::string& stop : stops_) {
      for (size_t n = std::min(stop.size(), held_.size()); n > keep; --n) {
        if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) {
          keep = n;
          break;
        }
      }
    }
  }
  std::string out = held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return out;
}

}  // namespace atelier::runtime
