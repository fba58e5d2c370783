// Plain double loops: what the other tables are held against, and what runs where there is no AVX2. Slow on purpose.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernel/table.h"

namespace atelier::kernel {
namespace {

void Quantise(const float* x, int64_t token, const QuantisedRows* out) {
  const int64_t stretches = out->cols / kStretch;
  for (int64_t s = 0; s < stretches; ++s) {
    const float* from = x + s * kStretch;
    int8_t* to = out->q + token * out->cols + s * kStretch;
    float most = 0;
    for (int i = 0; i < kStretch; ++i) most = std::max(most, std::fabs(from[i]));
    const float scale = most / 127.0f;
    const float inverse = most > 0 ? 127.0f / most : 0.0f;
    int32_t sums[2] = {0, 0};
    for (int i = 0; i < kStretch; ++i) {
      const float scaled = std::nearbyint(from[i] * inverse);
      to[i] = static_cast<int8_t>(std::isnan(scaled) ? 0.0f : std::clamp(scaled, -127.0f, 127.0f));
      sums[i / 16] += to[i];
    }
    out->scale[token * stretches + s] = scale;
    out->neg_sum[token * stretches * 2 + s * 2] = -sums[0];
    out->neg_sum[token * stretches * 2 + s * 2 + 1] = -sums[1];
    out->scaled_sum[token * stretches + s] = -scale * static_cast<float>(sums[0] + sums[1]);
  }
}

int Weight(const PackedMatrix& w, int64_t panel, int64_t s, int row, int k) {
  const uint8_t* q = w.quants.data() + static_cast<size_t>(panel * w.stretches() + s) * w.quant_bytes();
  const int group = k / 4, at = row * 4 + k % 4;
  if (w.stretch.bits == 8) return q[group * 64 + at];
  int value = group < 4 ? q[group % 4 * 64 + at] & 15 : q[group % 4 * 64 + at] >> 4;
  if (w.stretch.bits == 5) value |= (q[256 + at] >> group & 1) << 4;
  if (w.stretch.bits == 6) value |= (q[256 + group / 4 * 64 + at] >> group % 4 * 2 & 3) << 4;
  return value;
}

void MatmulQuantised(const PackedMatrix* w, int64_t begin, int64_t end, const QuantisedRows* x, float* out,
                     int64_t out_stride) {
  const int groups = kStretch / w->stretch.group;
  const auto* scales = reinterpret_cast<const uint16_t*>(w->scales.data());
  const auto* mins = reinterpret_cast<const uint16_t*>(w->mins.data());
  for (int64_t panel = begin; panel < end; ++panel) {
    for (int row = 0; row < kPanel && panel * kPanel + row < w->rows; ++row) {
      for (int64_t t = 0; t < x->tokens; ++t) {
        double sum = 0;
        for (int64_t s = 0; s < w->stretches(); ++s) {
          for (int k = 0; k < kStretch; ++k) {
            const int64_t at = ((panel * w->stretches() + s) * groups + k / w->stretch.group) * kPanel + row;
            const double min = mins != nullptr ? HalfToFloat(mins[at]) : 0.0f;
            const double weight =
                static_cast<double>(HalfToFloat(scales[at])) * (Weight(*w, panel, s, row, k) - w->stretch.zero) - min;
            sum += weight * x->scale[t * w->stretches() + s] * x->q[t * x->cols + s * kStretch + k];
          }
        }
        out[t * out_stride + panel * kPanel + row] = static_cast<float>(sum);
      }
    }
  }
}

void MatmulFloat(const PackedMatrix* w, int64_t begin, int64_t end, const float* x, int64_t x_stride, int64_t tokens,
                 float* out, int64_t out_stride) {
  const uint8_t* data = w->floats.data();
  const auto weight = [&](int64_t at) {
    if (w->format == Format::kF32) {
      float value;
      std::memcpy(&value, data + at * 4, 4);
      return value;
    }
    uint16_t bits;
    std::memcpy(&bits, data + at * 2, 2);
    return w->format == Format::kF16 ? HalfToFloat(bits) : BFloatToFloat(bits);
  };
  for (int64_t panel = begin; panel < end; ++panel) {
    for (int row = 0; row < kPanel && panel * kPanel + row < w->rows; ++row) {
      for (int64_t t = 0; t < tokens; ++t) {
        double sum = 0;
        for (int64_t k = 0; k < w->cols; ++k) {
          sum += static_cast<double>(weight((panel * w->cols + k) * kPanel + row)) * x[t * x_stride + k];
        }
        out[t * out_stride + panel * kPanel + row] = static_cast<float>(sum);
      }
    }
  }
}

void RmsNorm(const float* x, const float* weight, float eps, int64_t n, float* out) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  const double scale = 1.0 / std::sqrt(sum / static_cast<double>(n) + eps);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(x[i] * scale * weight[i]);
}

void Gated(Gate act, float* gate, const float* up, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double x = gate[i];
    const double value = act == Gate::kSilu
                             ? x / (1.0 + std::exp(-x))
                             : 0.5 * x * (1.0 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    gate[i] = static_cast<float>(value * up[i]);
  }
}

float Load(const uint8_t* page, int64_t at, bool wide) {
  if (wide) {
    float value;
    std::memcpy(&value, page + at * 4, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, page + at * 2, 2);
  return HalfToFloat(bits);
}

void Attend(const Attention* a) {
  for (int r = 0; r < a->rows; ++r) {
    double most = -INFINITY;
    float* scores = a->scratch;
    for (int64_t p = a->first[r]; p <= a->last[r]; ++p) {
      const uint8_t* page = a->key_pages[p / a->page_keys];
      const int64_t in = p % a->page_keys;
      double dot = 0;
      for (int d = 0; d < a->head_dim; ++d) {
        dot += static_cast<double>(a->query[r][d]) *
               Load(page, (in / kKeys * a->head_dim + d) * kKeys + in % kKeys, a->wide);
      }
      dot *= a->scale;
      if (a->softcap > 0) dot = std::tanh(dot / a->softcap) * a->softcap;
      scores[p - a->first[r]] = static_cast<float>(dot);
      most = std::max(most, static_cast<double>(scores[p - a->first[r]]));
    }
    double sum = 0;
    for (int64_t p = a->first[r]; p <= a->last[r]; ++p) sum += std::exp(scores[p - a->first[r]] - most);
    for (int d = 0; d < a->head_dim; ++d) {
      double value = 0;
      for (int64_t p = a->first[r]; p <= a->last[r]; ++p) {
        value += std::exp(scores[p - a->first[r]] - most) *
                 Load(a->value_pages[p / a->page_keys], p % a->page_keys * a->head_dim + d, a->wide);
      }
      a->out[r][d] = static_cast<float>(value / sum);
    }
  }
}

void LogSumExp(const float* x, int64_t n, float* greatest, float* log_sum) {
  float most = -INFINITY;
  for (int64_t i = 0; i < n; ++i) most = std::max(most, x[i]);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i]) - most);
  *greatest = most;
  *log_sum = static_cast<float>(std::log(sum));
}

void AddLayerNorm(float* x, const float* branch, const float* weight, const float* bias, float eps, int64_t n) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) + branch[i];
  const double mean = sum / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    const double away = static_cast<double>(x[i]) + branch[i] - mean;
    squares += away * away;
  }
  const double scale = 1.0 / std::sqrt(squares / static_cast<double>(n) + eps);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = static_cast<float>((static_cast<double>(x[i]) + branch[i] - mean) * scale * weight[i] + bias[i]);
  }
}

void BiasGelu(float* x, const float* bias, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double v = static_cast<double>(x[i]) + bias[i];
    x[i] = static_cast<float>(0.5 * v * std::erfc(-v * 0.70710678118654752));
  }
}

void MinHash(const uint32_t* x, int64_t n, const uint32_t* multiply, const uint32_t* add, int64_t lanes,
             uint32_t* out) {
  for (int64_t lane = 0; lane < lanes; ++lane) {
    uint32_t least = 0xffffffffu;
    for (int64_t i = 0; i < n; ++i) least = std::min(least, multiply[lane] * x[i] + add[lane]);
    out[lane] = least;
  }
}

float Dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return static_cast<float>(sum);
}

int32_t DotBytes(const int8_t* a, const int8_t* b, int64_t n) {
  int32_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

const Table& ReferenceTable() {
  static const Table table = {"reference", Quantise,     MatmulQuantised, MatmulFloat, RmsNorm, Gated,   Attend,
                              LogSumExp,   AddLayerNorm, BiasGelu,        MinHash,     Dot,     DotBytes};
  return table;
}

}  // namespace atelier::kernel
