// Row-wise AVX2 kernels and attention: avx512.cc and avx512_attend.cc on eight lanes.
#include "kernel/avx2.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx2,fma,f16c")
namespace atelier::kernel {
namespace {

inline __m256 PowerOfTwo(__m256i e) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23));
}

// e^x as in avx512_math.h; 2^n by adding to the exponent, in two halves so that the ends go to 0 and inf.
inline __m256 Exp(__m256 x) {
  // The limits keep n in range; NaN passes through both (the second operand wins when the first is not a number).
  x = _mm256_max_ps(_mm256_set1_ps(-104.0f), _mm256_min_ps(_mm256_set1_ps(89.0f), x));
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504088896341f)), 8);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693145751953125f), x);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(1.428606765330187e-6f), r);
  __m256 p = _mm256_set1_ps(1.3888889e-3f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3333333e-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1666667e-2f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666667e-1f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
  const __m256i whole = _mm256_cvtps_epi32(n);
  const __m256i first = _mm256_srai_epi32(whole, 1), second = _mm256_sub_epi32(whole, first);
  return _mm256_mul_ps(_mm256_mul_ps(p, PowerOfTwo(first)), PowerOfTwo(second));
}

inline __m256 Tanh(__m256 x) {
  const __m256 one = _mm256_set1_ps(1.0f);
  return _mm256_sub_ps(one, _mm256_div_ps(_mm256_set1_ps(2.0f), _mm256_add_ps(Exp(_mm256_add_ps(x, x)), one)));
}

inline __m256 Abs(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }

inline float ReduceAdd(__m256 x) {
  alignas(32) float v[8];
  _mm256_store_ps(v, x);
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

inline float ReduceMax(__m256 x) {
  alignas(32) float v[8];
  _mm256_store_ps(v, x);
  float most = v[0];
  for (int i = 1; i < 8; ++i) most = v[i] > most ? v[i] : most;
  return most;
}

// The lanes below `left`.
inline __m256i Mask(int64_t left) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(left > 8 ? 8 : static_cast<int>(left)), lanes);
}

template <bool kWide>
inline __attribute__((always_inline)) __m256 Load8(const uint8_t* page, int64_t at) {
  if constexpr (kWide) return _mm256_loadu_ps(reinterpret_cast<const float*>(page) + at);
  return _mm256_cvtph_ps(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(reinterpret_cast<const uint16_t*>(page) + at)));
}

struct Range {
  int64_t low, high;
};

template <bool kWide, int kRows>
void Scores(const Attention& a, int row, Range range, int64_t width) {
  for (int64_t p = range.low; p <= range.high; p += kKeys) {
    const uint8_t* page = a.key_pages[p / a.page_keys];
    const int64_t base = p % a.page_keys / kKeys * a.head_dim * kKeys;
    __m256 sum[kRows][2];
    for (int r = 0; r < kRows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_ps();
    for (int d = 0; d < a.head_dim; ++d) {
      const __m256 low = Load8<kWide>(page, base + d * kKeys), high = Load8<kWide>(page, base + d * kKeys + 8);
      for (int r = 0; r < kRows; ++r) {
        const __m256 q = _mm256_set1_ps(a.query[row + r][d]);
        sum[r][0] = _mm256_fmadd_ps(low, q, sum[r][0]);
        sum[r][1] = _mm256_fmadd_ps(high, q, sum[r][1]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      float* scores = a.scratch + r * width + (p - range.low);
      for (int h = 0; h < 2; ++h) {
        __m256 score = _mm256_mul_ps(sum[r][h], _mm256_set1_ps(a.scale));
        if (a.softcap > 0) {
          const __m256 cap = _mm256_set1_ps(a.softcap);
          score = _mm256_mul_ps(Tanh(_mm256_div_ps(score, cap)), cap);
        }
        _mm256_storeu_ps(scores + h * 8, score);
      }
      for (int k = 0; k < kKeys; ++k) {
        if (p + k < a.first[row + r] || p + k > a.last[row + r]) scores[k] = -__builtin_inff();
      }
    }
  }
}

inline float Softmax(float* scores, int64_t width) {
  __m256 most = _mm256_set1_ps(-__builtin_inff());
  for (int64_t i = 0; i < width; i += 8) most = _mm256_max_ps(_mm256_loadu_ps(scores + i), most);
  const __m256 top = _mm256_set1_ps(ReduceMax(most));
  __m256 sum = _mm256_setzero_ps();
  for (int64_t i = 0; i < width; i += 8) {
    const __m256 score = _mm256_loadu_ps(scores + i);
    // A key that is not seen weighs exactly nothing; Exp stops a little above.
    const __m256 seen = _mm256_cmp_ps(score, _mm256_set1_ps(-__builtin_inff()), _CMP_NEQ_UQ);
    const __m256 e = _mm256_and_ps(Exp(_mm256_sub_ps(score, top)), seen);
    _mm256_storeu_ps(scores + i, e);
    sum = _mm256_add_ps(sum, e);
  }
  return ReduceAdd(sum);
}

template <bool kWide, int kRows>
void Values(const Attention& a, int row, Range range, int64_t width, int d, const float* sums) {
  __m256 sum[kRows][2];
  for (int r = 0; r < kRows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_ps();
  for (int64_t p = range.low; p <= range.high; ++p) {
    const uint8_t* page = a.value_pages[p / a.page_keys];
    const int64_t at = p % a.page_keys * a.head_dim + d;
    const __m256 low = Load8<kWide>(page, at), high = Load8<kWide>(page, at + 8);
    for (int r = 0; r < kRows; ++r) {
      const __m256 weight = _mm256_set1_ps(a.scratch[r * width + (p - range.low)]);
      sum[r][0] = _mm256_fmadd_ps(weight, low, sum[r][0]);
      sum[r][1] = _mm256_fmadd_ps(weight, high, sum[r][1]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    const __m256 inverse = _mm256_set1_ps(1.0f / sums[r]);
    for (int h = 0; h < 2; ++h) _mm256_storeu_ps(a.out[row + r] + d + h * 8, _mm256_mul_ps(sum[r][h], inverse));
  }
}

template <bool kWide, int kRows>
void Rows(const Attention& a, int row) {
  Range range{a.first[row], a.last[row]};
  for (int r = 1; r < kRows; ++r) {
    if (a.first[row + r] < range.low) range.low = a.first[row + r];
    if (a.last[row + r] > range.high) range.high = a.last[row + r];
  }
  range.low = range.low / kKeys * kKeys;
  const int64_t width = (range.high - range.low) / kKeys * kKeys + kKeys;
  Scores<kWide, kRows>(a, row, range, width);
  float sums[kRows];
  for (int r = 0; r < kRows; ++r) sums[r] = Softmax(a.scratch + r * width, width);
  for (int d = 0; d < a.head_dim; d += 16) Values<kWide, kRows>(a, row, range, width, d, sums);
}

template <bool kWide>
void AttendRows(const Attention& a) {
  int row = 0;
  for (; row + 4 <= a.rows; row += 4) Rows<kWide, 4>(a, row);
  if (row + 2 <= a.rows) Rows<kWide, 2>(a, row), row += 2;
  if (row < a.rows) Rows<kWide, 1>(a, row);
}

}  // namespace

void Avx2Quantise(const float* x, int64_t token, const QuantisedRows* out) {
  const int64_t stretches = out->cols / kStretch;
  for (int64_t s = 0; s < stretches; ++s) {
    __m256 most = _mm256_setzero_ps();
    for (int i = 0; i < kStretch; i += 8) most = _mm256_max_ps(Abs(_mm256_loadu_ps(x + s * kStretch + i)), most);
    const float greatest = ReduceMax(most);
    const __m256 inverse = _mm256_set1_ps(greatest > 0 ? 127.0f / greatest : 0.0f);
    int8_t* to = out->q + token * out->cols + s * kStretch;
    int32_t sums[2] = {0, 0};
    for (int i = 0; i < kStretch; i += 8) {
      const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(x + s * kStretch + i), inverse);
      const __m256 number = _mm256_cmp_ps(scaled, scaled, _CMP_ORD_Q);
      __m256i q = _mm256_cvtps_epi32(_mm256_and_ps(scaled, number));
      q = _mm256_min_epi32(_mm256_max_epi32(q, _mm256_set1_epi32(-127)), _mm256_set1_epi32(127));
      alignas(32) int32_t all[8];
      _mm256_store_si256(reinterpret_cast<__m256i*>(all), q);
      for (int j = 0; j < 8; ++j) {
        to[i + j] = static_cast<int8_t>(all[j]);
        sums[i / 16] += all[j];
      }
    }
    const float scale = greatest / 127.0f;
    out->scale[token * stretches + s] = scale;
    out->neg_sum[(token * stretches + s) * 2] = -sums[0];
    out->neg_sum[(token * stretches + s) * 2 + 1] = -sums[1];
    out->scaled_sum[token * stretches + s] = -scale * static_cast<float>(sums[0] + sums[1]);
  }
}

void Avx2RmsNorm(const float* x, const float* weight, float eps, int64_t n, float* out) {
  __m256 sum = _mm256_setzero_ps();
  for (int64_t i = 0; i < n; i += 8) {
    const __m256 v = _mm256_maskload_ps(x + i, Mask(n - i));
    sum = _mm256_fmadd_ps(v, v, sum);
  }
  const __m256 scale = _mm256_set1_ps(1.0f / __builtin_sqrtf(ReduceAdd(sum) / static_cast<float>(n) + eps));
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    const __m256 v = _mm256_mul_ps(_mm256_maskload_ps(x + i, mask), scale);
    _mm256_maskstore_ps(out + i, mask, _mm256_mul_ps(v, _mm256_maskload_ps(weight + i, mask)));
  }
}

void Avx2Gated(Gate act, float* gate, const float* up, int64_t n) {
  const __m256 one = _mm256_set1_ps(1.0f);
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    const __m256 x = _mm256_maskload_ps(gate + i, mask);
    __m256 value;
    if (act == Gate::kSilu) {
      value = _mm256_div_ps(x, _mm256_add_ps(one, Exp(_mm256_sub_ps(_mm256_setzero_ps(), x))));
    } else {
      const __m256 cubic = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_mul_ps(x, x), x), _mm256_set1_ps(0.044715f), x);
      const __m256 tanh = Tanh(_mm256_mul_ps(cubic, _mm256_set1_ps(0.7978845608028654f)));
      value = _mm256_mul_ps(_mm256_mul_ps(x, _mm256_set1_ps(0.5f)), _mm256_add_ps(one, tanh));
    }
    _mm256_maskstore_ps(gate + i, mask, _mm256_mul_ps(value, _mm256_maskload_ps(up + i, mask)));
  }
}

void Avx2LogSumExp(const float* x, int64_t n, float* greatest, float* log_sum) {
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  __m256 most = lowest;
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    most = _mm256_max_ps(_mm256_blendv_ps(lowest, _mm256_maskload_ps(x + i, mask), _mm256_castsi256_ps(mask)), most);
  }
  *greatest = ReduceMax(most);
  const __m256 top = _mm256_set1_ps(*greatest);
  __m256 sum = _mm256_setzero_ps();
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    const __m256 e = Exp(_mm256_sub_ps(_mm256_maskload_ps(x + i, mask), top));
    sum = _mm256_add_ps(sum, _mm256_and_ps(e, _mm256_castsi256_ps(mask)));
  }
  *log_sum = __builtin_logf(ReduceAdd(sum));
}

void Avx2AddLayerNorm(float* x, const float* branch, const float* weight, const float* bias, float eps, int64_t n) {
  __m256 sum = _mm256_setzero_ps();
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    const __m256 v = _mm256_add_ps(_mm256_maskload_ps(x + i, mask), _mm256_maskload_ps(branch + i, mask));
    _mm256_maskstore_ps(x + i, mask, v);
    sum = _mm256_add_ps(sum, v);
  }
  const __m256 mean = _mm256_set1_ps(ReduceAdd(sum) / static_cast<float>(n));
  __m256 squares = _mm256_setzero_ps();
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    const __m256 away = _mm256_and_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, mask), mean), _mm256_castsi256_ps(mask));
    squares = _mm256_fmadd_ps(away, away, squares);
  }
  const __m256 scale = _mm256_set1_ps(1.0f / __builtin_sqrtf(ReduceAdd(squares) / static_cast<float>(n) + eps));
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    const __m256 v = _mm256_mul_ps(_mm256_sub_ps(_mm256_maskload_ps(x + i, mask), mean), scale);
    _mm256_maskstore_ps(x + i, mask,
                        _mm256_fmadd_ps(v, _mm256_maskload_ps(weight + i, mask), _mm256_maskload_ps(bias + i, mask)));
  }
}

void Avx2BiasGelu(float* x, const float* bias, int64_t n) {
  const __m256 one = _mm256_set1_ps(1.0f);
  for (int64_t i = 0; i < n; i += 8) {
    const __m256i mask = Mask(n - i);
    const __m256 v = _mm256_add_ps(_mm256_maskload_ps(x + i, mask), _mm256_maskload_ps(bias + i, mask));
    const __m256 z = _mm256_mul_ps(Abs(v), _mm256_set1_ps(0.70710678f));
    const __m256 t = _mm256_div_ps(one, _mm256_fmadd_ps(_mm256_set1_ps(0.3275911f), z, one));
    __m256 p = _mm256_set1_ps(1.061405429f);
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-1.453152027f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(1.421413741f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0.284496736f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0.254829592f));
    const __m256 e = Exp(_mm256_mul_ps(_mm256_sub_ps(_mm256_setzero_ps(), z), z));
    const __m256 tail = _mm256_mul_ps(_mm256_mul_ps(p, t), e);
    const __m256 up = _mm256_max_ps(_mm256_setzero_ps(), v);
    const __m256 half = _mm256_mul_ps(Abs(v), _mm256_set1_ps(0.5f));
    _mm256_maskstore_ps(x + i, mask, _mm256_fnmadd_ps(half, tail, up));
  }
}

void Avx2Attend(const Attention* a) { a->wide ? AttendRows<true>(*a) : AttendRows<false>(*a); }

void Avx2MinHash(const uint32_t* x, int64_t n, const uint32_t* multiply, const uint32_t* add, int64_t lanes,
                 uint32_t* out) {
  for (int64_t at = 0; at < lanes; at += 16) {  // two vectors: their constants and the least stay in registers
    const auto load = [](const uint32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); };
    const __m256i m0 = load(multiply + at), m1 = load(multiply + at + 8), a0 = load(add + at), a1 = load(add + at + 8);
    __m256i least0 = _mm256_set1_epi32(-1), least1 = least0;
    for (int64_t i = 0; i < n; ++i) {
      const __m256i value = _mm256_set1_epi32(static_cast<int>(x[i]));
      least0 = _mm256_min_epu32(least0, _mm256_add_epi32(_mm256_mullo_epi32(value, m0), a0));
      least1 = _mm256_min_epu32(least1, _mm256_add_epi32(_mm256_mullo_epi32(value, m1), a1));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + at), least0);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + at + 8), least1);
  }
}

float Avx2Dot(const float* a, const float* b, int64_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
    s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
    s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
  }
  float lanes[8];
  _mm256_storeu_ps(lanes, _mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  float sum = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

int32_t Avx2DotBytes(const int8_t* a, const int8_t* b, int64_t n) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i a0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i)));
    const __m256i b0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i)));
    const __m256i a1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i + 16)));
    const __m256i b1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i + 16)));
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(a0, b0));
    s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(a1, b1));
  }
  int32_t lanes[8];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), _mm256_add_epi32(s0, s1));
  int32_t sum = 0;
  for (const int32_t lane : lanes) sum += lane;
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace atelier::kernel
ATELIER_TARGET_END
#endif
