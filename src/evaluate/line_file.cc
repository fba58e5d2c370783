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
  std::string_view text = file->text;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.empty()) throw Error(Code::kInvalidInput, Cat(name, ": is empty"), "one text on a line is wanted");
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
    file->lines.push_back(StripEnd(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return file;
}

void MustAlign(const LineFile& hypotheses, const LineFile& other) {
  const size_t ours = hypotheses.lines.size(), theirs = other.lines.size();
  if (ours == theirs) return;
  const LineFile& longer = ours > theirs ? hypotheses : other;
  const LineFile& shorter = ours > theirs ? other : hypotheses;
  throw Error(Code::kInvalidInput,
              Cat(hypotheses.name, " has ", ours, " lines, ", other.name, " has ", theirs, ": line ",
                  shorter.lines.size() + 1, " of ", longer.name, " has none beside it"),
              "line N of every file belongs to line N of every other");
}

void MustSay(const LineFile& references) {
  for (const std::string_view line : references.lines) {
    if (!StripBegin(line).empty()) return;
  }
  throw Error(Code::kInvalidInput, Cat(references.name, ": every reference is empty"),
              "a score needs texts to hold against");
}

}  // namespace atelier::evaluate
