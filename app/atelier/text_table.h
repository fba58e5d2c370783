// Columns for people: aligned by display width (Chinese characters and emoji take two cells), numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace atelier::app {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header);
  // Fewer cells than the header: the rest stays empty. Control characters of a cell are not passed to the terminal.
  void Add(std::vector<std::string> cells);
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace atelier::app
