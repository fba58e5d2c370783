#include <algorithm>

#include "runtime/constraint/automaton.h"

namespace atelier::runtime {

LiteralAutomaton::LiteralAutomaton(const std::vector<std::string>& texts) {
  children_.emplace_back();
  accepts_.push_back(false);
  for (const std::string& text : texts) {
    int32_t state = 0;
    for (char c : text) {
      const auto byte = static_cast<uint8_t>(c);
      auto& children = children_[static_cast<size_t>(state)];
      const auto at = std::lower_bound(children.begin(), children.end(), std::pair<uint8_t, int32_t>(byte, 0));
      if (at != children.end() && at->first == byte) {
        state = at->second;
        continue;
      }
      const auto fresh = static_cast<int32_t>(accepts_.size());
      children.insert(at, {byte, fresh});
      children_.emplace_back();
      accepts_.push_back(false);
      state = fresh;
    }
    accepts_[static_cast<size_t>(state)] = true;
  }
}

int32_t LiteralAutomaton::Step(int32_t state, uint8_t byte) {
  const auto& children = children_[static_cast<size_t>(state)];
  const auto at = std::lower_bound(children.begin(), children.end(), std::pair<uint8_t, int32_t>(byte, 0));
  return at != children.end() && at->first == byte ? at->second : kDead;
}

}  // namespace atelier::runtime
