#include "data/clean/tokens.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/str.h"
#include "data/clean/function_words.h"

namespace atelier::data::clean {
namespace {

constexpr size_t kPlaces = 1u << 15;  // bytes: two thirds of the first-level cache
constexpr size_t kLanguages = 32;

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Load64(const char* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

// Capital ASCII letters to small ones, eight bytes at once.
uint64_t Lower(uint64_t x) {
  constexpr uint64_t kAll = 0x0101010101010101;
  const uint64_t low7 = x & 0x7F * kAll;
  const uint64_t capital = (low7 + (0x80 - 'A') * kAll) & ~(low7 + (0x80 - 'Z' - 1) * kAll) & ~x & 0x80 * kAll;
  return x | capital >> 2;
}

// The first `size` bytes of eight, 0..8.
uint64_t Keep(uint64_t x, size_t size) { return size == 0 ? 0 : x & ~uint64_t{0} >> (64 - 8 * size); }

uint64_t HashHalves(uint64_t low, uint64_t high, uint64_t rest) {
  return Mix(low ^ 0x9E3779B97F4A7C15 ^ rest, high ^ 0xA0761D6478BD642F);
}

// REQUIRES: 16 readable bytes behind the word.
uint64_t HashWord(const char* p, size_t size) {
  uint64_t rest = size;
  while (size > 16) {
    rest = HashHalves(Lower(Load64(p)), Lower(Load64(p + 8)), rest);
    p += 16;
    size -= 16;
  }
  const size_t low = std::min<size_t>(size, 8);
  return HashHalves(Lower(Keep(Load64(p), low)), Lower(Keep(Load64(p + 8), size - low)), rest);
}

#if defined(__SSE2__)
// How many bytes from p on are ASCII letters and digits, at most 16, and the hash of these bytes as a word.
struct ShortWord {
  uint32_t length;
  uint64_t hash;
};
inline ShortWord ReadShortWord(const char* p) {
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i small = _mm_or_si128(v, _mm_set1_epi8(0x20));
  const auto in = [](__m128i c, char low, char size) {
    const __m128i shifted = _mm_sub_epi8(c, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_subs_epu8(shifted, _mm_set1_epi8(static_cast<char>(size - 1))), _mm_setzero_si128());
  };
  const __m128i letter = in(small, 'a', 26);
  const __m128i capital = _mm_and_si128(letter, _mm_set1_epi8(0x20));
  const uint32_t mask = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(letter, in(v, '0', 10))));
  const auto length = static_cast<uint32_t>(__builtin_ctz(~mask));
  alignas(16) static constexpr struct Masks {
    uint8_t of[17][16] = {};
    constexpr Masks() {
      for (int i = 0; i <= 16; ++i) {
        for (int j = 0; j < i; ++j) of[i][j] = 0xFF;
      }
    }
  } kFirst;
  const __m128i word =
      _mm_and_si128(_mm_or_si128(v, capital), _mm_load_si128(reinterpret_cast<const __m128i*>(kFirst.of[length])));
  return {length, HashHalves(static_cast<uint64_t>(_mm_cvtsi128_si64(word)),
                             static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(word, word))), length)};
}
#endif

// Hash of a function word -> which languages have it, as bits. English is bit 0.
class WordTable {
 public:
  static constexpr size_t kSlots = 4096;
  struct Slot {
    uint64_t hash = 0;
    uint32_t languages = 0;
  };

  WordTable() {
    uint32_t bit = 1;
    for (const FunctionWords& list : AllFunctionWords()) {
      for (const std::string& word : Split(list.words, ' ')) Add(word, bit);
      bit <<= 1;
    }
  }

  uint32_t Find(uint64_t hash) const {
    if ((filter_[hash >> 6 & 1023] >> (hash & 63) & 1) == 0) return 0;  // most words end here
    for (size_t at = hash >> 40 & (kSlots - 1);; at = (at + 1) & (kSlots - 1)) {
      if (slots_[at].hash == hash) return slots_[at].languages;
      if (slots_[at].hash == 0) return 0;
    }
  }

 private:
  void Add(const std::string& word, uint32_t bit) {
    if (word.empty()) return;
    const std::string padded = word + std::string(16, '\0');
    const uint64_t hash = HashWord(padded.data(), word.size());
    filter_[hash >> 6 & 1023] |= uint64_t{1} << (hash & 63);
    size_t at = hash >> 40 & (kSlots - 1);
    while (slots_[at].hash != 0 && slots_[at].hash != hash) at = (at + 1) & (kSlots - 1);
    slots_[at].hash = hash;
    slots_[at].languages |= bit;
  }

  std::array<Slot, kSlots> slots_;
  std::array<uint64_t, 1024> filter_ = {};
};

const WordTable& Words() {
  static const WordTable* table = new WordTable;
  return *table;
}

constexpr uint32_t kWordClasses = 1u << kClassAscii | 1u << kClassLatin | 1u << kClassDigit | 1u << kClassHangul |
                                  1u << kClassLetter | 1u << kClassMark;
constexpr uint32_t kLoneClasses = 1u << kClassHan | 1u << kClassHanChina | 1u << kClassHanJapan | 1u << kClassKana;

// What a byte below 0x80 is in a word.
constexpr std::array<bool, 256> kAsciiWord = [] {
  std::array<bool, 256> is = {};
  for (int c = '0'; c <= '9'; ++c) is[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) is[static_cast<size_t>(c)] = is[static_cast<size_t>(c - 32)] = true;
  return is;
}();

constexpr char32_t kFirstHan = 0x4E00, kLastHan = 0x9FFF;
constexpr uint64_t kHanFactor = 0xC2B2AE3D27D4EB4F;

uint64_t TripleOf(uint64_t first, uint64_t second, uint64_t third) {
  const uint64_t triple = (first * 0x9E3779B97F4A7C15 + second) * 0xD6E8FEB86659FD93 + third;
  return triple ^ triple >> 29;
}

}  // namespace

Tokeniser::Tokeniser(const CharTable* table)
    : table_(table), stop_((kLastHan - kFirstHan) / 64 + 1), marks_(kPlaces), exact_(4 * Tokens::kMostTriples) {
  for (char32_t c = kFirstHan; c <= kLastHan; ++c) {
    if (table->Of(c) & kStopHan) stop_[(c - kFirstHan) / 64] |= uint64_t{1} << (c - kFirstHan) % 64;
  }
}

template <typename Token>
void Tokeniser::Walk(std::string_view text, Tokens* tokens, const Token& token) const {
  const WordTable& known = Words();
  const uint64_t* const stops = stop_.data();
  uint32_t scores[kLanguages] = {};
  uint32_t seen_languages = 0, stop = 0;
  const auto word_token = [&](uint64_t hash) {
    token(hash);
    uint32_t languages = known.Find(hash);
    if (languages == 0) return;
    stop += languages & 1;
    seen_languages |= languages;
    for (; languages != 0; languages &= languages - 1) ++scores[__builtin_ctz(languages)];
  };
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = p + text.size();
  while (p < end) {
    const unsigned char c = *p;
    if (c < 0x80) {
      if (!kAsciiWord[c]) {
        ++p;
        continue;
      }
#if defined(__SSE2__)
      const ShortWord word = ReadShortWord(reinterpret_cast<const char*>(p));
      if (word.length < 16 && p[word.length] < 0x80 && p + word.length <= end) {
        word_token(word.hash);
        p += word.length + 1;  // and the character behind it, which is none of a word
        continue;
      }
#endif
    } else if (c >= 0xE4 && c <= 0xE9) {
      // Han come in long runs.
      const unsigned char* const run = p;
      do {
        const char32_t wide = (*p & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        if (wide < kFirstHan) break;  // U+4000..U+4DFF: the general way
        const char32_t at = wide - kFirstHan;
        stop += stops[at / 64] >> at % 64 & 1;
        token(wide * kHanFactor);
        p += 3;
      } while (p < end && *p >= 0xE4 && *p <= 0xE9);
      if (p != run) continue;
    }
    // A word, or characters between words.
    const unsigned char* const begin = p;
    bool word = false;
    while (p < end) {
      const unsigned char b = *p;
      if (b < 0x80) {
        if (!kAsciiWord[b]) break;
        word = true;
        ++p;
        continue;
      }
      char32_t wide;
      int length;
      if (b < 0xE0) {
        wide = (b & 0x1Fu) << 6 | (p[1] & 0x3Fu);
        length = 2;
      } else if (b < 0xF0) {
        wide = (b & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        length = 3;
      } else {
        wide = (b & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
        length = 4;
      }
      const uint32_t kind = table_->Of(wide) & 15;
      if (kWordClasses >> kind & 1) {
        word = true;
        p += length;
        continue;
      }
      if (!word) {
        if (kLoneClasses >> kind & 1) token(wide * kHanFactor);
        p += length;
      }
      break;
    }
    if (word) word_token(HashWord(reinterpret_cast<const char*>(begin), static_cast<size_t>(p - begin)));
  }
  tokens->stop_words = stop;
  tokens->english = scores[0];
  for (seen_languages &= ~1u; seen_languages != 0; seen_languages &= seen_languages - 1) {
    tokens->foreign = std::max(tokens->foreign, scores[__builtin_ctz(seen_languages)]);
  }
}

Tokens Tokeniser::Count(std::string_view text) {
  if (++generation_ == 0) {
    std::fill(marks_.begin(), marks_.end(), uint8_t{0});
    generation_ = 1;
  }
  const uint8_t generation = generation_;
  // Many more places than triples: one that is marked was almost surely marked by the same triple.
  const size_t places = std::bit_ceil(std::clamp<size_t>(text.size() * 8, 512, kPlaces)) - 1;
  uint8_t* const marks = marks_.data();
  uint64_t last = 0, before_last = 0;
  uint32_t count = 0, repeated = 0;
  Tokens tokens;
  Walk(text, &tokens, [&](uint64_t hash) {
    uint8_t& mark = marks[TripleOf(before_last, last, hash) >> 8 & places];
    before_last = last;
    last = hash;
    ++count;
    if (count - 3 >= Tokens::kMostTriples) return;  // also for the first two words, by wrapping round
    repeated += mark == generation;
    mark = generation;
  });
  tokens.words = count;
  tokens.repeated = repeated;
  tokens.triples = count < 3 ? 0 : std::min(count - 2, Tokens::kMostTriples);
  return tokens;
}

uint32_t Tokeniser::Repeated(std::string_view text) {
  std::fill(exact_.begin(), exact_.end(), 0);
  uint64_t last = 0, before_last = 0;
  uint32_t count = 0, repeated = 0;
  Tokens ignored;
  Walk(text, &ignored, [&](uint64_t hash) {
    const uint64_t triple = TripleOf(before_last, last, hash) | 1;
    before_last = last;
    last = hash;
    if (++count - 3 >= Tokens::kMostTriples) return;
    size_t at = triple >> 20 & (exact_.size() - 1);
    while (exact_[at] != 0 && exact_[at] != triple) at = (at + 1) & (exact_.size() - 1);
    repeated += exact_[at] == triple;
    exact_[at] = triple;
  });
  return repeated;
}

}  // namespace atelier::data::clean
