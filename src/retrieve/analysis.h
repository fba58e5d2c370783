// Text as the terms that BM25 counts.
//
// Letters and digits between other characters are one word: folded (NFKC, case), English ones stemmed. A compound
// ("sources.list", "apt-get", "/etc/fstab") also counts as a whole. Runs of Han, kana and Hangul give overlapping pairs
// of characters, a lone character itself, and, where there is a segmenter, its words.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::retrieve {

// Cuts a run of Han into words that join to it (text/segmenter.h); empty: there is none.
using WordsFn = std::function<void(std::string_view run, std::vector<std::string_view>* words)>;
// Gives the segmenter of this name, or throws Error(kNotFound): an index is asked with the one that it was made with.
using WordsProvider = std::function<WordsFn(const std::string& segmenter)>;

struct AnalysisOptions {
  bool stem = true;       // English, Porter 1980
  bool compounds = true;  // wholes beside their parts
  bool pairs = true;      // pairs of Han characters
  bool words = false;     // the segmenter's words; an index that says so cannot be asked without one
};

struct Term {
  std::string text;
  size_t begin, end;  // bytes
};

class Analyzer {
 public:
  explicit Analyzer(AnalysisOptions options = {}, WordsFn words = nullptr);

  // Any bytes; ill-formed ones end a word. Appends.
  void Analyze(std::string_view text, std::vector<Term>* terms) const;
  // The terms of a question: without words that only make it a question ("how", "the", "怎么") unless nothing else is
  // left, each once, in order.
  std::vector<std::string> Query(std::string_view text) const;

  const AnalysisOptions& options() const { return options_; }

 private:
  AnalysisOptions options_;
  WordsFn words_;
};

}  // namespace atelier::retrieve
