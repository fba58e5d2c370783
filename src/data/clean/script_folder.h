// Traditional and simplified Chinese into each other, exactly as OpenCC does it, several hundred times faster on text
// that has little to change. The dictionaries and the order of steps come from OpenCC's own configurations through its
// public interface; only the walk is ours: a trie per dictionary, and stretches that no key touches are never walked.
//
// Why the result is OpenCC's: a character that stands in no key of any dictionary ends every match, in every step, so
// the stretches between such characters convert independently; and a stretch without a character of the hitting set
// (at least one character of every key whose value differs) holds no key that changes anything.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data::clean {

// One of OpenCC's dictionaries as a trie over code points.
class FoldTrie {
 public:
  struct Match {
    size_t length = 0;  // bytes of the key; 0: none
    std::string_view value;
  };
  FoldTrie();
  void Add(std::string_view key, std::string_view value);
  Match Longest(const char* p, const char* end) const;
  bool HasKey(std::string_view key) const { return Longest(key.data(), key.data() + key.size()).length == key.size(); }

 private:
  struct Node {
    uint32_t value = 0, length = 0;  // into values_; `ends` says whether there is one
    bool ends = false, more = false;
  };
  uint32_t Child(uint32_t node, char32_t c) const;
  uint32_t MakeChild(uint32_t node, char32_t c);
  void Grow();

  std::vector<uint32_t> root_;  // [0x10000] code point -> node, 0: none
  std::vector<Node> nodes_;
  std::vector<uint64_t> slots_;  // (node << 21 | c) + 1 in the upper part, child below; open addressing
  std::vector<uint32_t> children_;
  size_t used_ = 0;
  std::string values_;
};

class ScriptFolder {
 public:
  // `config` is one of Configs(). Throws Error(kNotFound) where OpenCC's data are not installed.
  explicit ScriptFolder(const std::string& config);
  static const std::vector<std::string>& Configs();  // t2s, s2t, tw2s, ...

  // A text without any of these is what it is folded to.
  const std::vector<char32_t>& triggers() const { return triggers_; }

  // Appends what OpenCC makes of `text`. REQUIRES: valid UTF-8, without NUL.
  void Convert(std::string_view text, std::string* out) const;

 private:
  using Step = std::vector<std::shared_ptr<const FoldTrie>>;  // asked in turn; the first that matches wins
  static FoldTrie::Match LongestOf(const Step& step, const char* p, const char* end);
  static void Apply(const Step& step, std::string_view text, std::string* out);
  void ConvertStretch(std::string_view text, std::string* out) const;

  std::shared_ptr<const FoldTrie> segmentation_;
  std::vector<Step> steps_;
  bool segments_matter_ = true;
  std::vector<char32_t> triggers_;
  std::vector<uint8_t> kind_;  // [0x110000] 1: in some key, 2: trigger
};

}  // namespace atelier::data::clean
