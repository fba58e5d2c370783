#include "data/clean/tokens.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <string>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/error.h"
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
struct Letters {
  __m128i bytes, letters;  // 0xFF where an ASCII letter is
  explicit Letters(const unsigned char* p)
      : bytes(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
        letters(In(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26)) {}
  static __m128i In(__m128i c, char low, char size) {
    const __m128i shifted = _mm_sub_epi8(c, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_subs_epu8(shifted, _mm_set1_epi8(static_cast<char>(size - 1))), _mm_setzero_si128());
  }
};

// Of 64 bytes, bit by bit: which are ASCII letters and digits, which are not ASCII.
struct Block64 {
  explicit Block64(const unsigned char* p) {
    for (int i = 0; i < 4; ++i) {
      const Letters part(p + 16 * i);
      const __m128i words = _mm_or_si128(part.letters, Letters::In(part.bytes, '0', 10));
      word |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(words))) << 16 * i;
      wide |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(part.bytes))) << 16 * i;
    }
  }
  uint64_t word = 0, wide = 0;
};

// HashWord of an ASCII word of 1..16 bytes.
uint64_t HashShort(const unsigned char* p, size_t length) {
  alignas(16) static constexpr struct Masks {
    uint8_t of[17][16] = {};
    constexpr Masks() {
      for (int i = 0; i <= 16; ++i) {
        for (int j = 0; j < i; ++j) of[i][j] = 0xFF;
      }
    }
  } kFirst;
  const Letters part(p);
  const __m128i lower = _mm_or_si128(part.bytes, _mm_and_si128(part.letters, _mm_set1_epi8(0x20)));
  const __m128i kept = _mm_and_si128(lower, _mm_load_si128(reinterpret_cast<const __m128i*>(kFirst.of[length])));
  return HashHalves(static_cast<uint64_t>(_mm_cvtsi128_si64(kept)),
                    static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(kept, kept))), length);
}
#endif

// Hash of a function word -> which languages have it, without a branch: buckets of eight entries, each 24 bits of the
// hash and the number of a set of languages. Set 0 is none.
class WordTable {
 public:
  struct alignas(16) Set {
    uint8_t of[kLanguages] = {};  // 1 for each language that has the word; English is the first
  };

  WordTable() {
    std::map<std::string, Set> words;
    size_t language = 0;
    for (const FunctionWords& list : AllFunctionWords()) {
      for (const std::string& word : Split(list.words, ' ')) {
        if (!word.empty()) words[word].of[language] = 1;
      }
      ++language;
    }
    // Some shift of the hash fills no bucket twice over; which one depends on the words alone.
    for (shift_ = 0; !Fill(words); ++shift_) {
    }
  }

  uint32_t Find(uint64_t hash) const {
    const uint32_t* const bucket = buckets_[hash >> shift_ & (kBuckets - 1)].entry;
    const auto tag = static_cast<uint32_t>(hash >> 40) << 8;
#if defined(__SSE2__)
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag)), number = _mm_set1_epi32(0xFF);
    const auto among = [&](const uint32_t* entries) {
      const __m128i four = _mm_load_si128(reinterpret_cast<const __m128i*>(entries));
      return _mm_and_si128(_mm_cmpeq_epi32(_mm_andnot_si128(number, four), wanted), four);
    };
    __m128i found = _mm_or_si128(among(bucket), among(bucket + 4));
    found = _mm_or_si128(found, _mm_srli_si128(found, 8));
    found = _mm_or_si128(found, _mm_srli_si128(found, 4));
    return static_cast<uint32_t>(_mm_cvtsi128_si32(found)) & 0xFF;
#else
    uint32_t found = 0;
    for (int i = 0; i < 8; ++i) found |= (bucket[i] & ~0xFFu) == tag ? bucket[i] & 0xFF : 0;
    return found;
#endif
  }
  const Set& set(uint32_t number) const { return sets_[number]; }

 private:
  static constexpr size_t kBuckets = 512;
  struct alignas(32) Bucket {
    uint32_t entry[8] = {};
  };

  bool Fill(const std::map<std::string, Set>& words) {
    buckets_.assign(kBuckets, Bucket{});
    sets_.assign(1, Set{});
    std::map<std::string, uint32_t> numbers;  // by the set's bytes
    for (const auto& [word, set] : words) {
      const auto [at, added] = numbers.emplace(std::string(set.of, set.of + kLanguages), sets_.size());
      if (added) sets_.push_back(set);
      if (sets_.size() > 256) throw Error(Code::kInternal, "too many sets of languages share function words");
      const std::string padded = word + std::string(16, '\0');
      const uint64_t hash = HashWord(padded.data(), word.size());
      uint32_t* entry = buckets_[hash >> shift_ & (kBuckets - 1)].entry;
      uint32_t* const end = entry + 8;
      while (entry < end && *entry != 0) ++entry;
      if (entry == end) {
        if (shift_ == 29) throw Error(Code::kInternal, "the function words fit no table");
        return false;
      }
      *entry = static_cast<uint32_t>(hash >> 40) << 8 | at->second;
    }
    return true;
  }

  int shift_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<Set> sets_;
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

constexpr uint32_t kMostHashes = Tokens::kMostTriples + 2;
constexpr uint64_t kHanFactor = 0xC2B2AE3D27D4EB4F;

// What a character of the first plane is among words.
enum : uint8_t { kBetween = 0, kLone = 1, kInWord = 2, kLoneStop = 3 };

// How many function words of each language were met. Bytes, emptied before one can overflow.
class LanguageScores {
 public:
  void Add(const uint8_t* set) {
#if defined(__SSE2__)
    low_ = _mm_add_epi8(low_, _mm_load_si128(reinterpret_cast<const __m128i*>(set)));
    high_ = _mm_add_epi8(high_, _mm_load_si128(reinterpret_cast<const __m128i*>(set + 16)));
    if (++pending_ == 255) Empty();
#else
    for (size_t i = 0; i < kLanguages; ++i) sums_[i] += set[i];
#endif
  }
  uint32_t English() {
    Empty();
    return sums_[0];
  }
  uint32_t Foreign() {
    Empty();
    return *std::max_element(sums_ + 1, sums_ + kLanguages);
  }

 private:
  void Empty() {
#if defined(__SSE2__)
    if (pending_ == 0) return;
    alignas(16) uint8_t bytes[kLanguages];
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes), low_);
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes + 16), high_);
    for (size_t i = 0; i < kLanguages; ++i) sums_[i] += bytes[i];
    low_ = high_ = _mm_setzero_si128();
    pending_ = 0;
#endif
  }
#if defined(__SSE2__)
  __m128i low_ = _mm_setzero_si128(), high_ = _mm_setzero_si128();
  uint32_t pending_ = 0;
#endif
  uint32_t sums_[kLanguages] = {};
};

uint64_t TripleOf(uint64_t first, uint64_t second, uint64_t third) {
  return std::rotl(first, 21) ^ std::rotl(second, 42) ^ third;
}

}  // namespace

Tokeniser::Tokeniser(const CharTable* table)
    : table_(table),
      kinds_(0x10000),
      hashes_(kMostHashes + 1),
      places_(kMostHashes),
      marks_(kPlaces),
      exact_(4 * Tokens::kMostTriples) {
  for (char32_t c = 0; c < 0x10000; ++c) {
    const uint16_t info = table->Of(c);
    kinds_[c] = kLoneClasses >> (info & 15) & 1   ? (info & kStopHan ? kLoneStop : kLone)
                : kWordClasses >> (info & 15) & 1 ? kInWord
                                                  : kBetween;
  }
}

template <typename Token>
void Tokeniser::Walk(std::string_view text, Tokens* tokens, const Token& token) const {
  const WordTable& known = Words();
  const uint8_t* const kinds = kinds_.data();
  uint32_t stop = 0;
  LanguageScores scores;
  const auto word_token = [&](uint64_t hash) {
    token(hash, 1);
    const WordTable::Set& set = known.set(known.Find(hash));
    stop += set.of[0];
    scores.Add(set.of);
  };
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = p + text.size();
  while (p < end) {
    const unsigned char c = *p;
    if (c < 0x80) {
#if defined(__SSE2__)
      // All words of 64 bytes by their masks, so that no word waits for where the one before it ended.
      const Block64 block(p);
      const size_t left = static_cast<size_t>(end - p);
      const size_t ascii = block.wide == 0 ? 64 : static_cast<size_t>(__builtin_ctzll(block.wide));
      const size_t size = std::min(left, ascii);
      const uint64_t word = size == 64 ? block.word : block.word & ((uint64_t{1} << size) - 1);
      uint64_t starts = word & ~(word << 1);
      uint64_t stops = ~word & word << 1;
      // A word that touches what is not ASCII may go on there.
      if (size < left && size < 64) stops &= ~(uint64_t{1} << size);
      for (; stops != 0; stops &= stops - 1, starts &= starts - 1) {
        const auto from = static_cast<size_t>(__builtin_ctzll(starts));
        const size_t length = static_cast<size_t>(__builtin_ctzll(stops)) - from;
        word_token(length <= 16 ? HashShort(p + from, length)
                                : HashWord(reinterpret_cast<const char*>(p + from), length));
      }
      if (starts == 0) {
        p += size;
        continue;
      }
      // The last word is not complete. It begins the next 64 bytes, or does already and is long.
      if (const int open = __builtin_ctzll(starts); open != 0) {
        p += open;
        continue;
      }
#else
      if (!kAsciiWord[c]) {
        ++p;
        continue;
      }
#endif
    } else if (c >> 4 == 0xE) {
      // Han come in long runs, with marks between them that end no loop: whether a character counts is data here, not
      // a branch, since where marks stand cannot be predicted.
      const unsigned char* const run = p;
      do {
        const char32_t wide = (*p & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        const uint8_t kind = kinds[wide];
        if (kind == kInWord) break;
        stop += kind >> 1;
        token(wide * kHanFactor, kind & 1);
        p += 3;
      } while (p < end && *p >> 4 == 0xE);
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
        token(wide * kHanFactor, kLoneClasses >> kind & 1);
        p += length;
      }
      break;
    }
    if (word) word_token(HashWord(reinterpret_cast<const char*>(begin), static_cast<size_t>(p - begin)));
  }
  tokens->stop_words = stop;
  tokens->english = scores.English();
  tokens->foreign = scores.Foreign();
}

Tokens Tokeniser::Count(std::string_view text) {
  if (++generation_ == 0) {
    std::fill(marks_.begin(), marks_.end(), uint8_t{0});
    generation_ = 1;
  }
  const uint8_t generation = generation_;
  // First the words' hashes side by side, then the places of their triples, which is plain vector code, then the marks.
  // Many more places than triples: one that is marked was almost surely marked by the same triple.
  const auto places = static_cast<uint32_t>(std::bit_ceil(std::clamp<size_t>(text.size() * 8, 512, kPlaces)) - 1);
  uint32_t* const hashes = hashes_.data();
  uint32_t count = 0;
  Tokens tokens;
  Walk(text, &tokens, [&](uint64_t hash, uint32_t counts) {
    hashes[std::min(count, kMostHashes)] = static_cast<uint32_t>(hash >> 32);
    count += counts;
  });
  const uint32_t known = std::min(count, kMostHashes);
  uint32_t* const place = places_.data();
  for (uint32_t i = 2; i < known; ++i) {
    place[i] = (std::rotl(hashes[i - 2], 5) ^ std::rotl(hashes[i - 1], 14) ^ hashes[i]) >> 9 & places;
  }
  uint8_t* const marks = marks_.data();
  uint32_t repeated = 0;
  for (uint32_t i = 2; i < known; ++i) {
    uint8_t& mark = marks[place[i]];
    repeated += mark == generation;
    mark = generation;
  }
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
  Walk(text, &ignored, [&](uint64_t hash, uint32_t counts) {
    if (counts == 0) return;
    const uint64_t triple = TripleOf(before_last, last, hash) | 1;
    before_last = last;
    last = hash;
    if (++count - 3 >= Tokens::kMostTriples) return;
    size_t at = triple * 0x9E3779B97F4A7C15 >> 40 & (exact_.size() - 1);
    while (exact_[at] != 0 && exact_[at] != triple) at = (at + 1) & (exact_.size() - 1);
    repeated += exact_[at] == triple;
    exact_[at] = triple;
  });
  return repeated;
}

}  // namespace atelier::data::clean
