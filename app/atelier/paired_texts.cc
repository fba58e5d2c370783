#include "app/atelier/paired_texts.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "evaluate/value_lines.h"

namespace atelier::app {
namespace {

void NoteEmpty(const std::vector<std::string_view>& lines, const std::string& file, std::vector<std::string>* notes) {
  size_t empty = 0, first = 0;
  for (size_t i = lines.size(); i-- > 0;) {
    if (!Trim(lines[i]).empty()) continue;
    ++empty;
    first = i + 1;
  }
  if (empty > 0)
    notes->push_back(Cat(file, ":", first, ": ", empty, " of ", lines.size(), " texts are empty, this first"));
}

}  // namespace

void PairedTexts::Declare(Cli& cli) {
  cli.Text("--hyp", &hypothesis_file_, "the texts to measure, one a line", true);
  cli.Texts("--ref", &reference_files_,
            "the texts they should be like, line by line; repeat for more: the best counts");
}

void PairedTexts::Load() {
  if (reference_files_.empty()) throw Error(Code::kUsage, "--ref is missing", "name the file with the references");
  texts_.reserve(1 + reference_files_.size());
  texts_.push_back(ReadFile(hypothesis_file_));
  hypotheses_ = evaluate::TextLines(texts_.back(), hypothesis_file_);
  for (const std::string& file : reference_files_) {
    texts_.push_back(ReadFile(file));
    references_.push_back(evaluate::TextLines(texts_.back(), file));
    evaluate::RequireAsManyLines(hypotheses_.size(), hypothesis_file_, references_.back().size(), file);
  }
}

std::vector<std::string_view> PairedTexts::references(size_t line) const {
  std::vector<std::string_view> all;
  for (const auto& file : references_) all.push_back(file[line]);
  return all;
}

std::vector<std::string> PairedTexts::Notes() const {
  std::vector<std::string> notes;
  NoteEmpty(hypotheses_, hypothesis_file_, &notes);
  for (size_t i = 0; i < references_.size(); ++i) NoteEmpty(references_[i], reference_files_[i], &notes);
  return notes;
}

}  // namespace atelier::app
