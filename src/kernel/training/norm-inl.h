// Normalisation, gates and dropout (norm.h) for any set of instructions. Included after optimise-inl.h.

INLINE float Mean(Vec sum, int64_t n) { return SumLanes(sum) / static_cast<float>(n); }

void NormForward(const RowNorm* work, int64_t row_begin, int64_t row_end) {
  const RowNorm& w = *work;
  for (int64_t r = row_begin; r < row_end; ++r) {
    const int64_t at = r * w.cols;
    Vec total = Zero(), squares = Zero();
    const auto value = [&](int64_t i, int64_t n) __attribute__((always_inline)) {
      Vec s = Get(w.x + at + i, n);
      if (w.branch) s = s + Get(w.branch + at + i, n);
      return s;
    };
    ForVectors(
        w.cols, [&](int64_t i, int64_t n) __attribute__((always_inline)) { total = total + value(i, n); });
    const float mean = w.rms ? 0 : Mean(total, w.cols);
    ForVectors(
        w.cols, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
          const Vec d = BlendPart(value(i, n) - Set(mean), Zero(), n);
          squares = Fma(d, d, squares);
        });
    const float inverse = 1 / __builtin_sqrtf(Mean(squares, w.cols) + w.epsilon);
    if (w.mean) w.mean[r] = mean;
    if (w.inverse) w.inverse[r] = inverse;
    ForVectors(
        w.cols, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
          const Vec s = value(i, n);
          if (w.sum) Put(w.sum + at + i, s, n);
          Vec y = (s - Set(mean)) * Set(inverse);
          if (w.weight) y = y * Get(w.weight + i, n);
          if (w.bias) y = y + Get(w.bias + i, n);
          if (w.y) Put(w.y + at + i, y, n);
          if (w.y16) Put(w.y16 + at + i, y, n);
        });
  }
}

void NormBackward(const RowNorm* work, int64_t block_begin, int64_t block_end) {
  const RowNorm& w = *work;
  for (int64_t block = block_begin; block < block_end; ++block) {
    const int64_t begin = block * kNormBlock, end = w.rows - begin < kNormBlock ? w.rows : begin + kNormBlock;
    float* d_weight = w.d_weight ? w.d_weight + block * w.cols : nullptr;
    float* d_bias = w.d_bias ? w.d_bias + block * w.cols : nullptr;
    for (int64_t r = begin; r < end; ++r) {
      const int64_t at = r * w.cols;
      const Vec mean = Set(w.mean && !w.rms ? w.mean[r] : 0), inverse = Set(w.inverse[r]);
      Vec total = Zero(), along = Zero();
      const auto slope = [&](int64_t i, int64_t n) __attribute__((always_inline)) {
        return w.dy16 ? Get(w.dy16 + at + i, n) : Get(w.dy + at + i, n);
      };
      ForVectors(
          w.cols, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
            const Vec dy = slope(i, n), normal = (Get(w.x + at + i, n) - mean) * inverse;
            const Vec g = w.weight ? dy * Get(w.weight + i, n) : dy;
            total = total + g;
            along = Fma(g, BlendPart(normal, Zero(), n), along);
            if (d_weight) {
              const Vec part = dy * normal;
              Put(d_weight + i, r == begin ? part : Get(d_weight + i, n) + part, n);
            }
            if (d_bias) Put(d_bias + i, r == begin ? dy : Get(d_bias + i, n) + dy, n);
          });
      const Vec shift = Set(w.rms ? 0 : Mean(total, w.cols)), turn = Set(Mean(along, w.cols));
      ForVectors(
          w.cols, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
            const Vec dy = slope(i, n), normal = (Get(w.x + at + i, n) - mean) * inverse;
            const Vec g = w.weight ? dy * Get(w.weight + i, n) : dy;
            Vec dx = inverse * Fnma(normal, turn, g - shift);
            if (w.d_sum) dx = dx + Get(w.d_sum + at + i, n);
            if (w.dx) Put(w.dx + at + i, dx, n);
            if (w.dx16) Put(w.dx16 + at + i, dx, n);
          });
    }
  }
}

void SumRows(const float* parts, int64_t rows, int64_t cols, int64_t begin, int64_t end, float* sums) {
  ForVectors(
      end - begin, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
        Vec sum = Get(sums + begin + i, n);
        for (int64_t r = 0; r < rows; ++r) sum = sum + Get(parts + r * cols + begin + i, n);
        Put(sums + begin + i, sum, n);
      });
}

void GatedForward(Activation act, const uint16_t* gate, const uint16_t* up, int64_t n, uint16_t* out) {
  ForVectors(
      n, [&](int64_t i, int64_t count) __attribute__((always_inline)) {
        Put(out + i, Activate(act, Get(gate + i, count)) * Get(up + i, count), count);
      });
}

void GatedBackward(Activation act, const uint16_t* gate, const uint16_t* up, const uint16_t* d_out, int64_t n,
                   uint16_t* d_gate, uint16_t* d_up) {
  ForVectors(
      n, [&](int64_t i, int64_t count) __attribute__((always_inline)) {
        const Vec g = Get(gate + i, count), u = Get(up + i, count), d = Get(d_out + i, count);
        Put(d_gate + i, d * u * Slope(act, g), count);
        Put(d_up + i, d * Activate(act, g), count);
      });
}

// What stays of the chunk that begins with number `first` of the stream, and by how much that grows.
INLINE void KeptOf(const Dropout& how, int64_t first, Mask* kept) {
  const uint32_t least = static_cast<uint32_t>(static_cast<double>(how.rate) * 4294967296.0);
  Philox(how.seed, how.stream, static_cast<uint64_t>(first / kDropoutChunk), least, kept);
}
INLINE float KeptScale(const Dropout& how) { return 1.0f / (1.0f - how.rate); }

template <typename T>
INLINE void DropAll(const Dropout& how, int64_t first, const T* x, int64_t n, T* out) {
  const Vec keep = Set(KeptScale(how));
  for (int64_t begin = 0; begin < n; begin += kDropoutChunk) {
    Mask kept[kDropoutChunk / kLanes];
    KeptOf(how, first + begin, kept);
    const int64_t left = n - begin < kDropoutChunk ? n - begin : kDropoutChunk;
    for (int64_t c = 0; c < left; c += kLanes)
      Put(out + begin + c, Choose(kept[c / kLanes], Get(x + begin + c, left - c) * keep, Zero()), left - c);
  }
}

void Drop(const Dropout* how, int64_t first, const float* x, int64_t n, float* out) { DropAll(*how, first, x, n, out); }
void Drop16(const Dropout* how, int64_t first, const uint16_t* x, int64_t n, uint16_t* out) {
  DropAll(*how, first, x, n, out);
}

void Rotate(const Rotation* work, int64_t row_begin, int64_t row_end) {
  const Rotation& w = *work;
  const Vec sign = Set(w.back ? -1.0f : 1.0f);
  for (int64_t r = row_begin; r < row_end; ++r) {
    const float *cosines = w.cosines + w.positions[r] * (w.dim / 2), *sines = w.sines + w.positions[r] * (w.dim / 2);
    for (int64_t head = 0; head < w.heads; ++head) {
      uint16_t* x = w.x + r * w.stride + head * w.dim;
      if (w.halves) {
        uint16_t* y = x + w.dim / 2;
        ForVectors(
            w.dim / 2, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
              const Vec a = Get(x + i, n), b = Get(y + i, n), c = Get(cosines + i, n), s = Get(sines + i, n) * sign;
              Put(x + i, a * c - b * s, n);
              Put(y + i, Fma(a, s, b * c), n);
            });
        continue;
      }
      ForVectors(
          w.dim / 2, [&](int64_t i, int64_t n) __attribute__((always_inline)) {
            Vec a, b;
            UnzipPart(x + 2 * i, n, &a, &b);
            const Vec c = Get(cosines + i, n), s = Get(sines + i, n) * sign;
            PutZipped(x + 2 * i, a * c - b * s, Fma(a, s, b * c), n);
          });
    }
  }
}
