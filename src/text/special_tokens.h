// Finds the tokens of a vocabulary that are matched as whole texts ("<|im_end|>", "\n\n\n") before a text is tokenized.
//
// Longest token of the whole text first, of equally long ones the leftmost, then the same in what is left: llama.cpp's
// rule, which is not leftmost-longest. One pass of an Aho-Corasick automaton, whatever the number of tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::text {

class SpecialTokens {
 public:
  struct Match {
    size_t begin, end;  // bytes
    int32_t id;
  };

  SpecialTokens() = default;
  // Texts must not be empty.
  explicit SpecialTokens(const std::vector<std::pair<std::string_view, int32_t>>& tokens);
  bool empty() const { return nodes_.empty(); }
  // Matches in order of their place; they do not overlap.
  std::vector<Match> Find(std::string_view text) const;

 private:
  struct Node {
    int32_t fail = 0;                         // longest proper suffix that is a node
    int32_t shorter = -1;                     // nearest node along `fail` that ends a token
    int32_t id = -1;                          // the token that ends here
    uint32_t depth = 0;                       // its length
    uint32_t edges_begin = 0, edges_end = 0;  // in edges_, sorted by byte
  };
  int32_t Child(int32_t node, unsigned char byte) const;
  int32_t Longest(int32_t node) const { return nodes_[node].id >= 0 ? node : nodes_[node].shorter; }

  std::vector<Node> nodes_;
  std::vector<std::pair<unsigned char, int32_t>> edges_;
  int32_t root_[256] = {};
};

}  // namespace atelier::text
