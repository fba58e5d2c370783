// Row-wise AVX-512 kernels and the table.
#include "kernel/avx512.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c,avx2")
namespace atelier::kernel {
namespace {

#include "kernel/avx512_math.h"

// To whole numbers in [-127, 127]; not a number becomes 0.
inline __m512i Round(__m512 v) {
  const __m512i q = _mm512_maskz_cvtps_epi32(_mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), v);
  return _mm512_min_epi32(_mm512_max_epi32(q, _mm512_set1_epi32(-127)), _mm512_set1_epi32(127));
}

void Quantise(const float* x, int64_t token, const QuantisedRows* out) {
  const int64_t stretches = out->cols / kStretch;
  for (int64_t s = 0; s < stretches; ++s) {
    const __m512 low = _mm512_loadu_ps(x + s * kStretch), high = _mm512_loadu_ps(x + s * kStretch + 16);
    // max(second operand) drops NaN in the first, as the reference does
    const __m512 most = _mm512_max_ps(_mm512_abs_ps(low), _mm512_max_ps(_mm512_abs_ps(high), _mm512_setzero_ps()));
    const float greatest = _mm512_reduce_max_ps(most);
    const __m512 inverse = _mm512_set1_ps(greatest > 0 ? 127.0f / greatest : 0.0f);
    const __m512i q0 = Round(_mm512_mul_ps(low, inverse)), q1 = Round(_mm512_mul_ps(high, inverse));
    int8_t* to = out->q + token * out->cols + s * kStretch;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(q0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), _mm512_cvtepi32_epi8(q1));
    const int sum0 = _mm512_reduce_add_epi32(q0), sum1 = _mm512_reduce_add_epi32(q1);
    const float scale = greatest / 127.0f;
    out->scale[token * stretches + s] = scale;
    out->neg_sum[(token * stretches + s) * 2] = -sum0;
    out->neg_sum[(token * stretches + s) * 2 + 1] = -sum1;
    out->scaled_sum[token * stretches + s] = -scale * static_cast<float>(sum0 + sum1);
  }
}

inline __mmask16 Tail(int64_t left) { return static_cast<__mmask16>(left >= 16 ? 0xffff : (1 << left) - 1); }

void RmsNorm(const float* x, const float* weight, float eps, int64_t n, float* out) {
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(Tail(n - i), x + i);
    sum = _mm512_fmadd_ps(v, v, sum);
  }
  const float mean = _mm512_reduce_add_ps(sum) / static_cast<float>(n) + eps;
  const __m512 scale = _mm512_set1_ps(1.0f / __builtin_sqrtf(mean));
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = Tail(n - i);
    const __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), scale);
    _mm512_mask_storeu_ps(out + i, mask, _mm512_mul_ps(v, _mm512_maskz_loadu_ps(mask, weight + i)));
  }
}

void Gated(Gate act, float* gate, const float* up, int64_t n) {
  const __m512 one = _mm512_set1_ps(1.0f);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = Tail(n - i);
    const __m512 x = _mm512_maskz_loadu_ps(mask, gate + i);
    __m512 value;
    if (act == Gate::kSilu) {
      value = _mm512_div_ps(x, _mm512_add_ps(one, Exp(_mm512_sub_ps(_mm512_setzero_ps(), x))));
    } else {
      const __m512 cubic = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_mul_ps(x, x), x), _mm512_set1_ps(0.044715f), x);
      const __m512 tanh = Tanh(_mm512_mul_ps(cubic, _mm512_set1_ps(0.7978845608028654f)));
      value = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(0.5f)), _mm512_add_ps(one, tanh));
    }
    _mm512_mask_storeu_ps(gate + i, mask, _mm512_mul_ps(value, _mm512_maskz_loadu_ps(mask, up + i)));
  }
}

void LogSumExp(const float* x, int64_t n, float* greatest, float* log_sum) {
  const __m512 lowest = _mm512_set1_ps(-__builtin_inff());
  __m512 most = lowest;
  for (int64_t i = 0; i < n; i += 16) most = _mm512_max_ps(_mm512_mask_loadu_ps(lowest, Tail(n - i), x + i), most);
  *greatest = _mm512_reduce_max_ps(most);
  const __m512 top = _mm512_set1_ps(*greatest);
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = Tail(n - i);
    sum = _mm512_add_ps(sum, _mm512_maskz_mov_ps(mask, Exp(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), top))));
  }
  *log_sum = __builtin_logf(_mm512_reduce_add_ps(sum));
}

void AddLayerNorm(float* x, const float* branch, const float* weight, const float* bias, float eps, int64_t n) {
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = Tail(n - i);
    const __m512 v = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, branch + i));
    _mm512_mask_storeu_ps(x + i, mask, v);
    sum = _mm512_add_ps(sum, v);
  }
  const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / static_cast<float>(n));
  __m512 squares = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = Tail(n - i);
    const __m512 away = _mm512_maskz_sub_ps(mask, _mm512_maskz_loadu_ps(mask, x + i), mean);
    squares = _mm512_fmadd_ps(away, away, squares);
  }
  const float variance = _mm512_reduce_add_ps(squares) / static_cast<float>(n);
  const __m512 scale = _mm512_set1_ps(1.0f / __builtin_sqrtf(variance + eps));
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = Tail(n - i);
    const __m512 v = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), mean), scale);
    const __m512 out =
        _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(mask, weight + i), _mm512_maskz_loadu_ps(mask, bias + i));
    _mm512_mask_storeu_ps(x + i, mask, out);
  }
}

// erfc(|z|) = t P(t) e^(-z^2), t = 1 / (1 + p|z|) to 1.5e-7 (Abramowitz & Stegun 7.1.26); gelu(v) = max(v, 0) - |v|/2
// erfc(|v|/sqrt 2), which loses nothing where v is far below zero.
void BiasGelu(float* x, const float* bias, int64_t n) {
  const __m512 one = _mm512_set1_ps(1.0f);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 mask = Tail(n - i);
    const __m512 v = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, bias + i));
    const __m512 z = _mm512_mul_ps(_mm512_abs_ps(v), _mm512_set1_ps(0.70710678f));
    const __m512 t = _mm512_div_ps(one, _mm512_fmadd_ps(_mm512_set1_ps(0.3275911f), z, one));
    __m512 p = _mm512_set1_ps(1.061405429f);
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.453152027f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(1.421413741f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.284496736f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.254829592f));
    const __m512 e = Exp(_mm512_mul_ps(_mm512_sub_ps(_mm512_setzero_ps(), z), z));
    const __m512 tail = _mm512_mul_ps(_mm512_mul_ps(p, t), e);
    // max(second operand) keeps a NaN of v
    const __m512 up = _mm512_max_ps(_mm512_setzero_ps(), v);
    const __m512 half = _mm512_mul_ps(_mm512_abs_ps(v), _mm512_set1_ps(0.5f));
    _mm512_mask_storeu_ps(x + i, mask, _mm512_fnmadd_ps(half, tail, up));
  }
}

// Four vectors of lanes at a time, so that twelve registers hold all that the loop over x needs.
template <int kVectors>
void MinHashLanes(const uint32_t* x, int64_t n, const uint32_t* multiply, const uint32_t* add, uint32_t* out) {
  __m512i m[kVectors], a[kVectors], least[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    m[v] = _mm512_loadu_si512(multiply + v * 16);
    a[v] = _mm512_loadu_si512(add + v * 16);
    least[v] = _mm512_set1_epi32(-1);
  }
  for (int64_t i = 0; i < n; ++i) {
    const __m512i value = _mm512_set1_epi32(static_cast<int>(x[i]));
    for (int v = 0; v < kVectors; ++v) {
      least[v] = _mm512_min_epu32(least[v], _mm512_add_epi32(_mm512_mullo_epi32(value, m[v]), a[v]));
    }
  }
  for (int v = 0; v < kVectors; ++v) _mm512_storeu_si512(out + v * 16, least[v]);
}

void MinHash(const uint32_t* x, int64_t n, const uint32_t* multiply, const uint32_t* add, int64_t lanes,
             uint32_t* out) {
  int64_t at = 0;
  for (; at + 64 <= lanes; at += 64) MinHashLanes<4>(x, n, multiply + at, add + at, out + at);
  for (; at + 32 <= lanes; at += 32) MinHashLanes<2>(x, n, multiply + at, add + at, out + at);
  for (; at < lanes; at += 16) MinHashLanes<1>(x, n, multiply + at, add + at, out + at);
}

float Dot(const float* a, const float* b, int64_t n) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
    s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
    s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
    s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
  }
  float lanes[16];
  _mm512_storeu_ps(lanes, _mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
  float sum = 0;
  for (int lane = 0; lane < 8; ++lane) sum += lanes[lane] + lanes[lane + 8];
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

int32_t DotBytes(const int8_t* a, const int8_t* b, int64_t n) {
  __m512i s0 = _mm512_setzero_si512(), s1 = s0;
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const __m512i a0 = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i)));
    const __m512i b0 = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i)));
    const __m512i a1 = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i + 32)));
    const __m512i b1 = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i + 32)));
    s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(a0, b0));
    s1 = _mm512_add_epi32(s1, _mm512_madd_epi16(a1, b1));
  }
  int32_t lanes[16];
  _mm512_storeu_si512(lanes, _mm512_add_epi32(s0, s1));
  int32_t sum = 0;
  for (const int32_t lane : lanes) sum += lane;
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

const Table* Avx512Table() {
  static const Table table = {"avx512",     Quantise,  Avx512MatmulQuantised, Avx512MatmulFloat, RmsNorm, Gated,
                              Avx512Attend, LogSumExp, AddLayerNorm,          BiasGelu,          MinHash, Dot,
                              DotBytes};
  __builtin_cpu_init();
  const bool runs = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma");
  return runs ? &table : nullptr;
}

}  // namespace atelier::kernel
ATELIER_TARGET_END
#else
namespace atelier::kernel {
const Table* Avx512Table() { return nullptr; }
}  // namespace atelier::kernel
#endif
