// A deterministic automaton over code points, built whole, so that a state is kept only if a text can still be
// completed from it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/constraint/regular.h"

namespace atelier::runtime {

struct CharDfa {
  static constexpr int32_t kDead = -1;
  static constexpr int64_t kMany = int64_t{1} << 40;

  // The budgets of one automaton. Beyond them building throws kUnsupported.
  static constexpr size_t kMostStates = 20000;
  static constexpr size_t kMostSteps = 2000000;  // states times symbols

  Regulars::Alphabet alphabet;
  std::vector<int32_t> next;  // [state, symbol]; state 0 is the start
  std::vector<bool> accepts;  // [state]
  // How many texts lead from a state to acceptance, saturating at kMany (also: without end).
  std::vector<int64_t> counts;

  bool empty() const { return accepts.empty(); }  // no text at all
  int32_t Step(int32_t state, char32_t c) const;
  bool Matches(std::u32string_view text) const;

  // A copy for states that allow the same texts of up to `length` characters and the same ends there: [state], the
  // lowest of such states. Tokens of at most that many characters cannot tell them apart.
  std::vector<int32_t> Classes(int length) const;
};

CharDfa BuildDfa(Regulars* regulars, Regulars::Id root);

}  // namespace atelier::runtime
