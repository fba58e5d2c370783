// Where a text stands in a grammar: a stack says what must still come, the lexeme under way on top. Stacks are lists
// that share their tails, every distinct one exists once and has a number, so that a position in the text is a sorted
// list of numbers (several where the text so far can be read in several ways), cheap to copy, compare and look up.
//
// REQUIRES: the grammar outlives it, and nobody else uses it (or its automata) meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/grammar.h"

namespace atelier::runtime {

using StackId = int32_t;

class Stacks {
 public:
  static constexpr StackId kDone = 0;  // nothing more must come
  // Texts that can be read in more ways than this at once are refused with kInvalidInput.
  static constexpr size_t kMostAtOnce = 4096;

  enum class Kind : uint8_t {
    kDone,
    kLexeme,  // a: automaton, b: its state
    kKey,     // the same for a name that is not listed; c: what stands there so far, d: 1 when others stand there
    kNode,    // a: node
    kArrayOpen,
    kArrayNext,
    kArrayItem,  // after '[', after an item, after ','; a: node, b: items so far
    kObjectOpen,
    kObjectNext,
    kObjectName,  // after '{', after a value, after ','; a: node, b: next property,
                  // c: properties so far, d: names used that are not listed
    kObjectValue  // after a name that is not listed; b: which `open`
  };
  struct Cell {
    Kind kind = Kind::kDone;
    int32_t a = 0, b = 0, c = 0, d = 0;
    StackId next = kDone;
    int32_t depth = 0;  // arrays and objects open
    bool operator==(const Cell&) const = default;
  };
  // Used names that stand for any: for masks, which must not depend on them. Under it no name can be finished.
  static constexpr int32_t kSomeNames = 1;

  explicit Stacks(const Grammar& grammar);

  std::vector<StackId> Start();
  // The positions after one more byte; empty: the byte may not come.
  std::vector<StackId> Step(const std::vector<StackId>& from, uint8_t byte);

  const Grammar& grammar() const { return grammar_; }
  const Cell& cell(StackId id) const { return cells_[static_cast<size_t>(id)]; }
  // What stands on top next, once everything above `id` is written: stacks with a lexeme on top, or kDone.
  const std::vector<StackId>& Expand(StackId id);
  // The same after a name that is not listed, whatever it was. REQUIRES: the `next` of a kKey.
  const std::vector<StackId>& ExpandAfterSomeName(StackId value);
  // A stack that allows the same texts of at most `bytes` bytes (but for names that would come twice), the same for
  // as many positions as possible.
  StackId Canonical(StackId id, int bytes);
  // A name of which there are only so many: what may come depends on those used, in a canonical stack too.
  bool IsCounted(const Cell& key) const;
  // The raw text of a name so far, and the decoded names that it may not become.
  const std::string& Captured(const Cell& key) const { return texts_[static_cast<size_t>(key.c)]; }
  const std::vector<int32_t>& UsedNames(const Cell& key) const { return used_[static_cast<size_t>(cell(key.next).d)]; }
  const std::string& Name(int32_t name) const { return texts_[static_cast<size_t>(name)]; }
  // Beyond this many of what it remembers new texts had better begin with fresh stacks.
  static constexpr size_t kMostCells = 400000;
  size_t size() const { return cells_.size() + texts_.size() + expanded_ / 16; }
  size_t bytes() const { return cells_.size() * 64 + texts_.size() * 128 + expanded_ * 4; }  // about

 private:
  StackId Push(Cell cell);
  StackId Lexeme(int32_t automaton, StackId next) { return Push({Kind::kLexeme, automaton, 0, 0, 0, next}); }
  int32_t Text(std::string text);
  int32_t Used(std::vector<int32_t> names);
  void StepOne(StackId from, uint8_t byte, std::vector<StackId>* out);
  void StepKey(const Cell& key, int32_t to, uint8_t byte, std::vector<StackId>* out);
  void ExpandArray(const Cell& cell, std::vector<StackId>* todo);
  void ExpandObject(const Cell& cell, std::vector<StackId>* todo);
  void ExpandNames(const Cell& cell, const Grammar::Node& node, std::vector<StackId>* todo, bool* any);
  bool Fits(int32_t node, int32_t depth) const { return depth + grammar_.node(node).height <= Grammar::kMostDepth; }
  bool NameIsLeft(const Cell& key, int32_t state, const std::string& captured);
  bool CountsNames(const Grammar::Node& object) const;
  int ItemsCapped(const Grammar::Node& array, int items) const;

  const Grammar& grammar_;
  std::vector<Cell> cells_;
  std::unordered_map<uint64_t, std::vector<StackId>> index_;
  std::unordered_map<StackId, std::vector<StackId>> expansions_;
  size_t expanded_ = 0;  // in all of them
  std::unordered_map<uint64_t, StackId> canonical_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, int32_t> text_index_;
  std::vector<std::vector<int32_t>> used_;
  std::unordered_map<std::string, int32_t> used_index_;
};

// The text that a JSON string's inside stands for. REQUIRES: it is well formed.
std::string DecodeJsonInside(std::string_view inside);

}  // namespace atelier::runtime
