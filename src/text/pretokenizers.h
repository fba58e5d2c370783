// How byte-level BPE vocabularies cut a text into words before they merge: one visible list of rules, by the name that
// a model file gives (`tokenizer.ggml.pre`). A new family is one more entry there.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text {

struct PreTokenizer {
  std::vector<std::string_view> names;     // of the families that share this rule
  std::vector<std::string_view> patterns;  // applied one after the other, each to the pieces the one before left
  bool whole_words = false;                // a word that is a token is taken whole, without merging
  bool default_add_bos = false;            // when the file does not say
};

std::span<const PreTokenizer> PreTokenizers();
// nullptr for an unknown name; "" means "default".
const PreTokenizer* FindPreTokenizer(std::string_view name);
std::vector<std::string> PreTokenizerNames();

// Pieces of `text` under one rule, compiled once.
class Splitter {
 public:
  explicit Splitter(const PreTokenizer& rule);
  ~Splitter();
  Splitter(Splitter&&) noexcept;
  // Ends of the pieces, in code points, in order; together they cover the text. Linear in its length.
  std::vector<size_t> Split(const struct PatternText& text) const;

 private:
  std::vector<class Pattern> patterns_;
};

}  // namespace atelier::text
