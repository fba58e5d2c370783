#include "data/dedup/shingles.h"

#include <algorithm>

namespace atelier::data {
namespace {

constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ull, kOther = 0xbf58476d1ce4e5b9ull;

inline uint32_t Finish(uint64_t h) {
  h ^= h >> 32;
  h *= kOther;
  return static_cast<uint32_t>(h >> 32);
}

}  // namespace

void Shingler::EndRun(int width, std::vector<uint32_t>* out) {
  const size_t n = run_.size(), k = static_cast<size_t>(width);
  if (n == 0) return;
  if (n <= k) {
    uint64_t h = n;
    for (uint64_t unit : run_) h = (h + unit) * kOdd;
    out->push_back(Finish(h));
  } else {
    const size_t first = out->size();
    out->resize(first + n - k + 1);
    uint32_t* to = out->data() + first;
    const uint64_t* units = run_.data();
    if (k == 3) {  // the common widths, unrolled
      for (size_t i = 0; i + 3 <= n; ++i)
        to[i] = Finish((((3 + units[i]) * kOdd + units[i + 1]) * kOdd + units[i + 2]) * kOdd);
    } else if (k == 2) {
      for (size_t i = 0; i + 2 <= n; ++i) to[i] = Finish(((2 + units[i]) * kOdd + units[i + 1]) * kOdd);
    } else {
      for (size_t i = 0; i + k <= n; ++i) {
        uint64_t h = k;
        for (size_t j = 0; j < k; ++j) h = (h + units[i + j]) * kOdd;
        to[i] = Finish(h);
      }
    }
  }
  run_.clear();
}

void Shingler::Append(const FoldedText& text, std::vector<uint32_t>* out) {
  run_.clear();
  bool words = false;  // what the current run is made of
  const size_t n = text.chars.size();
  for (size_t i = 0; i < n;) {
    switch (text.units[i]) {
      case Unit::kGap:
      case Unit::kSpace: ++i; break;
      case Unit::kAlone: {
        if (words) EndRun(size_.words, out);
        words = false;
        uint64_t h = (text.chars[i] + 1) * kOther;
        run_.push_back(h ^ h >> 29);
        ++i;
        break;
      }
      case Unit::kWord: {
        if (!words) EndRun(size_.chars, out);
        words = true;
        uint64_t h = 0;
        for (; i < n && text.units[i] == Unit::kWord; ++i) h = (h ^ text.chars[i]) * kOdd, h ^= h >> 31;
        run_.push_back(h);
        break;
      }
    }
  }
  EndRun(words ? size_.words : size_.chars, out);
}

void MakeSet(std::vector<uint32_t>* shingles) {
  std::sort(shingles->begin(), shingles->end());
  shingles->erase(std::unique(shingles->begin(), shingles->end()), shingles->end());
}

double Jaccard(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  size_t common = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const uint32_t x = a[i], y = b[j];
    common += x == y;
    i += x <= y;
    j += y <= x;
  }
  const size_t all = a.size() + b.size() - common;
  return all == 0 ? 0 : static_cast<double>(common) / static_cast<double>(all);
}

}  // namespace atelier::data
