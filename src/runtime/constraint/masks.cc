#include "runtime/constraint/masks.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "base/error.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

void SetBit(std::vector<uint64_t>* bits, int32_t token) {
  (*bits)[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
}

void Add(const std::vector<uint64_t>& from, std::vector<uint64_t>* bits) {
  for (size_t i = 0; i < from.size(); ++i) (*bits)[i] |= from[i];
}

}  // namespace

Masks::Masks(const Grammar& grammar, const TokenIndex& tokens) : grammar_(grammar), tokens_(tokens) {}

void Masks::Work(size_t steps) {
  work_ += steps;
  if (work_ > kMostWork) {
    throw Error(Code::kInvalidInput, "the constraint leaves too many ways to go on at once",
                "give alternatives beginnings that differ");
  }
}

std::shared_ptr<const Inside> Masks::InsideOf(int32_t automaton, int32_t state, size_t trie) {
  Automaton& a = grammar_.automaton(automaton);
  if (a.shared()) return tokens_.SharedInside(a, state, trie);
  if (insides_.size() >= kMostInsides) insides_.clear(), inside_bytes_ = 0;
  const uint64_t key =
      (static_cast<uint64_t>(automaton) << 32 | static_cast<uint32_t>(state)) * TokenIndex::kTries + trie;
  std::shared_ptr<const Inside>& entry = insides_[key];
  if (entry == nullptr) {
    entry = std::make_shared<Inside>(WalkInside(a, state, tokens_.trie(trie), tokens_.vocab()));
    inside_bytes_ += entry->bits.size() * 8 + entry->few.size() * 4 + entry->exits.size() * 4 + 128;
    Work(entry->visited);
  }
  return entry;
}

// Adds the tokens of a trie that a stack allows.
void Masks::Walk(Stacks* stacks, StackId start, size_t which, std::vector<uint64_t>* bits) {
  const TokenTrie& trie = tokens_.trie(which);
  std::vector<std::pair<StackId, uint32_t>> todo = {{start, 0}};
  std::unordered_set<uint64_t> seen;
  struct Level {
    uint32_t end;
    int32_t state;
  };
  std::vector<Level> levels;
  while (!todo.empty()) {
    const auto [id, from] = todo.back();
    todo.pop_back();
    Work(4);
    const Stacks::Cell top = stacks->cell(id);
    if (top.kind == Stacks::Kind::kDone) continue;
    if (stacks->IsCounted(top)) {
      WalkExactly(stacks, id, which, from, bits);
      continue;
    }
    const bool is_key = top.kind == Stacks::Kind::kKey;
    // A name that begins and ends inside one token could be one that stands there already.
    const bool may_end = !is_key || from == 0 || top.d == 0;
    const auto exit = [&](uint32_t node) {
      if (!may_end) return;
      for (StackId next : is_key ? stacks->ExpandAfterSomeName(top.next) : stacks->Expand(top.next)) {
        if (next != Stacks::kDone && seen.insert(static_cast<uint64_t>(next) << 32 | node).second) {
          todo.emplace_back(next, node);
        }
      }
    };
    if (from == 0 && may_end) {
      const std::shared_ptr<const Inside> inside = InsideOf(top.a, top.b, which);
      Work(inside->bits.size() + inside->few.size() + inside->exits.size());
      Add(inside->bits, bits);
      for (int32_t token : inside->few) SetBit(bits, token);
      for (uint32_t node : inside->exits) exit(node);
      continue;
    }
    Automaton& automaton = grammar_.automaton(top.a);
    levels.assign(1, {trie.skip[from], top.b});
    for (uint32_t node = from + 1; node < trie.skip[from];) {
      Work(1);
      while (node >= levels.back().end) levels.pop_back();
      const int32_t to = automaton.Step(levels.back().state, trie.bytes[node]);
      if (to == Automaton::kDead || (!may_end && automaton.Accepts(to))) {
        node = trie.skip[node];
        continue;
      }
      for (uint32_t i = trie.first_token[node]; i < trie.first_token[node + 1]; ++i) SetBit(bits, trie.tokens[i]);
      if (trie.leaf(node)) {
        ++node;
        continue;
      }
      if (automaton.Accepts(to)) exit(node);
      if (automaton.HasNext(to)) {
        levels.push_back({trie.skip[node], to});
        ++node;
      } else {
        node = trie.skip[node];
      }
    }
  }
}

// The same, byte by byte as Matcher::Accept does it.
void Masks::WalkExactly(Stacks* stacks, StackId id, size_t which, uint32_t from, std::vector<uint64_t>* bits) {
  const TokenTrie& trie = tokens_.trie(which);
  std::vector<std::pair<uint32_t, std::vector<StackId>>> levels = {{trie.skip[from], {id}}};
  for (uint32_t node = from + 1; node < trie.skip[from];) {
    while (node >= levels.back().first) levels.pop_back();
    Work(4 + 4 * levels.back().second.size());
    std::vector<StackId> to = stacks->Step(levels.back().second, trie.bytes[node]);
    if (to.empty()) {
      node = trie.skip[node];
      continue;
    }
    for (uint32_t i = trie.first_token[node]; i < trie.first_token[node + 1]; ++i) SetBit(bits, trie.tokens[i]);
    levels.emplace_back(trie.skip[node], std::move(to));
    ++node;
  }
}

const Masks::Part& Masks::PartOf(Stacks* stacks, std::vector<StackId> at, size_t trie) {
  std::sort(at.begin(), at.end());
  at.erase(std::unique(at.begin(), at.end()), at.end());
  std::vector<int32_t> key = {static_cast<int32_t>(trie)};
  key.insert(key.end(), at.begin(), at.end());
  if (const auto found = parts_.find(key); found != parts_.end()) {
    order_.splice(order_.begin(), order_, found->second.place);
    return found->second;
  }
  while (parts_.size() >= kMostParts) {
    const auto oldest = parts_.find(order_.back());
    part_bytes_ -= oldest->second.bytes();
    parts_.erase(oldest);
    order_.pop_back();
  }
  const size_t words = (static_cast<size_t>(tokens_.vocab()) + 63) / 64;
  Part part;
  part.bits.resize(words);
  for (StackId id : at) Walk(stacks, id, trie, &part.bits);
  size_t count = 0;
  for (uint64_t word : part.bits) count += static_cast<size_t>(std::popcount(word));
  if (count < words / 2) {
    for (size_t i = 0; i < words; ++i) {
      for (uint64_t word = part.bits[i]; word != 0; word &= word - 1) {
        part.few.push_back(static_cast<int32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
      }
    }
    part.bits = {};
  }
  order_.push_front(key);
  part.place = order_.begin();
  part_bytes_ += part.bytes();
  return parts_[key] = std::move(part);
}

Automaton& Masks::Spellings(const std::string& name) {
  if (spellings_.size() > 1024) spellings_.clear();
  std::unique_ptr<EncodedAutomaton>& entry = spellings_[name];
  if (entry == nullptr) {
    Regulars regulars;
    entry =
        std::make_unique<EncodedAutomaton>(BuildDfa(&regulars, regulars.Text(name)), EncodedAutomaton::Writing::kJson);
  }
  return *entry;
}

// Takes away the tokens that would end a name as one that stands there already.
void Masks::RemoveUsedNames(Stacks* stacks, const Stacks::Cell& key, std::vector<uint64_t>* bits) {
  for (int32_t name : stacks->UsedNames(key)) {
    Automaton& spellings = Spellings(stacks->Name(name));
    int32_t state = 0;
    for (char c : stacks->Captured(key)) {
      state = spellings.Step(state, static_cast<uint8_t>(c));
      if (state == Automaton::kDead) break;
    }
    if (state == Automaton::kDead) continue;
    for (size_t which = 0; which < TokenIndex::kTries; ++which) {
      const TokenTrie& trie = tokens_.trie(which);
      std::vector<std::pair<uint32_t, int32_t>> levels = {{trie.skip[0], state}};
      for (uint32_t node = 1; node < trie.skip[0];) {
        Work(1);
        while (node >= levels.back().first) levels.pop_back();
        const int32_t to = spellings.Step(levels.back().second, trie.bytes[node]);
        if (to == Automaton::kDead) {
          node = trie.skip[node];
        } else if (spellings.Accepts(to)) {
          for (uint32_t i = trie.first_token[node]; i < trie.first_token[trie.skip[node]]; ++i) {
            (*bits)[static_cast<size_t>(trie.tokens[i]) / 64] &= ~(uint64_t{1} << (trie.tokens[i] % 64));
          }
          node = trie.skip[node];
        } else {
          levels.emplace_back(trie.skip[node], to);
          ++node;
        }
      }
    }
  }
}

void Masks::Compute(Stacks* stacks, const std::vector<StackId>& at, TokenMask* out) {
  const size_t words = (static_cast<size_t>(tokens_.vocab()) + 63) / 64;
  out->bits.assign(words, 0);
  work_ = 0;
  const auto add = [&](const std::vector<StackId>& some, std::vector<uint64_t>* bits) {
    if (some.empty()) return;
    for (size_t trie = 0; trie < TokenIndex::kTries; ++trie) {
      std::vector<StackId> canonical;
      for (StackId id : some) canonical.push_back(stacks->Canonical(id, tokens_.trie(trie).longest));
      const Part& part = PartOf(stacks, std::move(canonical), trie);
      Add(part.bits, bits);
      for (int32_t token : part.few) SetBit(bits, token);
    }
  };
  std::vector<StackId> plain;
  for (StackId id : at) {
    const Stacks::Cell& top = stacks->cell(id);
    if (top.kind != Stacks::Kind::kKey || stacks->UsedNames(top).empty()) {
      if (id != Stacks::kDone) plain.push_back(id);
      continue;
    }
    Work(words);
    std::vector<uint64_t> own(words);
    add({id}, &own);
    RemoveUsedNames(stacks, stacks->cell(id), &own);
    Add(own, &out->bits);
  }
  add(plain, &out->bits);
  out->count = 0;
  for (uint64_t word : out->bits) out->count += std::popcount(word);
}

}  // namespace atelier::runtime
