// Finding bytes in text sixteen at a time. SSE2 belongs to every x86-64; elsewhere plain loops do the same.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstdint>
#include <string_view>

namespace atelier::data {

// The first '"', '\\' or control character (below 0x20) from `at` on; text.size() where there is none.
inline size_t FindQuoteOrEscape(std::string_view text, size_t at) {
  const char* data = text.data();
  const size_t size = text.size();
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
  for (; at + 16 <= size; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at));
    const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)),
                                     _mm_cmpeq_epi8(_mm_min_epu8(block, control), block));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < size; ++at) {
    const auto c = static_cast<unsigned char>(data[at]);
    if (c == '"' || c == '\\' || c < 0x20) return at;
  }
  return size;
}

// The first of three bytes from `at` on; text.size() where there is none.
inline size_t FindOfThree(std::string_view text, size_t at, char a, char b, char c) {
  const char* data = text.data();
  const size_t size = text.size();
#if defined(__SSE2__)
  const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b), vc = _mm_set1_epi8(c);
  for (; at + 16 <= size; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + at));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, va), _mm_cmpeq_epi8(block, vb)), _mm_cmpeq_epi8(block, vc));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0) return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < size; ++at) {
    if (data[at] == a || data[at] == b || data[at] == c) return at;
  }
  return size;
}

// Bytes that begin a character of UTF-8.
inline uint64_t CountCodePoints(std::string_view text) {
  uint64_t count = 0;
  for (const char c : text)
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // the compiler makes vectors of it
  return count;
}

}  // namespace atelier::data
