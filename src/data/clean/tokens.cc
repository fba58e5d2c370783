#include "data/clean/tokens.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>

#include "base/str.h"
#include "data/clean/function_words.h"

namespace atelier::data::clean {
namespace {

constexpr size_t kTripleSlots = 1u << 13;  // twice Tokens::kMostTriples
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

// REQUIRES: 8 readable bytes behind the word.
uint64_t HashWord(const char* p, size_t size) {
  uint64_t hash = 0x9E3779B97F4A7C15 ^ size;
  while (size > 8) {
    hash = Mix(hash ^ Lower(Load64(p)), 0xE7037ED1A0B428DB);
    p += 8;
    size -= 8;
  }
  const uint64_t last = Load64(p) & ~uint64_t{0} >> (64 - 8 * size);
  return Mix(hash ^ Lower(last), 0xA0761D6478BD642F);
}

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
    const std::string padded = word + std::string(8, '\0');
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

}  // namespace

Tokeniser::Tokeniser(const CharTable* table) : table_(table), triples_(kTripleSlots) {}

Tokens Tokeniser::Count(std::string_view text) {
  const WordTable& known = Words();
  Tokens tokens;
  if (++generation_ == 0) {
    std::fill(triples_.begin(), triples_.end(), 0);
    generation_ = 1;
  }
  const uint64_t generation = static_cast<uint64_t>(generation_) << 32;
  uint64_t* const slots = triples_.data();
  uint64_t last = 0, before_last = 0;
  uint32_t scores[kLanguages] = {};
  uint32_t seen_languages = 0;
  uint32_t count = 0, repeated = 0, triples = 0, stop = 0;
  const auto token = [&](uint64_t hash) {
    ++count;
    if (count > 2 && triples < Tokens::kMostTriples) {
      ++triples;
      const uint64_t triple = (before_last * 0x9E3779B97F4A7C15 + last) * 0xD6E8FEB86659FD93 + hash;
      const uint64_t mixed = triple ^ triple >> 29;
      const uint64_t entry = generation | (mixed >> 32 & 0xFFFFFFFF);
      for (size_t at = mixed & (kTripleSlots - 1);; at = (at + 1) & (kTripleSlots - 1)) {
        if (slots[at] == entry) {
          ++repeated;
          break;
        }
        if ((slots[at] ^ generation) >> 32 != 0) {
          slots[at] = entry;
          break;
        }
      }
    }
    before_last = last;
    last = hash;
  };
  const char* p = text.data();
  const char* const end = p + text.size();
  const uint16_t* const table = table_->data();
  while (p < end) {
    const auto c = static_cast<unsigned char>(*p);
    if (c < 0x80 && !kAsciiWord[c]) {
      ++p;
      continue;
    }
    const char* const begin = p;
    if (c >= 0xE0 && c < 0xF0) {
      const char32_t wide = (c & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
      const uint16_t info = table[wide];
      if (kLoneClasses >> (info & 15) & 1) {
        stop += info >> 15;
        token(wide * 0xC2B2AE3D27D4EB4F);
        p += 3;
        continue;
      }
    }
    // A word, or characters between words.
    bool word = false;
    while (p < end) {
      const auto b = static_cast<unsigned char>(*p);
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
      const uint32_t kind = table[wide] & 15;
      if (kWordClasses >> kind & 1) {
        word = true;
        p += length;
        continue;
      }
      if (!word) {
        // Not in a word: a lone character of an astral plane counts by itself, the rest is passed over.
        if (kLoneClasses >> kind & 1) token(wide * 0xC2B2AE3D27D4EB4F);
        p += length;
      }
      break;
    }
    if (!word) continue;
    const uint64_t hash = HashWord(begin, static_cast<size_t>(p - begin));
    token(hash);
    uint32_t languages = known.Find(hash);
    if (languages == 0) continue;
    stop += languages & 1;
    seen_languages |= languages;
    for (; languages != 0; languages &= languages - 1) ++scores[__builtin_ctz(languages)];
  }
  tokens.words = count;
  tokens.stop_words = stop;
  tokens.english = scores[0];
  for (seen_languages &= ~1u; seen_languages != 0; seen_languages &= seen_languages - 1) {
    tokens.foreign = std::max(tokens.foreign, scores[__builtin_ctz(seen_languages)]);
  }
  tokens.triples = triples;
  tokens.repeated = repeated;
  return tokens;
}

}  // namespace atelier::data::clean
