#include <cmath>
#include <vector>

#include "kernel/training/reference.h"

namespace atelier::kernel::reference {
namespace {

struct Pairs {  // queries and keys of a unit
  const FlashAttention& w;
  int64_t q_begin, queries, k_begin, keys, kv_head;

  Pairs(const FlashAttention& work, int64_t unit) : w(work), kv_head(unit % w.kv_heads) {
    const int64_t sequence = unit / w.kv_heads;
    q_begin = w.q_starts[sequence], queries = w.q_starts[sequence + 1] - q_begin;
    k_begin = w.k_starts[sequence], keys = w.k_starts[sequence + 1] - k_begin;
  }
  bool Sees(int64_t i, int64_t s) const { return !w.causal || s <= i + keys - queries; }
  // By how much dropout multiplies a probability.
  double Share(int64_t head, int64_t i, int64_t s) const {
    if (w.dropout == nullptr) return 1;
    return Kept(*w.dropout, ((q_begin + i) * w.heads + head) * kAttentionNumbers + s) ? KeptScale(*w.dropout) : 0;
  }
  double Score(int64_t head, int64_t i, int64_t s) const {
    double sum = 0;
    for (int64_t c = 0; c < w.head_dim; ++c)
      sum += FromBrain(w.q[(q_begin + i) * w.q_stride + head * w.head_dim + c]) * Key(s, c);
    return sum * w.scale;
  }
  double Key(int64_t s, int64_t c) const {
    return FromBrain(w.k[(k_begin + s) * w.k_stride + kv_head * w.head_dim + c]);
  }
  double Value(int64_t s, int64_t c) const {
    return FromBrain(w.v[(k_begin + s) * w.v_stride + kv_head * w.head_dim + c]);
  }
  float* LogSum(int64_t head, int64_t i) const { return w.log_sum + head * w.q_starts[w.sequences] + q_begin + i; }
};

}  // namespace

void AttendForward(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void*) {
  const FlashAttention& w = *work;
  const int64_t group = w.heads / w.kv_heads;
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const Pairs u(w, unit);
    for (int64_t head = u.kv_head * group; head < (u.kv_head + 1) * group; ++head) {
      for (int64_t i = 0; i < u.queries; ++i) {
        double top = -INFINITY, sum = 0;
        std::vector<double> p(static_cast<size_t>(u.keys), -INFINITY);
        for (int64_t s = 0; s < u.keys; ++s) {
          double& score = p[static_cast<size_t>(s)];
          if (u.Sees(i, s)) score = u.Score(head, i, s);
          if (!(score <= top)) top = score;
        }
        for (int64_t s = 0; s < u.keys; ++s) {
          double& e = p[static_cast<size_t>(s)];
          e = u.Sees(i, s) ? std::exp(e - top) : 0;
          sum += e;
        }
        for (int64_t c = 0; c < w.head_dim; ++c) {
          double value = 0;
          for (int64_t s = 0; s < u.keys; ++s)
            value += u.Sees(i, s) ? p[static_cast<size_t>(s)] / sum * u.Share(head, i, s) * u.Value(s, c) : 0;
          w.out[(u.q_begin + i) * w.out_stride + head * w.head_dim + c] = ToBrain(value);
        }
        if (w.log_sum) *u.LogSum(head, i) = static_cast<float>(top + std::log(sum));
      }
    }
  }
}

void AttendBackward(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void*) {
  const FlashAttention& w = *work;
  const int64_t group = w.heads / w.kv_heads, dim = w.head_dim;
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const Pairs u(w, unit);
    std::vector<double> dk(static_cast<size_t>(u.keys * dim)), dv(dk.size());
    for (int64_t head = u.kv_head * group; head < (u.kv_head + 1) * group; ++head) {
      for (int64_t i = 0; i < u.queries; ++i) {
        const int64_t row = u.q_begin + i;
        const uint16_t *q = w.q + row * w.q_stride + head * dim, *out = w.out + row * w.out_stride + head * dim;
        const uint16_t* d_out = w.d_out + row * w.d_out_stride + head * dim;
        std::vector<double> dq(static_cast<size_t>(dim));
        for (int64_t s = 0; s < u.keys; ++s) {
          if (!u.Sees(i, s)) continue;
          const double p = std::exp(u.Score(head, i, s) - *u.LogSum(head, i)), share = u.Share(head, i, s);
          double slope = 0;  // of the loss by the score
          for (int64_t c = 0; c < dim; ++c)
            slope += p * FromBrain(d_out[c]) * (share * u.Value(s, c) - FromBrain(out[c]));
          for (int64_t c = 0; c < dim; ++c) {
            dq[static_cast<size_t>(c)] += slope * w.scale * u.Key(s, c);
            dk[static_cast<size_t>(s * dim + c)] += slope * w.scale * FromBrain(q[c]);
            dv[static_cast<size_t>(s * dim + c)] += share * p * FromBrain(d_out[c]);
          }
        }
        for (int64_t c = 0; c < dim; ++c)
          w.dq[row * w.dq_stride + head * dim + c] = ToBrain(dq[static_cast<size_t>(c)]);
      }
    }
    for (int64_t s = 0; s < u.keys; ++s) {
      for (int64_t c = 0; c < dim; ++c) {
        w.dk[(u.k_begin + s) * w.dk_stride + u.kv_head * dim + c] = ToBrain(dk[static_cast<size_t>(s * dim + c)]);
        w.dv[(u.k_begin + s) * w.dv_stride + u.kv_head * dim + c] = ToBrain(dv[static_cast<size_t>(s * dim + c)]);
      }
    }
  }
}

}  // namespace atelier::kernel::reference
