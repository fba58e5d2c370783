// --hyp and --ref: the texts that a measure compares, line by line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/atelier/command.h"

namespace atelier::app {

class PairedTexts {
 public:
  void Declare(Cli& cli);
  // Throws Error for a file that cannot be read, bytes that are not UTF-8 and unequal line counts, with the line.
  void Load();

  size_t size() const { return hypotheses_.size(); }
  std::string_view hypothesis(size_t line) const { return hypotheses_[line]; }
  std::vector<std::string_view> references(size_t line) const;  // one of each file
  size_t reference_files() const { return references_.size(); }
  // One line each: how many cases have an empty text, and the first.
  std::vector<std::string> Notes() const;

 private:
  std::string hypothesis_file_;
  std::vector<std::string> reference_files_, texts_;  // the texts are what the views show
  std::vector<std::string_view> hypotheses_;
  std::vector<std::vector<std::string_view>> references_;  // [file][line]
};

}  // namespace atelier::app
