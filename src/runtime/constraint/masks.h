// Which tokens may come at a position: the tokens' tries walked with what stands on top of the stacks. What one lexeme
// makes of a trie is known once per state, whatever stands below it (as XGrammar has it: Dong et al. 2024); only the
// tokens that leave the lexeme are held against the rest of the stack.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/stacks.h"
#include "runtime/constraint/token_index.h"
#include "runtime/constraint/token_mask.h"

namespace atelier::runtime {

class Masks {
 public:
  // REQUIRES: both outlive it. Not thread-safe.
  Masks(const Grammar& grammar, const TokenIndex& tokens);

  // The tokens after which the text can still be completed. `at` are positions of `stacks`. Throws kInvalidInput where
  // that is too much work: everybody waits for a mask.
  void Compute(Stacks* stacks, const std::vector<StackId>& at, TokenMask* out);
  size_t bytes() const { return inside_bytes_ + part_bytes_; }  // of memory, about
  // Results for whole positions hold numbers of one Stacks: call this before coming with another.
  void Forget() { parts_.clear(), order_.clear(), part_bytes_ = 0; }

 private:
  static constexpr size_t kMostParts = 512;  // of positions: least recently used ones go
  // Nodes of tries and words of bits for one mask: a quarter of a second. A large vocabulary's tries have a million,
  // and sixteen patterns of names may be open at once.
  static constexpr size_t kMostWork = 16000000;
  static constexpr size_t kMostInsides = 2048;  // of lexemes' states

  // One trie's tokens at one position.
  struct Part {
    std::vector<uint64_t> bits;  // empty where `few` lists them
    std::vector<int32_t> few;
    std::list<std::vector<int32_t>>::iterator place;
    size_t bytes() const { return bits.size() * 8 + few.size() * 4 + place->size() * 8 + 128; }  // its keys too
  };
  std::shared_ptr<const Inside> InsideOf(int32_t automaton, int32_t state, size_t trie);
  const Part& PartOf(Stacks* stacks, std::vector<StackId> at, size_t trie);
  void Walk(Stacks* stacks, StackId id, size_t trie, std::vector<uint64_t>* bits);
  void WalkExactly(Stacks* stacks, StackId id, size_t trie, uint32_t from, std::vector<uint64_t>* bits);
  void RemoveUsedNames(Stacks* stacks, const Stacks::Cell& key, std::vector<uint64_t>* bits);
  Automaton& Spellings(const std::string& name);
  void Work(size_t steps);

  const Grammar& grammar_;
  const TokenIndex& tokens_;
  std::map<std::vector<int32_t>, Part> parts_;  // by trie, then stacks
  std::list<std::vector<int32_t>> order_;       // most recently used first
  size_t part_bytes_ = 0, inside_bytes_ = 0;
  size_t work_ = 0;  // of the mask under way
  std::unordered_map<uint64_t, std::shared_ptr<const Inside>> insides_;
  std::unordered_map<std::string, std::unique_ptr<EncodedAutomaton>> spellings_;
};

}  // namespace atelier::runtime
