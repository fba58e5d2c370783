#include "retrieve/document.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::retrieve {
namespace {

constexpr size_t kMostText = 64u << 20;

struct Line {
  size_t begin, end;  // without the line end
};

std::vector<Line> Lines(std::string_view text) {
  std::vector<Line> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    const size_t next = end == std::string_view::npos ? text.size() : end + 1;
    if (end == std::string_view::npos) end = text.size();
    const bool cr = end > at && text[end - 1] == '\r';
    lines.push_back({at, end - cr});
    at = next;
  }
  return lines;
}

bool Blank(std::string_view line) { return Trim(line).empty(); }

// Level of an ATX heading ("## Title"), 0 when the line is none.
int AtxLevel(std::string_view line) {
  const size_t from = line.find_first_not_of(' ');
  if (from == std::string_view::npos || from > 3) return 0;
  line.remove_prefix(from);
  size_t level = 0;
  while (level < line.size() && line[level] == '#') ++level;
  if (level == 0 || level > 6) return 0;
  return level == line.size() || line[level] == ' ' || line[level] == '\t' ? static_cast<int>(level) : 0;
}

// '=' or '-' when the line is nothing but at least three of it: the underline of a heading.
char Underline(std::string_view line) {
  line = Trim(line);
  if (line.size() < 3 || (line[0] != '=' && line[0] != '-')) return 0;
  return line.find_first_not_of(line[0]) == std::string_view::npos ? line[0] : 0;
}

// The fence that opens a block of code: ``` or ~~~, with its length.
size_t Fence(std::string_view line, char* mark) {
  line = Trim(line);
  if (line.empty() || (line[0] != '`' && line[0] != '~')) return 0;
  const size_t length = std::min(line.find_first_not_of(line[0]), line.size());
  if (length < 3 || (line[0] == '`' && line.substr(length).find('`') != std::string_view::npos)) return 0;
  *mark = line[0];
  return length;
}

bool IsItem(std::string_view line) {
  const size_t from = line.find_first_not_of(" \t");
  if (from == std::string_view::npos) return false;
  line.remove_prefix(from);
  if (line.size() >= 2 && (line[0] == '-' || line[0] == '*' || line[0] == '+') && line[1] == ' ') return true;
  size_t digits = 0;
  while (digits < line.size() && digits < 9 && line[digits] >= '0' && line[digits] <= '9') ++digits;
  return digits > 0 && digits + 1 < line.size() && (line[digits] == '.' || line[digits] == ')') &&
         line[digits + 1] == ' ';
}

bool IsTableRow(std::string_view line) {
  line = Trim(line);
  return line.size() > 1 && line.front() == '|' && line.find('|', 1) != std::string_view::npos;
}

// "1.2.3. Title" or "第 3 章 …" alone between blank lines, short, without a full stop at its end: a heading of plain
// text.
int NumberedHeading(std::string_view line) {
  if (line.empty() || line.size() > 120 || line[0] == ' ') return 0;
  if (line.starts_with("Chapter ") || (line.starts_with("第") && line.find("章") < 24)) return 1;
  int level = 0;
  size_t at = 0;
  while (at < line.size() && line[at] >= '0' && line[at] <= '9') {
    while (at < line.size() && line[at] >= '0' && line[at] <= '9') ++at;
    if (at >= line.size() || line[at] != '.') break;
    ++at;
    ++level;
  }
  if (level < 2 || at >= line.size() || line[at] != ' ') return 0;
  return line.back() == '.' || line.back() == ';' || line.back() == ',' ? 0 : level;
}

void Add(Document* document, BlockKind kind, size_t begin, size_t end, int level = 0) {
  if (begin < end) document->blocks.push_back({kind, level, begin, end, ""});
}

}  // namespace

TextKind KindOfFile(std::string_view path) {
  const std::string lower = ToLowerAscii(path);
  for (const std::string_view end : {".html", ".htm", ".xhtml"}) {
    if (lower.ends_with(end)) return TextKind::kHtml;
  }
  return lower.ends_with(".md") || lower.ends_with(".markdown") ? TextKind::kMarkdown : TextKind::kPlain;
}

std::string GuessLanguage(std::string_view text) {
  const text::ScriptShares shares = text::Scripts(text.substr(0, 1u << 16));
  if (shares.letters == 0) return "";
  if (shares.han >= 0.2) return "zh";
  return shares.latin >= 0.5 ? "en" : "";
}

void ReadText(std::string_view bytes, TextKind kind, Document* document, const HtmlReader& html) {
  if (bytes.size() > kMostText) {
    throw Error(Code::kInvalidInput, Cat(FormatBytes(bytes.size()), " of text"),
                Cat("a document may have ", FormatBytes(kMostText), "; split it"));
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (kind == TextKind::kHtml) {
    html(bytes, document);
  } else {
    ReadPlain(bytes, kind == TextKind::kMarkdown, document);
  }
  if (document->lang.empty()) document->lang = GuessLanguage(document->text);
  if (document->title.empty()) {
    for (const Block& block : document->blocks) {
      if (block.kind != BlockKind::kHeading) continue;
      document->title =
          std::string(Trim(std::string_view(document->text).substr(block.begin, block.end - block.begin)));
      break;
    }
    if (document->title.empty()) document->title = document->id;
  }
}

void PutHeadings(const std::vector<std::string>& headings, Document* document) {
  std::string above;
  std::vector<Block> blocks;
  for (const std::string& heading : headings) {
    const std::string line = text::SanitizeUtf8(Trim(ReplaceAll(heading, "\n", " ")));
    if (line.empty()) continue;
    const int level = std::min(static_cast<int>(blocks.size()) + 1, 6);
    blocks.push_back({BlockKind::kHeading, level, above.size(), above.size() + line.size(), ""});
    above += Cat(line, "\n");
  }
  if (blocks.empty()) return;
  for (Block block : document->blocks) {
    block.begin += above.size();
    block.end += above.size();
    blocks.push_back(std::move(block));
  }
  document->text.insert(0, above);
  document->blocks = std::move(blocks);
}

void ReadPlain(std::string_view bytes, bool markdown, Document* document) {
  document->text = text::SanitizeUtf8(bytes);
  document->blocks.clear();
  const std::string_view all = document->text;
  const std::vector<Line> lines = Lines(all);
  const auto view = [&](size_t i) { return all.substr(lines[i].begin, lines[i].end - lines[i].begin); };
  for (size_t i = 0; i < lines.size();) {
    if (Blank(view(i))) {
      ++i;
      continue;
    }
    const size_t first = i;
    if (markdown) {
      char mark = 0;
      if (const size_t length = Fence(view(i), &mark); length > 0) {
        for (++i; i < lines.size(); ++i) {
          char other = 0;
          if (Fence(view(i), &other) >= length && other == mark) break;
        }
        const size_t last = std::min(i, lines.size() - 1);
        Add(document, BlockKind::kCode, lines[first].begin, lines[last].end);
        i = last + 1;
        continue;
      }
      if (const int level = AtxLevel(view(i)); level > 0) {
        size_t begin = all.find_first_not_of("# \t", lines[i].begin), end = lines[i].end;
        while (end > begin && (all[end - 1] == '#' || all[end - 1] == ' ')) --end;
        if (begin < end) Add(document, BlockKind::kHeading, begin, end, level);
        ++i;
        continue;
      }
      if (IsTableRow(view(i))) {
        while (i < lines.size() && IsTableRow(view(i))) ++i;
        Add(document, BlockKind::kTable, lines[first].begin, lines[i - 1].end);
        continue;
      }
      if (view(i).starts_with("    ") || view(i).starts_with("\t")) {
        while (i < lines.size() && (Blank(view(i)) || view(i).starts_with("    ") || view(i).starts_with("\t"))) ++i;
        size_t last = i - 1;
        while (Blank(view(last))) --last;
        Add(document, BlockKind::kCode, lines[first].begin, lines[last].end);
        continue;
      }
    }
    if (i + 1 < lines.size() && !Blank(view(i)) && view(i).size() <= 200) {
      if (const char under = Underline(view(i + 1)); under != 0) {
        Add(document, BlockKind::kHeading, lines[i].begin, lines[i].end, under == '=' ? 1 : 2);
        i += 2;
        continue;
      }
    }
    if (!markdown) {
      const bool alone = i + 1 >= lines.size() || Blank(view(i + 1));
      if (const int level = alone ? NumberedHeading(view(i)) : 0; level > 0) {
        Add(document, BlockKind::kHeading, lines[i].begin, lines[i].end, level);
        ++i;
        continue;
      }
    }
    // A paragraph, or an item: to the next blank line or whatever begins another block.
    const bool item = IsItem(view(i));
    for (++i; i < lines.size() && !Blank(view(i)) && !IsItem(view(i)); ++i) {
      char mark = 0;
      if (markdown && (AtxLevel(view(i)) > 0 || IsTableRow(view(i)) || Fence(view(i), &mark) > 0)) break;
    }
    Add(document, item ? BlockKind::kItem : BlockKind::kParagraph, lines[first].begin, lines[i - 1].end);
  }
}

}  // namespace atelier::retrieve
