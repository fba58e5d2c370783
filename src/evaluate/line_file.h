// Files of texts, one on a line: hypotheses, and references that stand on the same lines.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

// Never moved once read: the lines point into the text.
struct LineFile {
  std::string name;  // for messages
  std::string text;
  // Lines end in LF; without the white space at their end. A last line without LF counts.
  std::vector<std::string_view> lines;
};

// "-" is standard input. A byte-order mark is left out. Throws Error(kInvalidInput) for an empty file, and for bytes
// that are not UTF-8 with their line.
std::unique_ptr<LineFile> ReadLineFile(const std::string& path);
// The same of bytes that are there already.
std::unique_ptr<LineFile> ParseLineFile(std::string bytes, const std::string& name);

// Throws Error(kInvalidInput) that names the first line which only one of the two has.
void MustAlign(const LineFile& hypotheses, const LineFile& other);
// Throws Error(kInvalidInput) for references that have not one word.
void MustSay(const LineFile& references);

}  // namespace atelier::evaluate
