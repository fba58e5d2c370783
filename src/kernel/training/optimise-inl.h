// Optimisers (optimise.h) for any set of instructions. Included after math-inl.h.

// Calls step(at, count) for whole vectors and the rest: `step` loads and stores parts where count < kLanes.
template <typename Step>
INLINE void ForVectors(int64_t n, Step step) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) step(i, kLanes);
  if (i < n) step(i, n - i);
}

INLINE Vec Get(const float* from, int64_t n) { return n >= kLanes ? Load(from) : LoadPart(from, n); }
INLINE Vec Get(const uint16_t* from, int64_t n) { return n >= kLanes ? Load(from) : LoadPart(from, n); }
INLINE void Put(float* to, Vec x, int64_t n) { n >= kLanes ? Store(to, x) : StorePart(to, x, n); }
INLINE void Put(uint16_t* to, Vec x, int64_t n) { n >= kLanes ? Store(to, x) : StorePart(to, x, n); }

INLINE Vec TakeGradient(const Arena& a, int64_t i, int64_t n) {
  const Vec g = Get(a.gradient + i, n) * Set(a.scale);
  Put(a.gradient + i, Zero(), n);
  return g;
}
INLINE void PutWeight(const Arena& a, int64_t i, int64_t n, Vec w) {
  Put(a.weight + i, w, n);
  if (a.copy) Put(a.copy + i, w, n);
}

void StepAdamW(const Arena* arena, const AdamW* how, float* first, float* second) {
  const Arena& a = *arena;
  const Vec keep = Set(1.0f - how->rate * how->decay), rest1 = Set(1.0f - how->beta1), beta2 = Set(how->beta2);
  const Vec rest2 = Set(1.0f - how->beta2), epsilon = Set(how->epsilon);
  const Vec rate = Set(how->rate / how->correction1), root = Set(1.0f / __builtin_sqrtf(how->correction2));
  ForVectors(
      a.n, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
        const Vec g = TakeGradient(a, i, n);
        Vec m = Get(first + i, n), v = Get(second + i, n);
        m = Fma(rest1, g - m, m);
        v = Fma(beta2, v, rest2 * g * g);
        Put(first + i, m, n);
        Put(second + i, v, n);
        const Vec w = Get(a.weight + i, n) * keep;
        PutWeight(a, i, n, Fnma(rate, m / Fma(Sqrt(v), root, epsilon), w));
      });
}

void StepSgd(const Arena* arena, const Sgd* how, float* momentum) {
  const Arena& a = *arena;
  const Vec shrink = Set(1.0f - how->rate * how->decay), keep = Set(how->momentum), rate = Set(how->rate);
  const bool nesterov = how->nesterov;
  ForVectors(
      a.n, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
        const Vec w = Get(a.weight + i, n) * shrink;
        Vec g = TakeGradient(a, i, n);
        if (momentum) {
          const Vec m = Fma(keep, Get(momentum + i, n), g);
          Put(momentum + i, m, n);
          g = nesterov ? Fma(keep, m, g) : m;
        }
        PutWeight(a, i, n, Fnma(rate, g, w));
      });
}

void StepLion(const Arena* arena, const Lion* how, float* momentum) {
  const Arena& a = *arena;
  const Vec keep = Set(1.0f - how->rate * how->decay), rest1 = Set(1.0f - how->beta1), rate = Set(how->rate);
  const Vec rest2 = Set(1.0f - how->beta2), up = Set(1.0f), down = Set(-1.0f);
  ForVectors(
      a.n, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
        const Vec g = TakeGradient(a, i, n), m = Get(momentum + i, n);
        const Vec way = Fma(rest1, g - m, m);
        const Vec sign = Choose(Above(way, Zero()), up, Choose(Above(Zero(), way), down, way));  // 0 and NaN stay
        Put(momentum + i, Fma(rest2, g - m, m), n);
        PutWeight(a, i, n, Fnma(rate, sign, Get(a.weight + i, n) * keep));
      });
}

double SumSquares(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t begin = 0; begin < n; begin += kSumPiece) {
    Wide wide = ZeroWide();
    ForVectors(
        n - begin < kSumPiece ? n - begin : kSumPiece, [&](int64_t i, int64_t count) __attribute__((always_inline)) {
          AddSquares(Get(x + begin + i, count), &wide);
        });
    sum += SumWide(wide);
  }
  return sum;
}
