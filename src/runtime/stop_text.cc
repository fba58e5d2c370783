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
  size_t end = std::string::npos;
  for (const std::string& stop : stops_) {
    if (!stop.empty()) end = std::min(end, held_.find(stop));
  }
  if (end != std::string::npos) {
    stopped_ = true;
    std::string out = held_.substr(0, end);
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
