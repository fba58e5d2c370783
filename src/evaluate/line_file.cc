#include "evaluate/line_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/encoding.h"
#include "evaluate/score_tokens.h"

namespace atelier::evaluate {

std::unique_ptr<LineFile> ReadLineFile(const std::string& path) {
  return ParseLineFile(ReadFile(path == "-" ? "/dev/stdin" : path), path == "-" ? "standard input" : path);
}

std::unique_ptr<LineFile> ParseLineFile(std::string bytes, const std::string& name) {
  auto file = std::make_unique<LineFile>();
  file->name = name;
  file->text = std::move(bytes);
  file->lines = SplitLines(file->text, name);
  for (std::string_view& line : file->lines) line = StripEnd(line);
  return file;
}

std::vector<std::string_view> SplitLines(std::string_view text, const std::string& name) {
  std::vector<std::string_view> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.empty()) throw Error(Code::kInvalidInput, Cat(name, ": is empty"), "one case on a line is wanted");
  if (const size_t bad = data::FirstInvalidUtf8(text); bad != text.npos) {
    const std::string_view before = text.substr(0, bad);
    const size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
    throw Error(Code::kInvalidInput,
                Cat(name, ":", std::count(before.begin(), before.end(), '\n') + 1, ": byte ", bad - start + 1,
                    " of the line is not UTF-8"),
                "a score of broken text would mean nothing; convert the file first, for instance with iconv");
  }
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void MustAlign(size_t a, const std::string& a_name, size_t b, const std::string& b_name) {
  if (a == b) return;
  throw Error(Code::kInvalidInput,
              Cat(a > b ? a_name : b_name, ":", std::min(a, b) + 1, ": has no counterpart: ", a > b ? b_name : a_name,
                  " ends after ", std::min(a, b), " lines, this one after ", std::max(a, b)),
              "line N of every file belongs to line N of every other");
}

void MustAlign(const LineFile& a, const LineFile& b) { MustAlign(a.lines.size(), a.name, b.lines.size(), b.name); }

void MustSay(const LineFile& references) {
  for (const std::string_view line : references.lines) {
    if (!StripBegin(line).empty()) return;
  }
  throw Error(Code::kInvalidInput, Cat(references.name, ": every reference is empty"),
              "a score needs texts to hold against");
}

}  // namespace atelier::evaluate
