#include <cmath>

#include "kernel/training/reference.h"

namespace atelier::kernel::reference {

void NormForward(const RowNorm* w, int64_t row_begin, int64_t row_end) {
  const double n = static_cast<double>(w->cols);
  for (int64_t r = row_begin; r < row_end; ++r) {
    const auto value = [&](int64_t c) {
      const int64_t at = r * w->cols + c;
      return static_cast<double>(w->x[at]) + (w->branch ? FromBrain(w->branch[at]) : 0);
    };
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < w->cols && !w->rms; ++c) mean += value(c) / n;
    for (int64_t c = 0; c < w->cols; ++c) variance += (value(c) - mean) * (value(c) - mean) / n;
    const double inverse = 1 / std::sqrt(variance + w->epsilon);
    if (w->mean) w->mean[r] = static_cast<float>(mean);
    if (w->inverse) w->inverse[r] = static_cast<float>(inverse);
    for (int64_t c = 0; c < w->cols; ++c) {
      const double s = value(c);
      const double y = (s - mean) * inverse * (w->weight ? w->weight[c] : 1) + (w->bias ? w->bias[c] : 0);
      if (w->sum) w->sum[r * w->cols + c] = static_cast<float>(s);
      if (w->y) w->y[r * w->cols + c] = static_cast<float>(y);
      if (w->y16) w->y16[r * w->cols + c] = ToBrain(y);
    }
  }
}

void NormBackward(const RowNorm* w, int64_t block_begin, int64_t block_end) {
  const double n = static_cast<double>(w->cols);
  for (int64_t block = block_begin; block < block_end; ++block) {
    for (int64_t c = 0; c < w->cols; ++c) {
      if (w->d_weight) w->d_weight[block * w->cols + c] = 0;
      if (w->d_bias) w->d_bias[block * w->cols + c] = 0;
    }
    for (int64_t r = block * kNormBlock; r < w->rows && r < (block + 1) * kNormBlock; ++r) {
      const auto dy = [&](int64_t c) {
        return w->dy16 ? FromBrain(w->dy16[r * w->cols + c]) : static_cast<double>(w->dy[r * w->cols + c]);
      };
      const auto normal = [&](int64_t c) {
        return (w->x[r * w->cols + c] - (w->rms ? 0.0 : w->mean[r])) * w->inverse[r];
      };
      double shift = 0, turn = 0;
      for (int64_t c = 0; c < w->cols; ++c) {
        const double g = dy(c) * (w->weight ? w->weight[c] : 1);
        if (!w->rms) shift += g / n;
        turn += g * normal(c) / n;
        if (w->d_weight) w->d_weight[block * w->cols + c] += static_cast<float>(dy(c) * normal(c));
        if (w->d_bias) w->d_bias[block * w->cols + c] += static_cast<float>(dy(c));
      }
      for (int64_t c = 0; c < w->cols; ++c) {
        const double g = dy(c) * (w->weight ? w->weight[c] : 1), rest = w->d_sum ? w->d_sum[r * w->cols + c] : 0;
        const double dx = rest + w->inverse[r] * (g - shift - normal(c) * turn);
        if (w->dx) w->dx[r * w->cols + c] = static_cast<float>(dx);
        if (w->dx16) w->dx16[r * w->cols + c] = ToBrain(dx);
      }
    }
  }
}

void SumRows(const float* parts, int64_t rows, int64_t cols, int64_t begin, int64_t end, float* sums) {
  for (int64_t c = begin; c < end; ++c) {
    double sum = sums[c];
    for (int64_t r = 0; r < rows; ++r) sum += parts[r * cols + c];
    sums[c] = static_cast<float>(sum);
  }
}

void GatedForward(Activation act, const uint16_t* gate, const uint16_t* up, int64_t n, uint16_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = ToBrain(Activate(act, FromBrain(gate[i])) * FromBrain(up[i]));
}

void GatedBackward(Activation act, const uint16_t* gate, const uint16_t* up, const uint16_t* d_out, int64_t n,
                   uint16_t* d_gate, uint16_t* d_up) {
  for (int64_t i = 0; i < n; ++i) {
    const double g = FromBrain(gate[i]), u = FromBrain(up[i]), d = FromBrain(d_out[i]);
    d_gate[i] = ToBrain(d * u * Slope(act, g));
    d_up[i] = ToBrain(d * Activate(act, g));
  }
}

bool Kept(const Dropout& how, int64_t i) {
  const uint64_t counter = static_cast<uint64_t>(i / 64 * 16 + i % 16);
  uint32_t c[4] = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32),
                   static_cast<uint32_t>(how.stream), static_cast<uint32_t>(how.stream >> 32)};
  uint32_t key[2] = {static_cast<uint32_t>(how.seed), static_cast<uint32_t>(how.seed >> 32)};
  for (int round = 0; round < 7; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * c[0], b = uint64_t{0xCD9E8D57u} * c[2];
    const uint32_t next[4] = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(b),
                              static_cast<uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(a)};
    for (int k = 0; k < 4; ++k) c[k] = next[k];
    key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
  }
  return c[i % 64 / 16] >= static_cast<uint32_t>(static_cast<double>(how.rate) * 4294967296.0);
}

double KeptScale(const Dropout& how) { return 1.0f / (1.0f - how.rate); }

void Drop(const Dropout* how, int64_t first, const float* x, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = Kept(*how, first + i) ? static_cast<float>(x[i] * KeptScale(*how)) : 0;
}
void Drop16(const Dropout* how, int64_t first, const uint16_t* x, int64_t n, uint16_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = Kept(*how, first + i) ? ToBrain(FromBrain(x[i]) * KeptScale(*how)) : 0;
}

void Rotate(const Rotation* w, int64_t row_begin, int64_t row_end) {
  for (int64_t r = row_begin; r < row_end; ++r) {
    for (int64_t pair = 0; pair < w->heads * w->dim / 2; ++pair) {
      const int64_t half = w->dim / 2, head = pair / half * w->dim, i = pair % half;
      uint16_t* x = w->x + r * w->stride + head;
      uint16_t &first = x[w->halves ? i : 2 * i], &second = x[w->halves ? i + half : 2 * i + 1];
      const int64_t at = w->positions[r] * half + i;
      const double a = FromBrain(first), b = FromBrain(second), c = w->cosines[at],
                   s = w->back ? -w->sines[at] : w->sines[at];
      first = ToBrain(a * c - b * s), second = ToBrain(a * s + b * c);
    }
  }
}

}  // namespace atelier::kernel::reference
