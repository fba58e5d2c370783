// Attention of single queries (query.h) for any set of instructions. Included after optimise-inl.h.

INLINE void Softmax(float* x, int64_t n) {
  float top = x[0];
  for (int64_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
  Vec total = Zero();
  ForVectors(
      n, [&](int64_t i, int64_t left) __attribute__((always_inline)) {
        const Vec e = Exp(Get(x + i, left) - Set(top));
        total = total + BlendPart(e, Zero(), left);
        Put(x + i, e, left);
      });
  const Vec inverse = Set(1 / SumLanes(total));
  ForVectors(
      n, [&](int64_t i, int64_t left) __attribute__((always_inline)) { Put(x + i, Get(x + i, left) * inverse, left); });
}

void QueryForward(const QueryAttention* work, int64_t begin, int64_t end) {
  const QueryAttention& w = *work;
  for (int64_t b = begin; b < end; ++b) {
    const float* query = w.query + b * w.width;
    float* weights = w.weights + b * w.time;
    for (int64_t s = 0; s < w.lengths[b]; ++s) {
      const uint16_t* key = w.keys + (b * w.time + s) * w.width;
      Vec sum = Zero();
      ForVectors(
          w.width, [&](int64_t c, int64_t n) __attribute__((always_inline)) {
            const Vec q = Get(query + c, n), k = Get(key + c, n);
            sum = w.energy ? Fma(Get(w.energy + c, n), Tanh(q + k), sum) : Fma(q, k, sum);
          });
      weights[s] = SumLanes(sum);
    }
    Softmax(weights, w.lengths[b]);
    const uint16_t* values = w.values + b * w.time * w.width;
    ForVectors(
        w.width, [&](int64_t c, int64_t n) __attribute__((always_inline)) {
          Vec sum = Zero();
          for (int64_t s = 0; s < w.lengths[b]; ++s) sum = Fma(Set(weights[s]), Get(values + s * w.width + c, n), sum);
          Put(w.context + b * w.width + c, sum, n);
        });
  }
}

void QueryBackward(const QueryAttention* work, int64_t begin, int64_t end) {
  const QueryAttention& w = *work;
  const Vec one = Set(1.0f);
  for (int64_t b = begin; b < end; ++b) {
    const float *query = w.query + b * w.width, *d_context = w.d_context + b * w.width;
    const float* weights = w.weights + b * w.time;
    float* d_scores = w.d_scores + b * w.time;
    float along = 0;
    for (int64_t s = 0; s < w.lengths[b]; ++s) {
      const int64_t row = (b * w.time + s) * w.width;
      const Vec weight = Set(weights[s]);
      Vec sum = Zero();
      ForVectors(
          w.width, [&](int64_t c, int64_t n) __attribute__((always_inline)) {
            const Vec d = Get(d_context + c, n);
            sum = Fma(d, Get(w.values + row + c, n), sum);
            Put(w.d_values + row + c, Fma(weight, d, Get(w.d_values + row + c, n)), n);
          });
      d_scores[s] = SumLanes(sum);
      along += weights[s] * d_scores[s];
    }
    for (int64_t s = 0; s < w.lengths[b]; ++s) d_scores[s] = weights[s] * (d_scores[s] - along);
    const int64_t rows = b * w.time * w.width;
    ForVectors(
        w.width, [&](int64_t c, int64_t n) __attribute__((always_inline)) {
          const Vec q = Get(query + c, n), v = w.energy ? Get(w.energy + c, n) : Zero();
          Vec d_query = Zero(), d_energy = Zero();
          for (int64_t s = 0; s < w.lengths[b]; ++s) {
            const int64_t at = rows + s * w.width + c;
            const Vec k = Get(w.keys + at, n), d = Set(d_scores[s]);
            Vec d_key;
            if (w.energy) {
              const Vec t = Tanh(q + k);
              d_key = d * v * Fnma(t, t, one);
              d_query = d_query + d_key;
              d_energy = Fma(d, t, d_energy);
            } else {
              d_key = d * q;
              d_query = Fma(d, k, d_query);
            }
            Put(w.d_keys + at, Get(w.d_keys + at, n) + d_key, n);
          }
          Put(w.d_query + b * w.width + c, d_query, n);
          if (w.energy) Put(w.d_energy + b * w.width + c, Get(w.d_energy + b * w.width + c, n) + d_energy, n);
        });
  }
}
