// A vocabulary as tries over its tokens' bytes, so that an automaton meets all tokens in one walk. Tokens are split by
// length: short tokens cannot tell states apart that differ only in what comes later, so that the large trie of short
// ones is walked for few states.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/constraint/automaton.h"
#include "text/tokenizer.h"

namespace atelier::runtime {

struct TokenTrie {
  int longest = 0;  // bytes
  // Nodes in preorder, 0 the root: a node's children follow it, `skip` is the next node outside its subtree.
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> skip;
  std::vector<uint32_t> first_token;  // [nodes + 1], into tokens
  std::vector<int32_t> tokens;
  bool leaf(uint32_t node) const { return skip[node] == node + 1; }
};

// What one automaton's state makes of a trie, whatever comes after the automaton.
struct Inside {
  std::vector<uint64_t> bits;  // tokens that stay inside or end with it; empty where `few` lists them
  std::vector<int32_t> few;
  std::vector<uint32_t> exits;  // nodes with children where the automaton accepts: what comes next decides there
  size_t visited = 0;           // nodes of the trie
};
Inside WalkInside(Automaton& automaton, int32_t state, const TokenTrie& trie, int32_t vocab);

class TokenIndex {
 public:
  static constexpr size_t kTries = 3;

  // Tokens without bytes and those that end a reply are in no trie. Control tokens stand for bytes that no text has:
  // 0xFF and their number, so that they come only where a constraint asks for them. The tokenizer may go afterwards.
  explicit TokenIndex(const text::Tokenizer& tokenizer);

  int32_t vocab() const { return vocab_; }
  const TokenTrie& trie(size_t i) const { return tries_[i]; }
  const std::vector<int32_t>& ends() const { return ends_; }
  // A text of a constraint in the bytes of its tokens: names of control tokens become those. It stops before a token
  // that ends replies and says so.
  std::string Writing(std::string_view text, bool* ends) const;
  std::string_view bytes(int32_t token) const { return texts_[static_cast<size_t>(token)]; }
  // WalkInside for an automaton that is shared() by all constraints, kept for ever. Thread-safe.
  std::shared_ptr<const Inside> SharedInside(Automaton& automaton, int32_t state, size_t trie) const;

 private:
  int32_t vocab_;
  std::vector<std::string> texts_;  // [vocab]; empty for those in no trie
  std::vector<int32_t> ends_;
  std::vector<std::pair<std::string, int32_t>> controls_;  // by name; also those that end a reply
  std::array<TokenTrie, kTries> tries_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<int32_t, size_t>, std::shared_ptr<const Inside>> shared_;  // there is one such automaton
};

}  // namespace atelier::runtime
