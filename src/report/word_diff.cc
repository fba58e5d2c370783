#include "report/word_diff.h"

#include <algorithm>
#include <unordered_map>

#include "base/str.h"
#include "report/page.h"
#include "text/unicode.h"
#include "text/word_units.h"

namespace atelier::report {
namespace {

// A text as numbers of words: equal words have equal numbers.
struct Pieces {
  std::vector<std::string_view> words;
  std::vector<uint32_t> ids;
};

Pieces Cut(std::string_view text, std::unordered_map<std::string_view, uint32_t>* known) {
  std::vector<text::TextUnit> units;
  text::CutUnits(text, 0, text.size(), &units);
  Pieces pieces;
  for (size_t i = 0; i < units.size(); ++i) {
    const size_t end = i + 1 < units.size() ? units[i + 1].begin : text.size();
    pieces.words.push_back(text.substr(units[i].begin, end - units[i].begin));
    pieces.ids.push_back(known->emplace(pieces.words.back(), known->size()).first->second);
  }
  return pieces;
}

// Steps from (0, 0) to (n, m): one word of `a` goes, one of `b` comes, or both are the same.
std::vector<DiffKind> Shortest(const uint32_t* a, int n, const uint32_t* b, int m, int most) {
  std::vector<std::vector<int>> trace;  // of d: the furthest x on each diagonal -d, -d + 2 ... d
  std::vector<int> furthest;
  int end = -1;
  for (int d = 0; d <= std::min(n + m, most) && end < 0; ++d) {
    std::vector<int> next(static_cast<size_t>(d) + 1);
    for (int k = -d; k <= d; k += 2) {
      const auto before = [&](int diagonal) { return furthest[static_cast<size_t>((diagonal + d - 1) / 2)]; };
      int x = 0;
      if (d > 0) x = k == -d || (k != d && before(k - 1) < before(k + 1)) ? before(k + 1) : before(k - 1) + 1;
      while (x < n && x - k < m && a[x] == b[x - k]) ++x;
      next[static_cast<size_t>((k + d) / 2)] = x;
      if (x >= n && x - k >= m) end = d;
    }
    trace.push_back(next);
    furthest = std::move(next);
  }
  std::vector<DiffKind> steps;
  if (end < 0) {
    steps.assign(static_cast<size_t>(n), DiffKind::kGone);
    steps.insert(steps.end(), static_cast<size_t>(m), DiffKind::kCame);
    return steps;
  }
  int x = n, y = m;
  for (int d = end; d > 0; --d) {
    const auto before = [&](int k) { return trace[static_cast<size_t>(d) - 1][static_cast<size_t>((k + d - 1) / 2)]; };
    const int k = x - y;
    const bool came = k == -d || (k != d && before(k - 1) < before(k + 1));
    const int from = came ? before(k + 1) : before(k - 1);
    for (const int reached = came ? from : from + 1; x > reached; --x, --y) steps.push_back(DiffKind::kSame);
    steps.push_back(came ? DiffKind::kCame : DiffKind::kGone);
    --(came ? y : x);
  }
  for (; x > 0; --x) steps.push_back(DiffKind::kSame);
  std::reverse(steps.begin(), steps.end());
  return steps;
}

bool OnlySpace(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const text::DecodedChar d = text::DecodeChar(text.substr(at));
    if (!text::IsSpace(d.c)) return false;
    at += d.length;
  }
  return true;
}

// Neither seen nor told from others where it stands: controls, unusual spaces, zero width, directions.
bool IsUnseen(char32_t c) {
  return c != U' ' && (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD || (c >= 0x2000 && c <= 0x200F) ||
                       (c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F) || c == 0x3000 || c == 0xFEFF ||
                       (c >= 0xFE00 && c <= 0xFE0F) || c >= 0xE0000);
}

std::string Visible(std::string_view text) {
  std::string out, run;
  for (const char32_t c : text::DecodeUtf8(text)) {
    if (!IsUnseen(c)) {
      text::AppendUtf8(&run, c);
      continue;
    }
    char number[16];
    std::snprintf(number, sizeof(number), "U+%04X", static_cast<unsigned>(c));
    out += Cat(Html(run, run.size()), "<i>", c == U'\n' ? "↵" : c == U'\t' ? "⇥" : number, "</i>");
    run.clear();
  }
  return out + Html(run, run.size());
}

std::string Marked(const std::vector<DiffRun>& runs, DiffKind without) {
  std::string out;
  for (const DiffRun& run : runs) {
    if (run.kind == DiffKind::kSame) {
      out += Html(run.text, run.text.size());
    } else if (run.kind != without) {
      const char* tag = run.kind == DiffKind::kGone ? "del" : "ins";
      out += Cat("<", tag, ">", Visible(run.text), "</", tag, ">");
    }
  }
  return out;
}

// The begin of a text, and whether that is not all.
struct Begin {
  std::string text;
  bool cut = false;
};
Begin BeginOf(std::string_view text, size_t most) {
  size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return {text::SanitizeUtf8(text.substr(0, end)), end < text.size()};
}

}  // namespace

std::vector<DiffRun> WordDiff(std::string_view before, std::string_view after, size_t most) {
  const std::string clean_before = text::SanitizeUtf8(before), clean_after = text::SanitizeUtf8(after);
  std::unordered_map<std::string_view, uint32_t> known;
  const Pieces a = Cut(clean_before, &known), b = Cut(clean_after, &known);
  const size_t shorter = std::min(a.ids.size(), b.ids.size());
  size_t head = 0, tail = 0;
  while (head < shorter && a.ids[head] == b.ids[head]) ++head;
  while (tail < shorter - head && a.ids[a.ids.size() - 1 - tail] == b.ids[b.ids.size() - 1 - tail]) ++tail;
  std::vector<DiffKind> steps(head, DiffKind::kSame);
  const std::vector<DiffKind> middle =
      Shortest(a.ids.data() + head, static_cast<int>(a.ids.size() - head - tail), b.ids.data() + head,
               static_cast<int>(b.ids.size() - head - tail), static_cast<int>(most));
  steps.insert(steps.end(), middle.begin(), middle.end());
  steps.insert(steps.end(), tail, DiffKind::kSame);

  // What went stands before what came; both take in the spaces between them.
  std::vector<DiffRun> runs;
  std::string same, gone, came;
  const auto end_change = [&] {
    if (!gone.empty()) runs.push_back({DiffKind::kGone, std::move(gone)});
    if (!came.empty()) runs.push_back({DiffKind::kCame, std::move(came)});
    gone.clear();
    came.clear();
  };
  size_t i = 0, j = 0;
  for (const DiffKind step : steps) {
    if (step == DiffKind::kSame) {
      same += a.words[i++];
      ++j;
      continue;
    }
    const bool inside = !gone.empty() || !came.empty();
    if (!same.empty() && inside && OnlySpace(same)) {
      gone += same;
      came += same;
    } else if (!same.empty()) {
      end_change();
      runs.push_back({DiffKind::kSame, same});
    }
    same.clear();
    if (step == DiffKind::kGone) {
      gone += a.words[i++];
    } else {
      came += b.words[j++];
    }
  }
  end_change();
  if (!same.empty()) runs.push_back({DiffKind::kSame, std::move(same)});
  return runs;
}

size_t DiffWords(const std::vector<DiffRun>& runs) {
  size_t words = 0;
  for (const DiffRun& run : runs) {
    if (run.kind == DiffKind::kSame) continue;
    std::vector<text::TextUnit> units;
    text::CutUnits(run.text, 0, run.text.size(), &units);
    words += units.size();
  }
  return words;
}

std::string MarkedTogether(std::string_view before, std::string_view after, size_t most) {
  const Begin a = BeginOf(before, most), b = BeginOf(after, most);
  return Cat(Marked(WordDiff(a.text, b.text), DiffKind::kSame), a.cut || b.cut ? "…" : "");
}

MarkedDifference MarkDifference(std::string_view before, std::string_view after, size_t most) {
  const Begin a = BeginOf(before, most), b = BeginOf(after, most);
  const std::vector<DiffRun> runs = WordDiff(a.text, b.text);
  return {Cat(Marked(runs, DiffKind::kCame), a.cut ? "…" : ""), Cat(Marked(runs, DiffKind::kGone), b.cut ? "…" : "")};
}

}  // namespace atelier::report
