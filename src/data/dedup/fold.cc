#include "data/dedup/fold.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>

#include "text/unicode.h"

namespace atelier::data {
namespace {

// What a folded character is to a shingle.
enum class Unit : uint8_t {
  kGap,    // punctuation: between words, no part of a shingle
  kSpace,  // white space
  kWord,   // part of a word
  kAlone,  // a unit of its own
};

enum Kind : uint32_t {  // in the low bits of an entry; the folded character stands above
  kOne = 0,             // folds to one character
  kNone = 1,            // folds to nothing
  kMany = 2,            // folds to several: above is an index into the page's list
  kCombines = 3,        // may combine with what stands before it
};

constexpr uint32_t kPageSize = 256, kPages = 0x110000 / kPageSize;

struct Page {
  std::array<uint32_t, kPageSize> entry;  // character or index << 8 | Unit << 4 | Kind
  std::vector<std::u32string> many;
};

Unit UnitOf(char32_t c) {
  const uint16_t bits = text::Properties(c);
  if (bits & text::kSpace) return Unit::kSpace;
  if (bits & text::kHan) return Unit::kAlone;
  if (bits & (text::kLetter | text::kNumber | text::kMark)) {
    const bool without_spaces = (c >= 0x3040 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) ||  // kana
                                (c >= 0x3100 && c <= 0x312F) || (c >= 0x31A0 && c <= 0x31BF) ||  // bopomofo
                                (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) ||  // Thai, Lao, Burmese
                                (c >= 0x1780 && c <= 0x17FF) || (c >= 0x1B000 && c <= 0x1B16F);  // Khmer, old kana
    return without_spaces ? Unit::kAlone : Unit::kWord;
  }
  if (bits & (text::kPunctuation | text::kControlChar | text::kSeparator)) return Unit::kGap;
  return Unit::kAlone;  // symbols, emoji, what Unicode does not know yet
}

bool Combines(char32_t c) {
  return (text::Properties(c) & text::kMark) || (c >= 0x1100 && c <= 0x11FF) || (c >= 0xA960 && c <= 0xA97F) ||
         (c >= 0xD7B0 && c <= 0xD7FF);
}

const Page* MakePage(uint32_t number) {
  auto page = std::make_unique<Page>();
  for (uint32_t i = 0; i < kPageSize; ++i) {
    const char32_t c = number * kPageSize + i;
    std::string bytes;
    text::AppendUtf8(&bytes, c);
    std::u32string folded = text::DecodeUtf8(text::FoldForComparison(bytes));
    bool combines = Combines(c);
    for (char32_t f : folded) combines = combines || Combines(f);
    uint32_t value = 0, kind = kOne, unit = 0;
    if (folded.size() == 1) {
      value = folded[0];
      unit = static_cast<uint32_t>(UnitOf(folded[0]));
    } else if (folded.empty()) {
      kind = kNone;
    } else {
      kind = kMany;
      value = static_cast<uint32_t>(page->many.size());
      page->many.push_back(std::move(folded));
    }
    if (combines) kind = kCombines;
    page->entry[i] = value << 8 | unit << 4 | kind;
  }
  return page.release();  // for the life of the process
}

const Page& PageOf(uint32_t number) {
  static std::array<std::atomic<const Page*>, kPages> pages;
  const Page* page = pages[number].load(std::memory_order_acquire);
  if (page != nullptr) return *page;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  page = pages[number].load(std::memory_order_acquire);
  if (page == nullptr) pages[number].store(page = MakePage(number), std::memory_order_release);
  return *page;
}

constexpr size_t kSlack = 32;  // bytes behind the folded ones that may be written and read

// A word's hash is one of its folded bytes, eight at a time.
inline uint64_t HashWord(const char* at, size_t length) {
  uint64_t h = length * kHashOther, eight;
  for (; length >= 8; length -= 8, at += 8) {
    std::memcpy(&eight, at, 8);
    h = (h ^ eight) * kHashOdd;
    h ^= h >> 32;
  }
  if (length > 0) {
    std::memcpy(&eight, at, 8);
    h = (h ^ (eight & ~uint64_t{0} >> (64 - 8 * length))) * kHashOdd;
    h ^= h >> 32;
  }
  return h;
}

inline uint64_t HashAlone(char32_t c) {
  const uint64_t h = (c + 1) * kHashOther;
  return h ^ h >> 29;
}

// One fold. All that the loop works with is local to Run: stores of bytes could alias members.
class Folder {
 public:
  explicit Folder(FoldedText* out) : out_(*out) {}

  // False: a character combines, and nothing of `out` is of use.
  bool Run(std::string_view text, bool folded) {
    Reserve(3 * text.size() + kSlack, text.size() + 1);  // a byte that is not UTF-8 becomes the three of U+FFFD
    out_.runs.clear();
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    char* to = out_.bytes.data();
    char* word = nullptr;  // where the current word begins
    uint64_t* unit = out_.units.data();
    bool words = false;  // the current run's kind
    uint32_t run = 0;    // units before it

    const auto emit = [&](uint64_t hash, bool is_word) __attribute__((always_inline)) {
      if (is_word != words) {
        const auto count = static_cast<uint32_t>(unit - out_.units.data());
        if (count > run) out_.runs.push_back({run = count, words});
        words = is_word;
      }
      *unit++ = hash;
    };
    const auto end_word = [&]() __attribute__((always_inline)) {
      if (word == nullptr) return;
      emit(HashWord(word, static_cast<size_t>(to - word)), true);
      word = nullptr;
    };
    const auto put = [&](char32_t c, Unit kind) {
      if (kind == Unit::kWord) {
        if (word == nullptr) word = to;
      } else {
        end_word();
        if (kind == Unit::kSpace) {
          if (to == out_.bytes.data() || to[-1] == ' ') return;
          c = U' ';
        } else if (kind == Unit::kAlone) {
          emit(HashAlone(c), false);
        }
      }
      to += Encode(c, to);
    };

    while (at < end) {
#if defined(__SSE2__)
      if (end - at >= 16) {
        const Stretch ascii = LookAt(at, to == out_.bytes.data() || to[-1] == ' ');
        if (ascii.plain) {
          std::memcpy(to, ascii.low, 16);
          // Where words begin and end, by turns.
          uint32_t edges = (ascii.words ^ (ascii.words << 1 | (word != nullptr))) & 0xffff;
          for (; edges != 0; edges &= edges - 1) {
            char* const edge = to + __builtin_ctz(edges);
            if (word == nullptr) {
              word = edge;
            } else {
              emit(HashWord(word, static_cast<size_t>(edge - word)), true);
              word = nullptr;
            }
          }
          at += 16;
          to += 16;
          continue;
        }
      }
#endif
      // Sixteen bytes at least one by one, before the next try.
      const auto* const stop = end - at > 16 ? at + 16 : end;
      while (at < stop) {
        char32_t c = at[0];
        size_t length = 1;
        if (c >= 0x80) {
          if (c >= 0xE1 && c <= 0xEC && end - at >= 4 && (at[1] & 0xC0) == 0x80 && (at[2] & 0xC0) == 0x80) {
            c = (c & 0xF) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
            length = 3;
            if (c >= 0x4E00 && c <= 0x9FFF) {  // Han that folds to itself: most of Chinese
              end_word();
              emit(HashAlone(c), false);
              std::memcpy(to, at, 4);
              to += 3;
              at += 3;
              continue;
            }
          } else {
            const text::DecodedChar d =
                text::DecodeChar({reinterpret_cast<const char*>(at), static_cast<size_t>(end - at)});
            c = d.c;
            length = d.length;
          }
        }
        at += length;
        const Page& page = PageOf(c / kPageSize);
        const uint32_t entry = page.entry[c % kPageSize];
        const uint32_t kind = entry & 0xF;
        if (kind == kOne) [[likely]] {
          put(entry >> 8, static_cast<Unit>(entry >> 4 & 0xF));
        } else if (kind == kMany) {
          const std::u32string& many = page.many[entry >> 8];
          const auto left = static_cast<size_t>(end - at);
          const auto used = static_cast<size_t>(to - out_.bytes.data());
          const auto begun = static_cast<size_t>(word - out_.bytes.data());
          const auto units = static_cast<size_t>(unit - out_.units.data());
          Reserve(used + many.size() * 4 + 3 * left + kSlack, units + many.size() + left + 1);
          to = out_.bytes.data() + used;
          if (word != nullptr) word = out_.bytes.data() + begun;
          unit = out_.units.data() + units;
          for (char32_t f : many) put(f, UnitOf(f));
        } else if (kind == kCombines) {
          if (!folded) return false;
          put(c, UnitOf(c));  // folded already: as it stands
        }
      }
    }
    end_word();
    const auto count = static_cast<uint32_t>(unit - out_.units.data());
    if (count > run) out_.runs.push_back({count, words});
    if (to > out_.bytes.data() && to[-1] == ' ') --to;
    out_.size = static_cast<size_t>(to - out_.bytes.data());
    return true;
  }

 private:
  void Reserve(size_t bytes, size_t units) {
    if (out_.bytes.size() < bytes) out_.bytes.resize(bytes + bytes / 4);
    if (out_.units.size() < units) out_.units.resize(units + units / 4);
  }

  static size_t Encode(char32_t c, char* to) {
    if (c < 0x80) {
      to[0] = static_cast<char>(c);
      return 1;
    }
    if (c < 0x800) {
      to[0] = static_cast<char>(0xC0 | c >> 6);
      to[1] = static_cast<char>(0x80 | (c & 0x3F));
      return 2;
    }
    if (c < 0x10000) {
      to[0] = static_cast<char>(0xE0 | c >> 12);
      to[1] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
      to[2] = static_cast<char>(0x80 | (c & 0x3F));
      return 3;
    }
    to[0] = static_cast<char>(0xF0 | c >> 18);
    to[1] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    to[2] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    to[3] = static_cast<char>(0x80 | (c & 0x3F));
    return 4;
  }

#if defined(__SSE2__)
  struct Stretch {
    bool plain;      // sixteen letters, digits, blanks and punctuation marks of ASCII, no two blanks together
    char low[16];    // folded
    uint32_t words;  // which are of words
  };
  static Stretch LookAt(const unsigned char* at, bool after_blank) {
    Stretch out;
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto above = [](__m128i x, char c) { return _mm_cmpgt_epi8(x, _mm_set1_epi8(c)); };
    const auto is = [&](char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
    const __m128i upper = _mm_andnot_si128(above(v, 'Z'), above(v, 'A' - 1));
    const __m128i low = _mm_or_si128(v, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
    const __m128i letter = _mm_andnot_si128(above(low, 'z'), above(low, 'a' - 1));
    const __m128i digit = _mm_andnot_si128(above(v, '9'), above(v, '0' - 1));
    // Symbols stand alone: $ + < = > ^ ` | ~. Control characters and bytes from 0x80 are not above 0x1f.
    __m128i other = _mm_or_si128(_mm_andnot_si128(above(v, '>'), above(v, '<' - 1)), _mm_or_si128(is('$'), is('+')));
    other = _mm_or_si128(other, _mm_or_si128(_mm_or_si128(is('^'), is('`')), _mm_or_si128(is('|'), above(v, '}'))));
    const int blanks = _mm_movemask_epi8(is(' '));
    out.plain = (_mm_movemask_epi8(other) | (_mm_movemask_epi8(above(v, 0x1f)) ^ 0xffff) |
                 (blanks & (blanks << 1 | static_cast<int>(after_blank)))) == 0;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.low), low);
    out.words = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(letter, digit)));
    return out;
  }
#endif

  FoldedText& out_;
};

}  // namespace

void Fold(std::string_view text, FoldedText* out) {
  if (Folder(out).Run(text, false)) return;
  Folder(out).Run(text::FoldForComparison(text), true);
}

}  // namespace atelier::data
