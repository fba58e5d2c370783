#include "text/jinja/wrap.h"

#include <algorithm>

#include "text/jinja/budget.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {
namespace {

using Points = std::u32string;

bool IsBlank(char32_t c) { return c == ' ' || (c >= 9 && c <= 13); }
bool IsLetter(char32_t c) { return IsWord(c) && !IsDecimal(c); }
bool EndsWord(char32_t c) { return IsWord(c) || std::u32string_view(U"!\"'&.,?").find(c) != std::u32string_view::npos; }

// Pieces between which a line may break: words, runs of blanks, dashes, parts of hyphenated words.
class Pieces {
 public:
  Pieces(const Points& text, bool hyphens) : text_(text), hyphens_(hyphens) {}

  std::vector<Points> Split() {
    std::vector<Points> pieces;
    for (size_t i = 0; i < text_.size();) {
      const size_t end = End(i);
      pieces.push_back(text_.substr(i, end - i));
      i = end;
    }
    return pieces;
  }

 private:
  bool Letter(size_t i) const { return i < text_.size() && IsLetter(text_[i]); }

  // Where a run of at least two dashes at i ends, if a word follows it; 0 otherwise.
  size_t DashEnd(size_t i) {
    if (i >= text_.size() || text_[i] != '-') return 0;
    if (i >= run_end_) {
      run_end_ = i;
      while (run_end_ < text_.size() && text_[run_end_] == '-') ++run_end_;
    }
    return run_end_ - i >= 2 && run_end_ < text_.size() && IsWord(text_[run_end_]) ? run_end_ : 0;
  }

  size_t End(size_t i) {
    const bool blank = IsBlank(text_[i]);
    if (blank || !hyphens_) {
      size_t end = i;
      while (end < text_.size() && IsBlank(text_[end]) == blank) ++end;
      return end;
    }
    if (i > 0 && EndsWord(text_[i - 1])) {
      const size_t end = DashEnd(i);
      if (end) return end;
    }
    for (size_t j = i + 1;; ++j) {
      if (j >= text_.size() || IsBlank(text_[j])) return j;
      if (text_[j] == '-') {
        const bool before =
            j >= 2 && Letter(j - 1) && (Letter(j - 2) || (j >= 3 && text_[j - 2] == '-' && Letter(j - 3)));
        const bool behind =
            Letter(j + 1) && (Letter(j + 2) || (j + 2 < text_.size() && text_[j + 2] == '-' && Letter(j + 3)));
        if (before && behind) return j + 1;
        if (EndsWord(text_[j - 1]) && DashEnd(j)) return j;
      }
    }
  }

  const Points& text_;
  const bool hyphens_;
  size_t run_end_ = 0;
};

bool AllSpace(const Points& piece) { return std::all_of(piece.begin(), piece.end(), IsSpace); }

}  // namespace

std::vector<std::string> WrapLine(std::string_view line, const WrapStyle& style) {
  if (style.width <= 0) Fail("a width of at least 1 is needed to wrap lines");
  const size_t width = static_cast<size_t>(style.width);
  Points text;
  for (size_t i = 0; i < line.size();) text += DecodeAt(line, &i);
  const std::vector<Points> pieces = Pieces(text, style.break_on_hyphens).Split();
  std::vector<std::string> lines;
  size_t at = 0, used = 0;  // the first `used` points of pieces[at] are on a line already
  auto left = [&] { return pieces[at].size() - used; };
  while (at < pieces.size()) {
    std::vector<Points> current;
    size_t length = 0;
    if (!lines.empty() && AllSpace(pieces[at].substr(used))) {
      ++at;
      used = 0;
    }
    while (at < pieces.size() && length + left() <= width) {
      current.push_back(pieces[at].substr(used));
      length += left();
      ++at;
      used = 0;
    }
    if (at < pieces.size() && left() > width) {
      if (style.break_long_words) {
        size_t room = width - length;
        if (style.break_on_hyphens) {
          size_t hyphen = room;
          while (hyphen > 0 && pieces[at][used + hyphen - 1] != '-') --hyphen;
          const Points head = hyphen > 1 ? pieces[at].substr(used, hyphen - 1) : Points();
          if (head.find_first_not_of(U'-') != Points::npos) room = hyphen;
        }
        current.push_back(pieces[at].substr(used, room));
        used += room;
      } else if (current.empty()) {
        current.push_back(pieces[at].substr(used));
        ++at;
        used = 0;
      }
    }
    if (!current.empty() && AllSpace(current.back())) current.pop_back();
    if (current.empty()) continue;
    std::string out;
    for (const Points& piece : current) {
      for (char32_t c : piece) AppendPoint(&out, c);
    }
    lines.push_back(std::move(out));
  }
  return lines;
}

}  // namespace atelier::text::jinja
