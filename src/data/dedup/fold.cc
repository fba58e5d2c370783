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

constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ull, kOther = 0xbf58476d1ce4e5b9ull;

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
  uint64_t h = length * kOther, eight;
  for (; length >= 8; length -= 8, at += 8) {
    std::memcpy(&eight, at, 8);
    h = (h ^ eight) * kOdd;
    h ^= h >> 32;
  }
  if (length > 0) {
    std::memcpy(&eight, at, 8);
    h = (h ^ (eight & ~uint64_t{0} >> (64 - 8 * length))) * kOdd;
    h ^= h >> 32;
  }
  return h;
}

inline uint64_t HashAlone(char32_t c) {
  const uint64_t h = (c + 1) * kOther;
  return h ^ h >> 29;
}

class Folder {
 public:
  explicit Folder(FoldedText* out) : out_(*out) {}

  // False: a character combines, and nothing of `out` is of use.
  bool Run(std::string_view text, bool folded) {
    Reserve(3 * text.size() + kSlack);  // a byte that is not UTF-8 becomes the three of U+FFFD
    units_ = 0;
    if (out_.units.size() < text.size() + 1) out_.units.resize(text.size() + 1);
    out_.runs.clear();
    used_ = 0;
    word_ = kNoWord;
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    while (at < end) {
#if defined(__SSE2__)
      if (end - at >= 16 && Ascii(at)) {
        at += 16;
        continue;
      }
#endif
      // Sixteen bytes at least by themselves, before the next try.
      const auto* const stop = end - at > 16 ? at + 16 : end;
      while (at < stop) {
        char32_t c = at[0];
        size_t length = 1;
        if (c >= 0x80) {
          if (c >= 0xE1 && c <= 0xEC && end - at >= 3 && (at[1] & 0xC0) == 0x80 && (at[2] & 0xC0) == 0x80) {
            c = (c & 0xF) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
            length = 3;
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
          Put(entry >> 8, static_cast<Unit>(entry >> 4 & 0xF));
        } else if (kind == kMany) {
          const std::u32string& many = page.many[entry >> 8];
          Reserve(used_ + many.size() * 4 + static_cast<size_t>(end - at) * 3 + kSlack);
          if (out_.units.size() < units_ + many.size() + static_cast<size_t>(end - at) + 1) {
            out_.units.resize(units_ + many.size() + 2 * static_cast<size_t>(end - at) + 64);
          }
          for (char32_t f : many) Put(f, UnitOf(f));
        } else if (kind == kCombines) {
          if (!folded) return false;
          Put(c, UnitOf(c));  // folded already: as it stands
        }
      }
    }
    EndWord();
    EndRun();
    if (used_ > 0 && out_.bytes[used_ - 1] == ' ') --used_;
    out_.bytes.resize(used_);
    out_.units.resize(units_);
    return true;
  }

 private:
  static constexpr size_t kNoWord = ~size_t{0};

  void Reserve(size_t bytes) {
    if (out_.bytes.size() < bytes) out_.bytes.resize(bytes + bytes / 4);
  }
  void EndRun() {
    if (units_ > (out_.runs.empty() ? 0 : out_.runs.back().end)) {
      out_.runs.push_back({static_cast<uint32_t>(units_), words_});
    }
  }
  void Emit(uint64_t hash, bool word) {
    if (word != words_) EndRun();
    words_ = word;
    out_.units[units_++] = hash;
  }
  void EndWord() {
    if (word_ == kNoWord) return;
    Emit(HashWord(out_.bytes.data() + word_, used_ - word_), true);
    word_ = kNoWord;
  }
  void Put(char32_t c, Unit unit) {
    if (unit == Unit::kWord) {
      if (word_ == kNoWord) word_ = used_;
    } else {
      EndWord();
      if (unit == Unit::kSpace) {
        if (used_ == 0 || out_.bytes[used_ - 1] == ' ') return;
        c = U' ';
      } else if (unit == Unit::kAlone) {
        Emit(HashAlone(c), false);
      }
    }
    char* to = out_.bytes.data() + used_;
    if (c < 0x80) {
      to[0] = static_cast<char>(c);
      used_ += 1;
    } else if (c < 0x800) {
      to[0] = static_cast<char>(0xC0 | c >> 6);
      to[1] = static_cast<char>(0x80 | (c & 0x3F));
      used_ += 2;
    } else if (c < 0x10000) {
      to[0] = static_cast<char>(0xE0 | c >> 12);
      to[1] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
      to[2] = static_cast<char>(0x80 | (c & 0x3F));
      used_ += 3;
    } else {
      to[0] = static_cast<char>(0xF0 | c >> 18);
      to[1] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
      to[2] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
      to[3] = static_cast<char>(0x80 | (c & 0x3F));
      used_ += 4;
    }
  }

#if defined(__SSE2__)
  // Sixteen letters, digits, blanks and punctuation marks of ASCII, no two blanks together; false: something else.
  bool Ascii(const unsigned char* at) {
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
    const int before = used_ == 0 || out_.bytes[used_ - 1] == ' ';
    if ((_mm_movemask_epi8(other) | (_mm_movemask_epi8(above(v, 0x1f)) ^ 0xffff)) != 0) return false;
    if ((blanks & (blanks << 1 | before)) != 0) return false;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out_.bytes.data() + used_), low);
    const uint32_t words = static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(letter, digit)));
    // Where words begin and end, by turns.
    for (uint32_t edges = (words ^ (words << 1 | (word_ != kNoWord))) & 0xffff; edges != 0; edges &= edges - 1) {
      const size_t edge = used_ + static_cast<size_t>(__builtin_ctz(edges));
      if (word_ == kNoWord) {
        word_ = edge;
      } else {
        Emit(HashWord(out_.bytes.data() + word_, edge - word_), true);
        word_ = kNoWord;
      }
    }
    used_ += 16;
    return true;
  }
#endif

  FoldedText& out_;
  size_t used_ = 0, units_ = 0, word_ = kNoWord;  // bytes, units; where the current word begins
  bool words_ = false;                            // the current run's kind
};

}  // namespace

void Fold(std::string_view text, FoldedText* out) {
  if (Folder(out).Run(text, false)) return;
  Folder(out).Run(text::FoldForComparison(text), true);
}

}  // namespace atelier::data
