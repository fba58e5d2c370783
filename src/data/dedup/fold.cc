#include "data/dedup/fold.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "text/unicode.h"

namespace atelier::data {
namespace {

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

class Folder {
 public:
  explicit Folder(FoldedText* out) : out_(*out) {}

  // False: a character combines, and nothing of `out` is of use.
  bool Run(std::string_view text, bool folded) {
    out_.chars.resize(text.size() + 1);  // no character has less than one byte, and kMany makes room for itself
    out_.units.resize(text.size() + 1);
    size_t left = text.size();
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const Page* page = nullptr;
    uint32_t page_number = kPages;
    while (left > 0) {
      char32_t c = at[0];
      size_t length = 1;
      if (c >= 0x80) {
        if (c >= 0xE1 && c <= 0xEC && left >= 3 && (at[1] & 0xC0) == 0x80 && (at[2] & 0xC0) == 0x80) {
          c = (c & 0xF) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
          length = 3;
        } else {
          const text::DecodedChar d = text::DecodeChar({reinterpret_cast<const char*>(at), left});
          c = d.c;
          length = d.length;
        }
      }
      at += length;
      left -= length;
      if (c / kPageSize != page_number) {
        page_number = c / kPageSize;
        page = &PageOf(page_number);
      }
      const uint32_t entry = page->entry[c % kPageSize];
      const uint32_t kind = entry & 0xF;
      if (kind == kOne) [[likely]] {
        Put(entry >> 8, static_cast<Unit>(entry >> 4 & 0xF));
      } else if (kind == kMany) {
        const std::u32string& many = page->many[entry >> 8];
        out_.chars.resize(out_.chars.size() + many.size());
        out_.units.resize(out_.chars.size());
        for (char32_t f : many) Put(f, UnitOf(f));
      } else if (kind == kCombines) {
        if (!folded) return false;
        Put(c, UnitOf(c));  // folded already: as it stands
      }
    }
    if (used_ > 0 && out_.units[used_ - 1] == Unit::kSpace) --used_;
    out_.chars.resize(used_);
    out_.units.resize(used_);
    return true;
  }

 private:
  void Put(char32_t c, Unit unit) {
    if (unit == Unit::kSpace) {
      if (used_ == 0 || out_.units[used_ - 1] == Unit::kSpace) return;
      c = U' ';
    }
    out_.chars[used_] = c;
    out_.units[used_] = unit;
    ++used_;
  }

  FoldedText& out_;
  size_t used_ = 0;
};

}  // namespace

void Fold(std::string_view text, FoldedText* out) {
  if (Folder(out).Run(text, false)) return;
  Folder(out).Run(text::FoldForComparison(text), true);
}

}  // namespace atelier::data
