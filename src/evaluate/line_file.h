// Files of one case on a line: texts and their references, labels, numbers, which stand on the same lines.
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
// The lines of `text` as they stand, white space and all, with the same errors.
std::vector<std::string_view> SplitLines(std::string_view text, const std::string& name);

// Throws Error(kInvalidInput) that names the first line which only one of the two has.
void MustAlign(size_t a, const std::string& a_name, size_t b, const std::string& b_name);
void MustAlign(const LineFile& a, const LineFile& b);
// Throws Error(kInvalidInput) for references that have not one word.
void MustSay(const LineFile& references);

}  // namespace atelier::evaluate
