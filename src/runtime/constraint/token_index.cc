#include "runtime/constraint/token_index.h"

#include <algorithm>

namespace atelier::runtime {
namespace {

TokenTrie MakeTrie(const std::vector<std::string>& texts, std::vector<int32_t> tokens, int longest) {
  std::sort(tokens.begin(), tokens.end(), [&](int32_t a, int32_t b) {
    const std::string &x = texts[static_cast<size_t>(a)], &y = texts[static_cast<size_t>(b)];
    return x != y ? x < y : a < b;
  });
  TokenTrie trie;
  trie.longest = longest;
  std::vector<uint32_t> open;  // the path to the last node, without the root
  const auto add = [&](uint8_t byte) {
    trie.bytes.push_back(byte);
    trie.skip.push_back(0);
    trie.first_token.push_back(static_cast<uint32_t>(trie.tokens.size()));
  };
  add(0);
  const auto close = [&](size_t depth) {
    while (open.size() > depth) {
      trie.skip[open.back()] = static_cast<uint32_t>(trie.bytes.size());
      open.pop_back();
    }
  };
  std::string_view before;
  for (int32_t token : tokens) {
    const std::string_view text = texts[static_cast<size_t>(token)];
    size_t same = 0;
    while (same < std::min(before.size(), text.size()) && before[same] == text[same]) ++same;
    close(same);
    for (size_t i = same; i < text.size(); ++i) {
      open.push_back(static_cast<uint32_t>(trie.bytes.size()));
      add(static_cast<uint8_t>(text[i]));
    }
    trie.tokens.push_back(token);
    before = text;
  }
  close(0);
  trie.skip[0] = static_cast<uint32_t>(trie.bytes.size());
  trie.first_token.push_back(static_cast<uint32_t>(trie.tokens.size()));
  return trie;
}

std::string ControlBytes(int32_t token) {
  return {'\xFF', static_cast<char>(token >> 16), static_cast<char>(token >> 8), static_cast<char>(token)};
}

}  // namespace

Inside WalkInside(Automaton& automaton, int32_t state, const TokenTrie& trie, int32_t vocab) {
  Inside out;
  struct Level {
    uint32_t end;
    int32_t state;
    const Automaton::Row* row;
  };
  std::vector<Level> levels = {{trie.skip[0], state, automaton.RowOf(state)}};
  for (uint32_t node = 1; node < trie.skip[0];) {
    ++out.visited;
    while (node >= levels.back().end) levels.pop_back();
    const Level& level = levels.back();
    const int32_t to =
        level.row != nullptr ? (*level.row)[trie.bytes[node]] : automaton.Step(level.state, trie.bytes[node]);
    if (to == Automaton::kDead) {
      node = trie.skip[node];
      continue;
    }
    for (uint32_t i = trie.first_token[node]; i < trie.first_token[node + 1]; ++i) out.few.push_back(trie.tokens[i]);
    if (trie.leaf(node)) {
      ++node;
      continue;
    }
    if (automaton.Accepts(to)) out.exits.push_back(node);
    if (automaton.HasNext(to)) {
      levels.push_back({trie.skip[node], to, automaton.RowOf(to)});
      ++node;
    } else {
      node = trie.skip[node];
    }
  }
  if (out.few.size() > static_cast<size_t>(vocab) / 32) {  // then bits are smaller
    out.bits.resize((static_cast<size_t>(vocab) + 63) / 64);
    for (int32_t token : out.few) out.bits[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
    out.few = {};
  }
  return out;
}

TokenIndex::TokenIndex(const text::Tokenizer& tokenizer) : vocab_(tokenizer.vocab_size()) {
  texts_.resize(static_cast<size_t>(vocab_));
  constexpr std::array<size_t, kTries - 1> kLimits = {8, 16};
  std::array<std::vector<int32_t>, kTries> split;
  size_t longest = kLimits.back() + 1;
  for (int32_t token = 0; token < vocab_; ++token) {
    const bool control = tokenizer.IsControl(token), ends = tokenizer.EndsGeneration(token);
    if (control || ends) {
      if (std::string name = tokenizer.Piece(token, true); !name.empty())
        controls_.emplace_back(std::move(name), token);
    }
    if (ends) {
      ends_.push_back(token);
      continue;
    }
    std::string& text = texts_[static_cast<size_t>(token)];
    text = control ? ControlBytes(token) : tokenizer.Piece(token);
    if (!control && text.find('\xFF') != std::string::npos) text.clear();  // a byte alone, which no text holds
    if (text.empty()) continue;
    size_t at = 0;
    while (at < kLimits.size() && text.size() > kLimits[at]) ++at;
    split[at].push_back(token);
    longest = std::max(longest, text.size());
  }
  for (size_t i = 0; i < kTries; ++i) {
    tries_[i] = MakeTrie(texts_, std::move(split[i]), static_cast<int>(i < kLimits.size() ? kLimits[i] : longest));
  }
}

std::string TokenIndex::Writing(std::string_view text, bool* ends) const {
  std::string out;
  *ends = false;
  for (size_t at = 0; at < text.size();) {
    const std::pair<std::string, int32_t>* longest = nullptr;
    for (const auto& control : controls_) {
      if (text.substr(at).starts_with(control.first) &&
          (longest == nullptr || control.first.size() > longest->first.size())) {
        longest = &control;
      }
    }
    if (longest == nullptr) {
      out.push_back(text[at++]);
      continue;
    }
    *ends = std::find(ends_.begin(), ends_.end(), longest->second) != ends_.end();
    if (*ends) break;
    out += ControlBytes(longest->second);
    at += longest->first.size();
  }
  return out;
}

std::shared_ptr<const Inside> TokenIndex::SharedInside(Automaton& automaton, int32_t state, size_t trie) const {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const Inside>& entry = shared_[{state, trie}];
  if (entry == nullptr) entry = std::make_shared<Inside>(WalkInside(automaton, state, tries_[trie], vocab_));
  return entry;
}

}  // namespace atelier::runtime
