// A grammar of JSON values (or of one plain lexeme, or of both in a sequence): what a compiled schema is. Lexemes are
// byte automata; arrays and objects nest, also into themselves. Plain data, immutable once it is finished, but for the
// rows that automata make lazily.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/constraint/automaton.h"

namespace atelier::runtime {

struct Grammar {
  static constexpr int kNoLimit = -1;
  static constexpr int32_t kNever = 0;   // the node that nothing satisfies
  static constexpr int kMostDepth = 64;  // arrays and objects inside each other, in what is written
  static constexpr size_t kMostNodes = 200000;
  static constexpr int kTooDeep = kMostDepth + 1;

  enum class Kind : uint8_t {
    kNever,
    kLexeme,
    kChoice,
    kSequence,
    kArray,
    kObject,
    kSet  // an array of some of the properties' keys in their order, which stand for items; their values for nothing
  };
  struct Property {
    int32_t key = 0;  // lexeme: the name with its quotes
    int32_t value = 0;
    bool required = false;
  };
  struct Open {  // names that are not listed. REQUIRES: no name belongs to two, none is a listed one
    int32_t key = 0;
    int32_t value = 0;
  };
  struct Node {
    Kind kind = Kind::kNever;
    int32_t lexeme = 0;
    std::vector<int32_t> parts = {};  // kChoice: alternatives; kSequence: one after the other; kArray: the first items
    int32_t rest = kNever;            // kArray: every item after them
    std::vector<Property> properties = {};
    std::vector<Open> open = {};
    int least = 0, most = kNoLimit;  // items, or properties
    int height = kTooDeep;           // the least nesting that a value needs; kTooDeep: none fits
  };

  Grammar();
  int32_t AddLexeme(std::shared_ptr<Automaton> automaton);  // the number of the automaton
  int32_t Literal(const std::string& text);                 // the same for the same text
  int32_t Add(Node node);                                   // throws kUnsupported beyond kMostNodes
  int32_t Lexeme(std::shared_ptr<Automaton> automaton) {    // a node
    return Add({.kind = Kind::kLexeme, .lexeme = AddLexeme(std::move(automaton))});
  }
  // Computes heights. REQUIRES: no node reaches itself through choices and sequences alone. A root of height kTooDeep
  // is satisfied by nothing. Nodes below `first` are finished and lead to none of the others.
  void Finish(int32_t root, size_t first = 0);

  const Node& node(int32_t id) const { return nodes[static_cast<size_t>(id)]; }
  Automaton& automaton(int32_t id) const { return *automata[static_cast<size_t>(id)]; }
  // The item at an index; kNever where no more may come.
  int32_t Item(const Node& array, int index) const {
    return static_cast<size_t>(index) < array.parts.size() ? array.parts[static_cast<size_t>(index)] : array.rest;
  }

  int32_t root = kNever;
  std::vector<Node> nodes;
  std::vector<std::shared_ptr<Automaton>> automata;
  int32_t comma, colon, open_array, close_array, open_object, close_object;  // lexemes

 private:
  int HeightOf(const Node& node) const;
  std::unordered_map<std::string, int32_t> literals_;
};

}  // namespace atelier::runtime
