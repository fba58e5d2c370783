// Deterministic automata over bytes: what one lexeme of a grammar may look like. From every state that a walk reaches,
// a text can be completed; bytes that are not UTF-8 lead nowhere, but for control tokens (token_index.h) in literals.
//
// Not thread-safe: rows are made when they are first asked for (a Constraint guards its own). After ExpandAll an
// automaton changes no more and may be shared.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/constraint/char_dfa.h"

namespace atelier::runtime {

class Automaton {
 public:
  static constexpr int32_t kDead = -1;
  using Row = std::array<int32_t, 256>;

  virtual ~Automaton() = default;
  // The start is state 0.
  virtual int32_t Step(int32_t state, uint8_t byte) = 0;
  // All steps at once, valid as long as the automaton; null where an automaton keeps no rows.
  virtual const Row* RowOf(int32_t /*state*/) { return nullptr; }
  virtual bool Accepts(int32_t state) const = 0;
  virtual bool HasNext(int32_t state) const = 0;
  // A state that allows the same texts of at most `bytes` bytes (8, 16 or the longest token of the vocabulary).
  virtual int32_t Canonical(int32_t state, int /*bytes*/) { return state; }
  // Texts that can still follow, where the automaton counts them; else CharDfa::kMany.
  virtual int64_t Remaining(int32_t /*state*/) const { return CharDfa::kMany; }
  virtual bool shared() const { return false; }
  virtual size_t bytes() const = 0;  // of memory, about
};

// Any of some byte strings. REQUIRES: valid UTF-8, but for control tokens.
class LiteralAutomaton : public Automaton {
 public:
  explicit LiteralAutomaton(const std::vector<std::string>& texts);
  int32_t Step(int32_t state, uint8_t byte) override;
  bool Accepts(int32_t state) const override { return accepts_[static_cast<size_t>(state)]; }
  bool HasNext(int32_t state) const override { return !children_[static_cast<size_t>(state)].empty(); }
  size_t bytes() const override { return children_.size() * 40; }

 private:
  std::vector<std::vector<std::pair<uint8_t, int32_t>>> children_;  // [state], sorted by byte
  std::vector<bool> accepts_;
};

// Texts whose code points a CharDfa takes, as they are written.
class EncodedAutomaton : public Automaton {
 public:
  enum class Writing {
    kPlain,   // UTF-8
    kJson,    // a JSON string with its quotes; every escape is allowed, surrogates only as pairs
    kJsonKey  // the same without escapes
  };
  // REQUIRES: the automaton is not empty.
  EncodedAutomaton(CharDfa dfa, Writing writing);

  int32_t Step(int32_t state, uint8_t byte) override { return Next(state)[byte]; }
  const Row* RowOf(int32_t state) override { return &Next(state); }
  bool Accepts(int32_t state) const override;
  bool HasNext(int32_t state) const override;
  int32_t Canonical(int32_t state, int bytes) override;
  int64_t Remaining(int32_t state) const override;
  bool shared() const override { return shared_; }
  size_t bytes() const override;
  void ExpandAll();

 private:
  // Pieces: a function from offsets to states, as (first offset, state) in order; kDead where there is none.
  using Pieces = std::vector<std::pair<uint32_t, int32_t>>;
  enum class Kind : uint8_t { kChar, kUtf8, kEscape, kHex, kByte, kOpen, kClosed };
  struct State {
    Kind kind;
    int32_t a = 0;       // kChar, kEscape: the CharDfa's state; kUtf8, kHex: characters to come; kByte: which
    int32_t b = 0;       // kByte: the state after it
    Pieces pieces = {};  // kUtf8, kHex
  };

  const Row& Next(int32_t state);
  int32_t Intern(State state);
  int32_t Char(int32_t dfa_state) { return dfa_state < 0 ? kDead : Intern({Kind::kChar, dfa_state}); }
  Pieces CodeSpace(int32_t dfa_state);
  int32_t At(const Pieces& pieces, uint32_t offset) const;
  static Pieces Slice(const Pieces& pieces, uint32_t begin, uint32_t size);
  int32_t Part(Kind kind, int32_t to_come, Pieces pieces);  // kDead where no piece lives
  Pieces HexPieces(const Pieces& code_space);
  void FillChar(int32_t dfa_state, Row* row);

  CharDfa dfa_;
  Writing writing_;
  bool shared_ = false;
  std::vector<State> states_;
  std::vector<std::unique_ptr<Row>> rows_;
  size_t row_count_ = 0;  // of those made
  std::unordered_map<std::string, int32_t> index_;
  std::unordered_map<int, std::vector<int32_t>> classes_;  // by bytes
};

// Any JSON string; one for the whole program, so that what is known of its states serves every constraint.
std::shared_ptr<Automaton> AnyJsonString();

}  // namespace atelier::runtime
