#include <cmath>

#include "kernel/training/reference.h"

namespace atelier::kernel::reference {

void LstmForward(const LstmCell* w, int64_t unit_begin, int64_t unit_end) {
  for (int64_t b = 0; b < w->batch; ++b) {
    for (int64_t u = unit_begin; u < unit_end; ++u) {
      const int64_t at = b * w->hidden + u;
      double gate[4];
      for (int k = 0; k < 4; ++k) {
        gate[k] = w->gates[(4 * b + k) * w->hidden + u];
        if (w->kept) w->kept[(4 * b + k) * w->hidden + u] = ToBrain(gate[k]);
      }
      const double before = w->c_prev ? w->c_prev[at] : 0;
      const double c = Sigmoid(gate[1]) * before + Sigmoid(gate[0]) * std::tanh(gate[2]);
      const double h = Sigmoid(gate[3]) * std::tanh(c);
      w->c[at] = static_cast<float>(c);
      if (w->h) w->h[b * w->h_stride + u] = static_cast<float>(h);
      if (w->h16) w->h16[b * w->h_stride + u] = ToBrain(h);
    }
  }
}

void LstmBackward(const LstmCell* w, int64_t unit_begin, int64_t unit_end) {
  for (int64_t b = 0; b < w->batch; ++b) {
    for (int64_t u = unit_begin; u < unit_end; ++u) {
      const int64_t at = b * w->hidden + u, gates = 4 * b * w->hidden + u;
      const auto kept = [&](int k) { return FromBrain(w->kept[gates + k * w->hidden]); };
      const double i = Sigmoid(kept(0)), f = Sigmoid(kept(1)), g = std::tanh(kept(2)), o = Sigmoid(kept(3));
      const double t = std::tanh(static_cast<double>(w->c[at])), before = w->c_prev ? w->c_prev[at] : 0;
      const double dh = (w->dh16 ? FromBrain(w->dh16[b * w->dh16_stride + u]) : 0) + (w->dh ? w->dh[at] : 0);
      const double dc = w->dc[at] + dh * o * (1 - t * t);
      w->dc[at] = static_cast<float>(dc * f);
      w->d_gates[gates] = ToBrain(dc * g * i * (1 - i));
      w->d_gates[gates + w->hidden] = ToBrain(dc * before * f * (1 - f));
      w->d_gates[gates + 2 * w->hidden] = ToBrain(dc * i * (1 - g * g));
      w->d_gates[gates + 3 * w->hidden] = ToBrain(dh * t * o * (1 - o));
    }
  }
}

void GruForward(const GruCell* w, int64_t unit_begin, int64_t unit_end) {
  for (int64_t b = 0; b < w->batch; ++b) {
    for (int64_t u = unit_begin; u < unit_end; ++u) {
      const int64_t at = b * w->hidden + u, gates = 3 * b * w->hidden + u;
      double x[3], s[3];
      for (int k = 0; k < 3; ++k) {
        x[k] = FromBrain(w->a[gates + k * w->hidden]), s[k] = w->b[gates + k * w->hidden];
        if (w->kept) w->kept[gates + k * w->hidden] = ToBrain(s[k]);
      }
      const double r = Sigmoid(x[0] + s[0]), z = Sigmoid(x[1] + s[1]), state = std::tanh(x[2] + r * s[2]);
      const double h = (1 - z) * state + z * (w->h_prev ? w->h_prev[at] : 0);
      w->h[at] = static_cast<float>(h);
      if (w->h16) w->h16[b * w->h16_stride + u] = ToBrain(h);
    }
  }
}

void GruBackward(const GruCell* w, int64_t unit_begin, int64_t unit_end) {
  for (int64_t b = 0; b < w->batch; ++b) {
    for (int64_t u = unit_begin; u < unit_end; ++u) {
      const int64_t at = b * w->hidden + u, gates = 3 * b * w->hidden + u;
      double x[3], s[3];
      for (int k = 0; k < 3; ++k)
        x[k] = FromBrain(w->a[gates + k * w->hidden]), s[k] = FromBrain(w->kept[gates + k * w->hidden]);
      const double r = Sigmoid(x[0] + s[0]), z = Sigmoid(x[1] + s[1]), state = std::tanh(x[2] + r * s[2]);
      const double before = w->h_prev ? w->h_prev[at] : 0;
      const double dh = w->dh[at] + (w->dh16 ? FromBrain(w->dh16[b * w->dh16_stride + u]) : 0);
      const double d_state = dh * (1 - z) * (1 - state * state);
      const double slopes[3] = {d_state * s[2] * r * (1 - r), dh * (before - state) * z * (1 - z), d_state};
      w->dh[at] = static_cast<float>(dh * z);
      for (int k = 0; k < 3; ++k) {
        w->da[gates + k * w->hidden] = ToBrain(slopes[k]);
        w->db[gates + k * w->hidden] = ToBrain(k == 2 ? d_state * r : slopes[k]);
      }
    }
  }
}

}  // namespace atelier::kernel::reference
