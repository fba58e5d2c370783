// Texts as ROUGE counts them: tokens as numbers, and where sentences end. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/segmenter.h"

namespace atelier::evaluate {

enum class RougeUnits {
  kWords,       // rouge-score 0.1.2: lower case, runs of a-z and 0-9; all else only separates
  kCharacters,  // the same, and every Han, kana or Hangul character is a token; full-width ASCII counts as ASCII
  kSegments     // words of a segmenter that hold a letter or a digit, lower case
};

struct RougeText {
  std::vector<uint32_t> tokens;
  std::vector<size_t> sentences;  // where each ends, in tokens: a line break ends one, the text's end the last
};

class RougeTokenizer {
 public:
  // `stem`: words of a-z and 0-9 longer than three letters by NLTK's Porter. REQUIRES: a segmenter for kSegments.
  explicit RougeTokenizer(RougeUnits units = RougeUnits::kWords, bool stem = false,
                          std::shared_ptr<const text::Segmenter> segmenter = nullptr);

  // Any bytes; `text` is replaced.
  void Tokenize(std::string_view text, RougeText* tokens);
  // Every token so far is below this.
  uint32_t size() const { return next_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  void Words(std::string_view text, RougeText* tokens);
  void Characters(std::string_view text, RougeText* tokens);
  void Segments(std::string_view line, RougeText* tokens);
  uint32_t Token(std::string_view word, bool ascii);

  RougeUnits units_;
  bool stem_;
  std::shared_ptr<const text::Segmenter> segmenter_;
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_, stems_;
  uint32_t next_ = 0;
  std::string word_;
  std::vector<std::string_view> words_;
};

}  // namespace atelier::evaluate
