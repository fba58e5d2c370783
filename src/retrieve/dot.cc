#include "retrieve/dot.h"

#include <string_view>

#include "kernel/select.h"
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"
#endif

namespace atelier::retrieve {
namespace {

float ReferenceF32(const float* a, const float* b, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
  return static_cast<float>(sum);
}

int32_t ReferenceI8(const int8_t* a, const int8_t* b, int n) {
  int32_t sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

#if defined(__x86_64__)
float Avx2F32(const float* a, const float* b, int n);
int32_t Avx2I8(const int8_t* a, const int8_t* b, int n);
float Avx512F32(const float* a, const float* b, int n);
int32_t Avx512I8(const int8_t* a, const int8_t* b, int n);
#endif

Dots DotsOf(const char* isa) {
#if defined(__x86_64__)
  for (const kernel::Table* table : kernel::AvailableTables()) {
    if (table->name != isa) continue;
    if (table->name == "avx512") return {&Avx512F32, &Avx512I8};
    if (table->name == "avx2") return {&Avx2F32, &Avx2I8};
  }
#endif
  (void)isa;
  return {&ReferenceF32, &ReferenceI8};
}

const Dots& BestDots() {
  static const Dots dots = DotsOf(std::string(kernel::BestTable().name).c_str());
  return dots;
}

}  // namespace atelier::retrieve

#if defined(__x86_64__)
ATELIER_TARGET_BEGIN("avx2,fma")
namespace atelier::retrieve {

float Avx2F32(const float* a, const float* b, int n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int i = 0;
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

int32_t Avx2I8(const int8_t* a, const int8_t* b, int n) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  int i = 0;
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

}  // namespace atelier::retrieve
ATELIER_TARGET_END

ATELIER_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl")
namespace atelier::retrieve {

float Avx512F32(const float* a, const float* b, int n) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  int i = 0;
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

int32_t Avx512I8(const int8_t* a, const int8_t* b, int n) {
  __m512i s0 = _mm512_setzero_si512(), s1 = s0;
  int i = 0;
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

}  // namespace atelier::retrieve
ATELIER_TARGET_END
#endif
