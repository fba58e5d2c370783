// Functions of vectors for the kernels of training. Included after vector_*.h, in the same anonymous namespace.

// e^x as in kernel/avx512_math.h: relative error below 2^-22 where the result is normal, 0 and inf at the ends.
INLINE Vec Exp(Vec x) {
  x = Max(Set(-200.0f), Min(Set(200.0f), x));  // NaN passes: it is the second of both
  const Vec n = Round(x * Set(1.44269504088896341f));
  Vec r = Fnma(n, Set(0.693145751953125f), x);
  r = Fnma(n, Set(1.428606765330187e-6f), r);
  Vec p = Set(1.3888889e-3f);
  p = Fma(p, r, Set(8.3333333e-3f));
  p = Fma(p, r, Set(4.1666667e-2f));
  p = Fma(p, r, Set(1.6666667e-1f));
  p = Fma(p, r, Set(0.5f));
  p = Fma(p, r, Set(1.0f));
  p = Fma(p, r, Set(1.0f));
  return Scale2(p, n);
}

INLINE Vec Sigmoid(Vec x) { return Reciprocal(Set(1.0f) + Exp(Min(Set(80.0f), Zero() - x))); }

// Through 1 - 2 / (e^2|x| + 1); near zero, where that would lose digits, the odd series.
INLINE Vec Tanh(Vec x) {
  const Vec size = Abs(x), square = x * x;
  const Vec far = Set(1.0f) - Set(2.0f) * Reciprocal(Exp(Min(Set(40.0f), size + size)) + Set(1.0f));
  Vec p = Set(2.1869488e-2f);  // 62/2835
  p = Fma(p, square, Set(-5.3968254e-2f));
  p = Fma(p, square, Set(1.3333333e-1f));
  p = Fma(p, square, Set(-3.3333333e-1f));
  const Vec near = Fma(p * square, x, x);
  return Choose(Above(size, Set(0.25f)), SignOf(x, far), near);
}

// The normal distribution's Phi(x) = (1 + erf(x / sqrt 2)) / 2 and e^(-x^2/2) on the way: Abramowitz and Stegun 7.1.26,
// absolute error below 2e-7.
INLINE Vec Phi(Vec x, Vec* bell) {
  const Vec size = Abs(x);
  const Vec t = Reciprocal(Fma(size, Set(0.3275911f * 0.70710678118654752f), Set(1.0f)));
  Vec p = Set(0.5f * 1.061405429f);
  p = Fma(p, t, Set(0.5f * -1.453152027f));
  p = Fma(p, t, Set(0.5f * 1.421413741f));
  p = Fma(p, t, Set(0.5f * -0.284496736f));
  p = Fma(p, t, Set(0.5f * 0.254829592f));
  *bell = Exp(size * size * Set(-0.5f));
  const Vec tail = p * t * *bell;
  return Choose(Above(x, Zero()), Set(1.0f) - tail, tail);
}

constexpr float kGeluScale = 0.7978845608028654f, kGeluCube = 0.044715f;  // sqrt(2 / pi)

INLINE Vec Activate(Activation act, Vec x) {
  switch (act) {
    case Activation::kNone: return x;
    case Activation::kRelu: return Max(Zero(), x);  // NaN stays
    case Activation::kLeakyRelu: return Max(x * Set(0.2f), x);
    case Activation::kTanh: return Tanh(x);
    case Activation::kSigmoid: return Sigmoid(x);
    case Activation::kSilu: return x * Sigmoid(x);
    case Activation::kGelu: {
      Vec bell;
      return x * Phi(x, &bell);
    }
    case Activation::kGeluTanh: {  // (1 + tanh u) / 2 = sigmoid 2u
      const Vec u = x * Fma(x * x, Set(kGeluScale * kGeluCube), Set(kGeluScale));
      return x * Sigmoid(u + u);
    }
  }
  return x;
}

// The derivative at x, which no longer changes beyond 100.
INLINE Vec Slope(Activation act, Vec x) {
  const Vec one = Set(1.0f);
  x = Max(Set(-100.0f), Min(Set(100.0f), x));
  switch (act) {
    case Activation::kNone: return one;
    case Activation::kRelu: return Choose(Above(x, Zero()), one, Zero());
    case Activation::kLeakyRelu: return Choose(Above(x, Zero()), one, Set(0.2f));
    case Activation::kTanh: {
      const Vec t = Tanh(x);
      return Fnma(t, t, one);
    }
    case Activation::kSigmoid: {
      const Vec s = Sigmoid(x);
      return s * (one - s);
    }
    case Activation::kSilu: {
      const Vec s = Sigmoid(x);
      return s * Fma(x, one - s, one);
    }
    case Activation::kGelu: {
      Vec bell;
      const Vec phi = Phi(x, &bell);
      return Fma(x * Set(0.3989422804014327f), bell, phi);
    }
    case Activation::kGeluTanh: {
      const Vec square = x * x;
      const Vec u = x * Fma(square, Set(kGeluScale * kGeluCube), Set(kGeluScale));
      const Vec s = Sigmoid(u + u);
      const Vec du = Fma(square, Set(6.0f * kGeluScale * kGeluCube), Set(2.0f * kGeluScale));
      return Fma(x * s * (one - s), du, s);
    }
  }
  return one;
}
