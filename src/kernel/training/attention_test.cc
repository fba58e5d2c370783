// Attention, every table: forward against a softmax in double, backward against differences of that softmax and against
// the reference number by number.
#include "kernel/training/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"
#include "kernel/format.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Brains = std::vector<uint16_t>;

struct Shape {
  int64_t heads, kv_heads, dim;
  std::vector<int64_t> queries, keys;
  bool causal;
  float rate = 0;  // of dropout
};

struct Case {
  Shape shape;
  std::vector<int64_t> q_starts{0}, k_starts{0};
  int64_t q_stride, kv_stride;
  Brains qkv, kv, out, d_out, dq, dk, dv;
  Floats log_sum;
  Dropout dropout;
  FlashAttention work;

  Case(const Shape& s, Rng* rng) : shape(s) {
    for (const int64_t n : s.queries) q_starts.push_back(q_starts.back() + n);
    for (const int64_t n : s.keys) k_starts.push_back(k_starts.back() + n);
    q_stride = s.heads * s.dim + 8, kv_stride = 2 * s.kv_heads * s.dim + 3;
    const auto draw = [&](int64_t n) {
      Brains x(static_cast<size_t>(n));
      for (uint16_t& v : x) v = FloatToBFloat(static_cast<float>(rng->Uniform() * 4 - 2));
      return x;
    };
    const int64_t rows = q_starts.back(), key_rows = k_starts.back();
    qkv = draw(rows * q_stride + 1), kv = draw(key_rows * kv_stride + 1);
    d_out = draw(rows * s.heads * s.dim + 1);
    out = dq = Brains(d_out.size(), 0x7fc0);
    dk = dv = Brains(static_cast<size_t>(key_rows * s.kv_heads * s.dim + 1), 0x7fc0);
    log_sum = Floats(static_cast<size_t>(rows * s.heads + 1), -7.0f);
    dropout = {.seed = 77, .stream = 3, .rate = s.rate};
    work = {.sequences = static_cast<int64_t>(s.queries.size()),
            .q_starts = q_starts.data(),
            .k_starts = k_starts.data(),
            .heads = s.heads,
            .kv_heads = s.kv_heads,
            .head_dim = s.dim,
            .scale = 1 / std::sqrt(static_cast<float>(s.dim)),
            .causal = s.causal,
            .dropout = s.rate > 0 ? &dropout : nullptr,
            .q = qkv.data(),
            .k = kv.data(),
            .v = kv.data() + s.kv_heads * s.dim,
            .q_stride = q_stride,
            .k_stride = kv_stride,
            .v_stride = kv_stride,
            .out = out.data(),
            .out_stride = s.heads * s.dim,
            .log_sum = log_sum.data(),
            .d_out = d_out.data(),
            .d_out_stride = s.heads * s.dim,
            .dq = dq.data(),
            .dk = dk.data(),
            .dv = dv.data(),
            .dq_stride = s.heads * s.dim,
            .dk_stride = s.kv_heads * s.dim,
            .dv_stride = s.kv_heads * s.dim};
  }
  void* Workspace() {
    int64_t queries = 0, keys = 0;
    for (const int64_t n : shape.queries) queries = std::max(queries, n);
    for (const int64_t n : shape.keys) keys = std::max(keys, n);
    const size_t bytes = static_cast<size_t>(AttentionWorkspace(shape.dim, queries, keys, true));
    space.assign(bytes / 4 + 17, NAN);  // what is not written is seen
    end = bytes / 4 + 16;
    space[end] = 12345;
    return space.data();
  }
  ~Case() { EXPECT_TRUE(space.empty() || space[end] == 12345) << "beyond the workspace"; }
  int64_t units() const { return work.sequences * shape.kv_heads; }

  // What dropout makes of probabilities of 1 [keys].
  Floats Shares(int64_t row, int64_t head, int64_t keys) const {
    Floats shares(static_cast<size_t>(keys), 1);
    const int64_t first = (row * shape.heads + head) * kAttentionNumbers;
    if (shape.rate > 0) ReferenceTrainTable().drop(&dropout, first, shares.data(), keys, shares.data());
    return shares;
  }
  // In double: out [rows, heads * dim], log-sum-exp [heads, rows].
  void Plain(const Doubles& q, const Doubles& k, const Doubles& v, Doubles* o, Doubles* l) const {
    const Shape& s = shape;
    o->assign(static_cast<size_t>(q_starts.back() * s.heads * s.dim), 0);
    l->assign(static_cast<size_t>(q_starts.back() * s.heads), 0);
    for (size_t n = 0; n < s.queries.size(); ++n) {
      for (int64_t h = 0; h < s.heads; ++h) {
        const int64_t g = h * s.kv_heads / s.heads;
        for (int64_t i = 0; i < s.queries[n]; ++i) {
          const int64_t row = q_starts[n] + i;
          const int64_t seen =
              s.causal ? std::clamp<int64_t>(i + 1 + s.keys[n] - s.queries[n], 0, s.keys[n]) : s.keys[n];
          Doubles p(static_cast<size_t>(seen));
          double sum = 0;
          for (int64_t t = 0; t < seen; ++t) {
            double dot = 0;
            for (int64_t c = 0; c < s.dim; ++c)
              dot += q[static_cast<size_t>((row * s.heads + h) * s.dim + c)] *
                     k[static_cast<size_t>(((k_starts[n] + t) * s.kv_heads + g) * s.dim + c)];
            sum += p[static_cast<size_t>(t)] = std::exp(dot * static_cast<double>(work.scale));
          }
          (*l)[static_cast<size_t>(h * q_starts.back() + row)] = std::log(sum);
          const Floats shares = Shares(row, h, seen);
          for (int64_t t = 0; t < seen; ++t) {
            for (int64_t c = 0; c < s.dim; ++c)
              (*o)[static_cast<size_t>((row * s.heads + h) * s.dim + c)] +=
                  p[static_cast<size_t>(t)] / sum * shares[static_cast<size_t>(t)] *
                  v[static_cast<size_t>(((k_starts[n] + t) * s.kv_heads + g) * s.dim + c)];
          }
        }
      }
    }
  }
  Doubles Dense(const uint16_t* from, int64_t rows, int64_t stride, int64_t cols) const {
    Doubles x;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) x.push_back(BFloatToFloat(from[r * stride + c]));
    }
    return x;
  }
  Floats space;
  size_t end = 0;
};

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (const bool causal : {false, true}) {
    for (const int64_t dim : {16, 32, 48, 64, 80, 128}) {
      shapes.push_back({2, 1, dim, {1, 5, 0, 64}, {1, 5, 0, 64}, causal});
      shapes.push_back({1, 1, dim, {65, 3}, {130, 1}, causal});
    }
    shapes.push_back({4, 2, 32, {7, 100, 63}, {7, 100, 63}, causal});
    shapes.push_back({1, 1, 1040, {15, 33}, {15, 33}, causal});
    shapes.push_back({1, 1, 16, {20, 9, 70}, {11, 9, 3}, causal});  // causal: the first rows see nothing
    shapes.push_back({4, 2, 32, {7, 100, 63}, {7, 130, 64}, causal, 0.3f});
  }
  return shapes;
}

class TrainAttention : public testing::TestWithParam<const TrainTable*> {};

TEST_P(TrainAttention, ForwardEqualsSoftmax) {
  Rng rng(1);
  for (const Shape& s : Shapes()) {
    Case c(s, &rng);
    GetParam()->attend_forward(&c.work, 0, c.units(), c.Workspace());
    Doubles o, l;
    c.Plain(c.Dense(c.work.q, c.q_starts.back(), c.q_stride, s.heads * s.dim),
            c.Dense(c.work.k, c.k_starts.back(), c.kv_stride, s.kv_heads * s.dim),
            c.Dense(c.work.v, c.k_starts.back(), c.kv_stride, s.kv_heads * s.dim), &o, &l);
    for (size_t i = 0; i < l.size(); ++i) {
      if (std::isinf(l[i])) {
        ASSERT_EQ(c.log_sum[i], -std::numeric_limits<float>::infinity());
      } else {
        ASSERT_NEAR(c.log_sum[i], l[i], 2e-5);
      }
    }
    // The probabilities and the result are bf16: 2^-9 of values up to 2, each.
    for (size_t i = 0; i < o.size(); ++i)
      ASSERT_NEAR(BFloatToFloat(c.out[i]), o[i], 0.008 / (1 - s.rate)) << "dim " << s.dim;
    ASSERT_EQ(c.out.back(), 0x7fc0);
    ASSERT_EQ(c.log_sum.back(), -7.0f);
  }
}

TEST_P(TrainAttention, BackwardEqualsTheReference) {
  Rng rng(2);
  for (const Shape& s : Shapes()) {
    Case c(s, &rng);
    ReferenceTrainTable().attend_forward(&c.work, 0, c.units(), nullptr);
    ReferenceTrainTable().attend_backward(&c.work, 0, c.units(), nullptr);
    const Brains want[3] = {c.dq, c.dk, c.dv};
    for (Brains* x : {&c.dq, &c.dk, &c.dv}) std::fill(x->begin(), x->end(), 0x7fc0);
    GetParam()->attend_backward(&c.work, 0, c.units(), c.Workspace());
    const Brains* got[3] = {&c.dq, &c.dk, &c.dv};
    for (int what = 0; what < 3; ++what) {
      double size = 0;  // typical
      for (size_t i = 0; i + 1 < want[what].size(); ++i)
        size += BFloatToFloat(want[what][i]) * BFloatToFloat(want[what][i]);
      size = std::sqrt(size / static_cast<double>(want[what].size()));
      for (size_t i = 0; i + 1 < want[what].size(); ++i) {
        const double w = BFloatToFloat(want[what][i]);
        ASSERT_NEAR(BFloatToFloat((*got[what])[i]), w, 0.008 * std::abs(w) + 0.03 * size + 1e-6)
            << "d"
            << "qkv"[what] << " " << i << " dim " << s.dim << " causal " << s.causal;
      }
      ASSERT_EQ(got[what]->back(), 0x7fc0);
    }
  }
}

TEST_P(TrainAttention, BackwardIsTheSlopeOfForward) {
  Rng rng(3);
  for (const Shape& s : {Shape{2, 1, 32, {9, 40}, {9, 40}, true}, Shape{2, 2, 16, {30, 2}, {17, 4}, false},
                         Shape{2, 1, 32, {9, 80}, {9, 80}, false, 0.4f}}) {
    Case c(s, &rng);
    GetParam()->attend_forward(&c.work, 0, c.units(), c.Workspace());
    GetParam()->attend_backward(&c.work, 0, c.units(), c.Workspace());
    const Doubles q = c.Dense(c.work.q, c.q_starts.back(), c.q_stride, s.heads * s.dim);
    const Doubles k = c.Dense(c.work.k, c.k_starts.back(), c.kv_stride, s.kv_heads * s.dim);
    const Doubles v = c.Dense(c.work.v, c.k_starts.back(), c.kv_stride, s.kv_heads * s.dim);
    const auto loss = [&](const Doubles& a, const Doubles& b, const Doubles& d) {
      Doubles o, l;
      c.Plain(a, b, d, &o, &l);
      double sum = 0;
      for (size_t i = 0; i < o.size(); ++i) sum += o[i] * BFloatToFloat(c.d_out[i]);
      return sum;
    };
    for (int what = 0; what < 3; ++what) {
      for (int round = 0; round < 4; ++round) {
        Doubles up[3] = {q, k, v}, down[3] = {q, k, v};
        const Brains& slope = what == 0 ? c.dq : what == 1 ? c.dk : c.dv;
        double along = 0, size = 0;
        for (size_t i = 0; i < up[what].size(); ++i) {
          const double way = rng.Uniform() * 2 - 1, g = BFloatToFloat(slope[i]);
          up[what][i] += 1e-4 * way, down[what][i] -= 1e-4 * way;
          along += way * g, size += way * way * g * g;
        }
        const double want = (loss(up[0], up[1], up[2]) - loss(down[0], down[1], down[2])) / 2e-4;
        EXPECT_NEAR(along, want, 0.03 * std::sqrt(size)) << "d"
                                                         << "qkv"[what];
      }
    }
  }
}

TEST_P(TrainAttention, UnitsByThemselvesGiveTheSameBits) {
  Rng rng(4);
  const Shape s{4, 2, 32, {70, 3, 129}, {70, 3, 129}, true, 0.1f};
  Case c(s, &rng);
  GetParam()->attend_forward(&c.work, 0, c.units(), c.Workspace());
  GetParam()->attend_backward(&c.work, 0, c.units(), c.Workspace());
  const Brains out = c.out, dq = c.dq, dk = c.dk, dv = c.dv;
  for (Brains* x : {&c.out, &c.dq, &c.dk, &c.dv}) std::fill(x->begin(), x->end(), 0x7fc0);
  for (int64_t unit = c.units() - 1; unit >= 0; --unit)
    GetParam()->attend_forward(&c.work, unit, unit + 1, c.Workspace());
  for (int64_t unit = c.units() - 1; unit >= 0; --unit)
    GetParam()->attend_backward(&c.work, unit, unit + 1, c.Workspace());
  EXPECT_EQ(c.out, out);
  EXPECT_EQ(c.dq, dq);
  EXPECT_EQ(c.dk, dk);
  EXPECT_EQ(c.dv, dv);
}

TEST_P(TrainAttention, HoldsAtTheExtremes) {
  Rng rng(5);
  Case c({1, 1, 16, {80}, {80}, true}, &rng);
  for (int64_t i = 0; i < 16; ++i) {
    c.qkv[static_cast<size_t>(70 * c.q_stride + i)] = FloatToBFloat(1e18f);  // scores of 1e18
    c.kv[static_cast<size_t>(75 * c.kv_stride + i)] = FloatToBFloat(NAN);    // seen by rows 75 and after
  }
  GetParam()->attend_forward(&c.work, 0, 1, c.Workspace());
  for (int64_t t = 0; t < 80; ++t) {
    for (int64_t i = 0; i < 16; ++i)
      ASSERT_EQ(std::isnan(BFloatToFloat(c.out[static_cast<size_t>(t * 16 + i)])), t >= 75) << t;
  }
}

INSTANTIATE_TEST_SUITE_P(AllTables, TrainAttention, testing::ValuesIn(AvailableTrainTables()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace atelier::kernel
