// What the tokenizers' trainers read and how they count it: texts that are pulled one after the other, cut into words
// by several threads, each different word kept once with its count.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "text/tokenizer.h"

namespace atelier::text {

// The next text of a corpus into `text`, or false at its end. Called from the trainer's own thread only. Bytes that are
// not UTF-8 count as U+FFFD.
using TextPull = std::function<bool(std::string* text)>;

// Tokens that no text is made of. Their ids come first, in this order; an empty text leaves one out.
struct SpecialTexts {
  std::string bos = "<s>", eos = "</s>", padding = "<pad>", unknown = "";
  std::vector<std::string> more;  // "<|im_start|>" ...

  std::vector<std::string> InOrder() const;
};
// Throws kInvalidInput where two are equal or one is not UTF-8, is longer than 256 bytes, or holds a control character.
void CheckSpecials(const SpecialTexts& special);
// Puts them into an empty vocabulary, with their types and roles.
void AddSpecials(const SpecialTexts& special, TokenizerSpec* spec);

// Different words and how often each came. Words are views into one arena.
class WordCounts {
 public:
  struct Word {
    uint64_t begin;
    uint32_t size;
    uint32_t tag;  // of its hash
    uint64_t count;
  };

  void Add(std::string_view word, uint64_t count = 1);
  void AddAll(const WordCounts& other);
  const std::vector<Word>& words() const { return words_; }
  std::string_view Text(const Word& word) const { return std::string_view(arena_).substr(word.begin, word.size); }
  uint64_t bytes() const { return arena_.size(); }  // of all different words together

 private:
  void Add(std::string_view word, uint64_t hash, uint64_t count);
  void Grow();

  std::string arena_;
  std::vector<Word> words_;
  std::vector<uint32_t> slots_;  // 1 + index of a word, or 0; a power of two, at most half full
};

// Cuts one text. Shared by all threads.
class WordCutter {
 public:
  virtual ~WordCutter() = default;
  // REQUIRES: valid UTF-8
  virtual void Cut(std::string_view text, WordCounts* words) const = 0;
};

struct CorpusSize {
  uint64_t texts = 0, bytes = 0;
};
// The words of all texts. Holds some MiB of texts at a time. The words are the same for any number of threads, their
// order is not. Throws kInvalidInput for a text of more than 1 GiB. Progress: bytes read, total unknown.
WordCounts CountWords(const TextPull& next, const WordCutter& cutter, int threads, const ProgressFn& progress,
                      CorpusSize* size);

}  // namespace atelier::text
