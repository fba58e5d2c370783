// Columns for people: aligned by display width (Chinese characters and emoji take two cells), numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace atelier::app {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  // Fewer cells than the header: the rest stays empty.
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace atelier::app
