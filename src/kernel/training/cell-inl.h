// Recurrent cells (cell.h) for any set of instructions. Included after optimise-inl.h.

template <typename Step>
INLINE void ForUnits(int64_t batch, int64_t begin, int64_t end, Step step) {
  for (int64_t b = 0; b < batch; ++b) {
    ForVectors(
        end - begin, [&](int64_t i, int64_t n) __attribute__((always_inline)) { step(b, begin + i, n); });
  }
}

void LstmForward(const LstmCell* work, int64_t unit_begin, int64_t unit_end) {
  const LstmCell& w = *work;
  ForUnits(
      w.batch, unit_begin, unit_end, [&](int64_t b, int64_t u, int64_t n) __attribute__((always_inline)) {
        Vec gate[4];
        for (int k = 0; k < 4; ++k) {
          const int64_t at = (4 * b + k) * w.hidden + u;
          gate[k] = Get(w.gates + at, n);
          if (w.kept) Put(w.kept + at, gate[k], n);
        }
        const int64_t at = b * w.hidden + u;
        Vec c = Sigmoid(gate[0]) * Tanh(gate[2]);
        if (w.c_prev) c = Fma(Sigmoid(gate[1]), Get(w.c_prev + at, n), c);
        const Vec h = Sigmoid(gate[3]) * Tanh(c);
        Put(w.c + at, c, n);
        if (w.h) Put(w.h + b * w.h_stride + u, h, n);
        if (w.h16) Put(w.h16 + b * w.h_stride + u, h, n);
      });
}

void LstmBackward(const LstmCell* work, int64_t unit_begin, int64_t unit_end) {
  const LstmCell& w = *work;
  const Vec one = Set(1.0f);
  ForUnits(
      w.batch, unit_begin, unit_end, [&](int64_t b, int64_t u, int64_t n) __attribute__((always_inline)) {
        const int64_t at = b * w.hidden + u, gates = 4 * b * w.hidden + u;
        const Vec i = Sigmoid(Get(w.kept + gates, n)), f = Sigmoid(Get(w.kept + gates + w.hidden, n));
        const Vec g = Tanh(Get(w.kept + gates + 2 * w.hidden, n)), o = Sigmoid(Get(w.kept + gates + 3 * w.hidden, n));
        const Vec t = Tanh(Get(w.c + at, n));
        Vec dh = w.dh16 ? Get(w.dh16 + b * w.dh16_stride + u, n) : Zero();
        if (w.dh) dh = dh + Get(w.dh + at, n);
        const Vec dc = Fma(dh * o, Fnma(t, t, one), Get(w.dc + at, n));
        const Vec before = w.c_prev ? Get(w.c_prev + at, n) : Zero();
        Put(w.dc + at, dc * f, n);
        Put(w.d_gates + gates, dc * g * i * (one - i), n);
        Put(w.d_gates + gates + w.hidden, dc * before * f * (one - f), n);
        Put(w.d_gates + gates + 2 * w.hidden, dc * i * Fnma(g, g, one), n);
        Put(w.d_gates + gates + 3 * w.hidden, dh * t * o * (one - o), n);
      });
}

void GruForward(const GruCell* work, int64_t unit_begin, int64_t unit_end) {
  const GruCell& w = *work;
  ForUnits(
      w.batch, unit_begin, unit_end, [&](int64_t b, int64_t u, int64_t n) __attribute__((always_inline)) {
        Vec x[3], s[3];
        for (int k = 0; k < 3; ++k) {
          const int64_t at = (3 * b + k) * w.hidden + u;
          x[k] = Get(w.a + at, n), s[k] = Get(w.b + at, n);
          if (w.kept) Put(w.kept + at, s[k], n);
        }
        const int64_t at = b * w.hidden + u;
        const Vec r = Sigmoid(x[0] + s[0]), z = Sigmoid(x[1] + s[1]), state = Tanh(Fma(r, s[2], x[2]));
        const Vec before = w.h_prev ? Get(w.h_prev + at, n) : Zero();
        const Vec h = Fma(z, before - state, state);
        Put(w.h + at, h, n);
        if (w.h16) Put(w.h16 + b * w.h16_stride + u, h, n);
      });
}

void GruBackward(const GruCell* work, int64_t unit_begin, int64_t unit_end) {
  const GruCell& w = *work;
  const Vec one = Set(1.0f);
  ForUnits(
      w.batch, unit_begin, unit_end, [&](int64_t b, int64_t u, int64_t n) __attribute__((always_inline)) {
        const int64_t at = b * w.hidden + u, gates = 3 * b * w.hidden + u;
        Vec x[3], s[3];
        for (int k = 0; k < 3; ++k)
          x[k] = Get(w.a + gates + k * w.hidden, n), s[k] = Get(w.kept + gates + k * w.hidden, n);
        const Vec r = Sigmoid(x[0] + s[0]), z = Sigmoid(x[1] + s[1]), state = Tanh(Fma(r, s[2], x[2]));
        const Vec before = w.h_prev ? Get(w.h_prev + at, n) : Zero();
        Vec dh = Get(w.dh + at, n);
        if (w.dh16) dh = dh + Get(w.dh16 + b * w.dh16_stride + u, n);
        const Vec d_state = dh * (one - z) * Fnma(state, state, one), d_z = dh * (before - state) * z * (one - z);
        const Vec d_r = d_state * s[2] * r * (one - r);
        Put(w.dh + at, dh * z, n);
        Put(w.da + gates, d_r, n);
        Put(w.da + gates + w.hidden, d_z, n);
        Put(w.da + gates + 2 * w.hidden, d_state, n);
        Put(w.db + gates, d_r, n);
        Put(w.db + gates + w.hidden, d_z, n);
        Put(w.db + gates + 2 * w.hidden, d_state * r, n);
      });
}
