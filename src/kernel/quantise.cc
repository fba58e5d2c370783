#include "kernel/quantise.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace atelier::kernel {
namespace {

constexpr int kMostBlock = 256;
constexpr int kRounds = 3;  // of least squares after the search
constexpr float kMostHalf = 65504.0f;
constexpr float kMostWeight = 1e7f;  // beyond it squares of squares leave f32's range

// To the nearest integer, ties to even, for |x| < 2^22; unlike std::nearbyint it is not a call.
inline float Nearest(float x) { return (x + 12582912.0f) - 12582912.0f; }

inline float Clamped(float x, float least, float most) { return std::min(std::max(x, least), most); }

void PutHalf(uint8_t* at, float value) {
  const uint16_t bits = FloatToHalf(value);
  std::memcpy(at, &bits, 2);
}

float AsHalf(float value) { return HalfToFloat(FloatToHalf(value)); }

struct Affine {
  float scale = 0, min = 0;
};

// What the integers q of a group say best: minimises sum w (x - scale q - min)^2.
struct Sums {
  double w = 0, wq = 0, wqq = 0, wx = 0, wxq = 0, wxx = 0;

  double Error(const Affine& a) const {
    const double s = a.scale, m = a.min;
    return wxx + s * s * wqq + m * m * w - 2 * s * wxq - 2 * m * wx + 2 * s * m * wq;
  }
  Affine Symmetric() const { return {wqq > 0 ? static_cast<float>(wxq / wqq) : 0, 0}; }
  // With a minimum of at most `most_min`.
  Affine Line(float most_min) const {
    const double det = w * wqq - wq * wq;
    if (det <= 1e-12 * w * wqq) return {0, std::min(most_min, static_cast<float>(w > 0 ? wx / w : 0))};
    const Affine a{static_cast<float>((w * wxq - wx * wq) / det), static_cast<float>((wqq * wx - wq * wxq) / det)};
    if (a.min <= most_min) return a;
    return {static_cast<float>((wxq - most_min * wq) / wqq), most_min};
  }
};

// The integers that `inverse` (of the scale) and `min` give, and their sums.
Sums SumsOf(const float* x, const float* w, int n, float inverse, float min, float least, float most) {
  constexpr int kLanes = 8;  // sums side by side, for the compiler's vectors
  float s[6][kLanes] = {};
  for (int i = 0; i < n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      const float v = x[i + j], wj = w[i + j], q = Clamped(Nearest((v - min) * inverse), least, most);
      s[0][j] += wj;
      s[1][j] += wj * q;
      s[2][j] += wj * q * q;
      s[3][j] += wj * v;
      s[4][j] += wj * v * q;
      s[5][j] += wj * v * v;
    }
  }
  double sums[6] = {};
  for (int k = 0; k < 6; ++k) {
    for (const float value : s[k]) sums[k] += value;
  }
  return {sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]};
}

// scale q with q in [-half, half - 1]: the scale may be negative, so that the greatest number can have the odd end.
float FitSymmetric(const float* x, const float* w, int n, int half) {
  float greatest = 0;
  for (int i = 0; i < n; ++i) {
    if (std::abs(x[i]) > std::abs(greatest)) greatest = x[i];
  }
  if (greatest == 0) return 0;
  const auto least = static_cast<float>(-half), most = static_cast<float>(half - 1);
  float best = 0;
  double best_error = 0;
  const auto consider = [&](float inverse) {
    const Sums sums = SumsOf(x, w, n, inverse, 0, least, most);
    const Affine a = sums.Symmetric();
    const double error = sums.Error(a);
    if (best == 0 || error < best_error) best = a.scale, best_error = error;
  };
  for (const float sign : {-1.0f, 1.0f}) {
    for (int step = -9; step <= 9; ++step) {
      consider(sign * (static_cast<float>(half) + 0.1f * static_cast<float>(step)) / greatest);
    }
  }
  for (int round = 0; round < kRounds && best != 0; ++round) consider(1 / best);
  return best;
}

// scale q + min with q in [0, most].
Affine FitAffine(const float* x, const float* w, int n, int levels, float most_min) {
  const auto [low, high] = std::minmax_element(x, x + n);
  const float least = std::min(*low, most_min), range = *high - least;
  if (!(range > 0)) return {0, least};
  const auto most = static_cast<float>(levels);
  Affine best;
  double best_error = 0;
  bool any = false;
  const auto consider = [&](float inverse, float min) {
    const Sums sums = SumsOf(x, w, n, inverse, min, 0, most);
    const Affine a = sums.Line(most_min);
    const double error = sums.Error(a);
    if (a.scale >= 0 && (!any || error < best_error)) best = a, best_error = error, any = true;
  };
  for (int step = -5; step <= 10; ++step) consider((most + 0.1f * static_cast<float>(step)) / range, least);
  for (int round = 0; round < kRounds && best.scale > 0; ++round) consider(1 / best.scale, best.min);
  return any ? best : Affine{0, least};
}

int Integer(float x, float scale, float min, int least, int most) {
  if (scale == 0) return std::clamp(0, least, most);
  return static_cast<int>(Clamped(Nearest((x - min) / scale), static_cast<float>(least), static_cast<float>(most)));
}

// Errors in columns that matter, and in large weights, count more. Large ones carry the signal; that they count by the
// root of their energy, above their group's mean, keeps the many small ones in the reckoning.
void WeighBlock(const float* x, const float* importance, int block, int group, float* w) {
  float greatest = 0;
  for (int begin = 0; begin < block; begin += group) {
    float energy = 0;
    for (int i = begin; i < begin + group; ++i) energy += x[i] * x[i];
    const float mean = energy / static_cast<float>(group);
    for (int i = begin; i < begin + group; ++i) {
      w[i] = std::sqrt(mean + x[i] * x[i]) * (importance != nullptr ? importance[i] : 1.0f);
      greatest = std::max(greatest, w[i]);
    }
  }
  // Columns that were never seen used are worth little, not nothing.
  const float floor = greatest > 0 ? 1e-6f * greatest : 1.0f;
  for (int i = 0; i < block; ++i) w[i] = std::max(w[i], floor);
}

// Among `centre` and its neighbours within [least, most], the one under which group numbers come out with least error
// as scale = d times it.
int BestScale(const float* x, const float* w, int n, float d, float min, int centre, int least, int most, float q_least,
              float q_most) {
  int best = centre;
  double best_error = -1;
  for (int s = std::max(least, centre - 1); s <= std::min(most, centre + 1); ++s) {
    const float scale = d * static_cast<float>(s);
    if (scale == 0) continue;
    const double error = SumsOf(x, w, n, 1 / scale, min, q_least, q_most).Error({scale, min});
    if (best_error < 0 || error < best_error) best = s, best_error = error;
  }
  return best;
}

void PutNibbles(const int* q, uint8_t* at) {
  for (int i = 0; i < 16; ++i) at[i] = static_cast<uint8_t>((q[i] & 15) | (q[i + 16] & 15) << 4);
}

// Q4_0, Q5_0 (half = 8, 16) and Q4_1, Q5_1 (levels = 15, 31).
bool PutSmallBlock(Format format, const float* x, const float* w, uint8_t* at) {
  const bool five = format == Format::kQ5_0 || format == Format::kQ5_1;
  const bool has_min = format == Format::kQ4_1 || format == Format::kQ5_1;
  const int half = five ? 16 : 8;
  Affine a;
  if (has_min) {
    a = FitAffine(x, w, 32, 2 * half - 1, kMostHalf);
  } else {
    a.scale = FitSymmetric(x, w, 32, half);
  }
  if (!(std::abs(a.scale) <= kMostHalf && std::abs(a.min) <= kMostHalf)) return false;
  a = {AsHalf(a.scale), AsHalf(a.min)};
  int q[32];
  for (int i = 0; i < 32; ++i) {
    q[i] = has_min ? Integer(x[i], a.scale, a.min, 0, 2 * half - 1) : Integer(x[i], a.scale, 0, -half, half - 1) + half;
  }
  PutHalf(at, a.scale);
  at += 2;
  if (has_min) {
    PutHalf(at, a.min);
    at += 2;
  }
  if (five) {
    uint32_t high = 0;
    for (int i = 0; i < 32; ++i) high |= static_cast<uint32_t>(q[i] >> 4) << i;
    std::memcpy(at, &high, 4);
    at += 4;
  }
  PutNibbles(q, at);
  return true;
}

bool PutQ8Block(const float* x, uint8_t* at) {
  float greatest = 0;
  for (int i = 0; i < 32; ++i) greatest = std::max(greatest, std::abs(x[i]));
  const float scale = AsHalf(greatest / 127);
  if (!(greatest / 127 <= kMostHalf)) return false;
  PutHalf(at, scale);
  for (int i = 0; i < 32; ++i)
    at[2 + i] = static_cast<uint8_t>(static_cast<int8_t>(Integer(x[i], scale, 0, -127, 127)));
  return true;
}

// See ReadScalePair.
void PutScalePair(int pair, int scale, int min, uint8_t* packed) {
  if (pair < 4) {
    packed[pair] |= static_cast<uint8_t>(scale);
    packed[pair + 4] |= static_cast<uint8_t>(min);
  } else {
    packed[pair + 4] |= static_cast<uint8_t>((scale & 15) | (min & 15) << 4);
    packed[pair - 4] |= static_cast<uint8_t>((scale >> 4) << 6);
    packed[pair] |= static_cast<uint8_t>((min >> 4) << 6);
  }
}

// Q4_K and Q5_K: x = d scale[j] q - dmin min[j], scales and minimums of six bits.
bool PutAffineSuperblock(Format format, const float* x, const float* w, uint8_t* at) {
  const int levels = format == Format::kQ5_K ? 31 : 15;
  float scale[8], min[8], most_scale = 0, most_min = 0;
  for (int j = 0; j < 8; ++j) {
    const Affine a = FitAffine(x + 32 * j, w + 32 * j, 32, levels, 0);
    scale[j] = a.scale, min[j] = -a.min;
    most_scale = std::max(most_scale, scale[j]);
    most_min = std::max(most_min, min[j]);
  }
  float d = most_scale / 63, dmin = most_min / 63;
  if (!(d <= kMostHalf && dmin <= kMostHalf)) return false;
  int s[8], m[8], q[kMostBlock];
  for (int j = 0; j < 8; ++j) {
    s[j] = d > 0 ? std::min(63, static_cast<int>(Nearest(scale[j] / d))) : 0;
    m[j] = dmin > 0 ? std::min(63, static_cast<int>(Nearest(min[j] / dmin))) : 0;
  }
  const auto choose = [&] {
    for (int i = 0; i < kMostBlock; ++i) {
      const int j = i / 32;
      q[i] = Integer(x[i], d * static_cast<float>(s[j]), -dmin * static_cast<float>(m[j]), 0, levels);
    }
  };
  d = AsHalf(d), dmin = AsHalf(dmin);
  for (int j = 0; j < 8; ++j) {
    s[j] = BestScale(x + 32 * j, w + 32 * j, 32, d, -dmin * static_cast<float>(m[j]), s[j], 0, 63, 0,
                     static_cast<float>(levels));
  }
  choose();
  // d and dmin once more, for the integers that there are: two unknowns of x = d u - dmin v.
  double uu = 0, uv = 0, vv = 0, xu = 0, xv = 0;
  for (int i = 0; i < kMostBlock; ++i) {
    const double u = s[i / 32] * q[i], v = -m[i / 32], wi = w[i];
    uu += wi * u * u, uv += wi * u * v, vv += wi * v * v, xu += wi * u * x[i], xv += wi * v * x[i];
  }
  const double det = uu * vv - uv * uv;
  double new_d = uu > 0 ? xu / uu : 0, new_dmin = 0;
  if (det > 1e-9 * uu * vv) new_d = (xu * vv - xv * uv) / det, new_dmin = (xv * uu - xu * uv) / det;
  if (new_d > 0 && new_dmin >= 0 && (det > 1e-9 * uu * vv || dmin == 0)) {
    d = AsHalf(static_cast<float>(new_d)), dmin = AsHalf(static_cast<float>(new_dmin));
    choose();
  }
  std::memset(at, 0, static_cast<size_t>(Info(format).bytes));
  PutHalf(at, d);
  PutHalf(at + 2, dmin);
  for (int j = 0; j < 8; ++j) PutScalePair(j, s[j], m[j], at + 4);
  uint8_t* nibbles = at + Info(format).bytes - 128;
  for (int i = 0; i < kMostBlock; ++i) {
    const int sub = i / 32;
    nibbles[sub / 2 * 32 + i % 32] |= static_cast<uint8_t>((q[i] & 15) << (sub % 2 * 4));
    if (levels == 31) at[16 + i % 32] |= static_cast<uint8_t>((q[i] >> 4) << sub);
  }
  return true;
}

// Q6_K: x = d scale[j] (q - 32), 16 scales of eight bits.
bool PutQ6Superblock(const float* x, const float* w, uint8_t* at) {
  float scale[16], greatest = 0;
  for (int j = 0; j < 16; ++j) {
    scale[j] = FitSymmetric(x + 16 * j, w + 16 * j, 16, 32);
    if (std::abs(scale[j]) > std::abs(greatest)) greatest = scale[j];
  }
  float d = greatest / 127;  // not 128, which a scale of the other sign could not be
  if (!(std::abs(d) <= kMostHalf)) return false;
  d = AsHalf(d);
  int s[16], q[kMostBlock];
  for (int j = 0; j < 16; ++j) s[j] = d != 0 ? static_cast<int>(Clamped(Nearest(scale[j] / d), -127, 127)) : 0;
  for (int j = 0; j < 16; ++j) s[j] = BestScale(x + 16 * j, w + 16 * j, 16, d, 0, s[j], -127, 127, -32, 31);
  const auto choose = [&] {
    for (int i = 0; i < kMostBlock; ++i) q[i] = Integer(x[i], d * static_cast<float>(s[i / 16]), 0, -32, 31);
  };
  choose();
  double uu = 0, xu = 0;
  for (int i = 0; i < kMostBlock; ++i) {
    const double u = s[i / 16] * q[i];
    uu += w[i] * u * u, xu += w[i] * u * x[i];
  }
  if (uu > 0 && std::abs(xu / uu) <= kMostHalf) {
    d = AsHalf(static_cast<float>(xu / uu));
    choose();
  }
  std::memset(at, 0, 210);
  for (int i = 0; i < kMostBlock; ++i) {
    const int half = i / 128, quarter = i % 128 / 32, k = i % 32, code = q[i] + 32;
    at[half * 64 + quarter % 2 * 32 + k] |= static_cast<uint8_t>((code & 15) << (quarter / 2 * 4));
    at[128 + half * 32 + k] |= static_cast<uint8_t>((code >> 4) << 2 * quarter);
  }
  for (int j = 0; j < 16; ++j) at[192 + j] = static_cast<uint8_t>(static_cast<int8_t>(s[j]));
  PutHalf(at + 208, d);
  return true;
}

bool PutBlock(Format format, const float* x, const float* w, uint8_t* at) {
  switch (format) {
    case Format::kQ8_0: return PutQ8Block(x, at);
    case Format::kQ4_K:
    case Format::kQ5_K: return PutAffineSuperblock(format, x, w, at);
    case Format::kQ6_K: return PutQ6Superblock(x, w, at);
    default: return PutSmallBlock(format, x, w, at);
  }
}

}  // namespace

bool QuantiseRow(Format format, const float* x, int64_t cols, const float* importance, void* blocks) {
  const bool exact = format == Format::kF32 || format == Format::kBF16;
  if (!std::all_of(x, x + cols, [&](float v) { return exact ? std::isfinite(v) : std::abs(v) <= kMostWeight; }))
    return false;
  auto* at = static_cast<uint8_t*>(blocks);
  switch (format) {
    case Format::kF32: std::memcpy(at, x, static_cast<size_t>(cols) * 4); return true;
    case Format::kF16:
      for (int64_t i = 0; i < cols; ++i) PutHalf(at + 2 * i, x[i]);
      return std::all_of(x, x + cols, [](float v) { return std::abs(v) < 65520.0f; });
    case Format::kBF16:
      for (int64_t i = 0; i < cols; ++i) {
        const uint16_t bits = FloatToBFloat(x[i]);
        std::memcpy(at + 2 * i, &bits, 2);
      }
      return true;
    default: break;
  }
  const FormatInfo& info = Info(format);
  const int group = StretchOf(format).group;
  float w[kMostBlock];
  for (int64_t begin = 0; begin < cols; begin += info.block, at += info.bytes) {
    if (format != Format::kQ8_0) {  // whose scale weighs nothing
      WeighBlock(x + begin, importance != nullptr ? importance + begin : nullptr, info.block, group, w);
    }
    if (!PutBlock(format, x + begin, w, at)) return false;
  }
  return true;
}

}  // namespace atelier::kernel
