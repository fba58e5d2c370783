#include "runtime/constraint/char_dfa.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"

namespace atelier::runtime {
namespace {

// Counts texts from every state: without end where a cycle can be reached, else the sum over the (acyclic) rest.
std::vector<int64_t> CountTexts(const CharDfa& dfa, const std::vector<int64_t>& sizes) {
  const size_t states = dfa.accepts.size(), symbols = sizes.size();
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> mark(states, kNew);
  std::vector<int64_t> counts(states, 0);
  std::vector<std::pair<int32_t, size_t>> path;
  for (size_t root = 0; root < states; ++root) {
    if (mark[root] != kNew) continue;
    path.emplace_back(static_cast<int32_t>(root), 0);
    mark[root] = kOpen;
    counts[root] = dfa.accepts[root];
    while (!path.empty()) {
      const auto state = static_cast<size_t>(path.back().first);
      if (path.back().second == symbols) {
        mark[state] = kDone;
        path.pop_back();
        continue;
      }
      const size_t symbol = path.back().second;
      const int32_t to = dfa.next[state * symbols + symbol];
      if (to < 0) {
        ++path.back().second;
      } else if (mark[static_cast<size_t>(to)] == kNew) {
        mark[static_cast<size_t>(to)] = kOpen;
        counts[static_cast<size_t>(to)] = dfa.accepts[static_cast<size_t>(to)];
        path.emplace_back(to, 0);
      } else {
        const int64_t more = mark[static_cast<size_t>(to)] == kOpen ? CharDfa::kMany : counts[static_cast<size_t>(to)];
        const bool many = more >= CharDfa::kMany || more * sizes[symbol] >= CharDfa::kMany;
        counts[state] = many ? CharDfa::kMany : std::min(CharDfa::kMany, counts[state] + more * sizes[symbol]);
        ++path.back().second;
      }
    }
  }
  return counts;
}

}  // namespace

int32_t CharDfa::Step(int32_t state, char32_t c) const {
  const auto after = std::upper_bound(alphabet.starts.begin(), alphabet.starts.end(), c);
  if (after == alphabet.starts.begin()) return kDead;
  const int32_t symbol = alphabet.symbols[static_cast<size_t>(after - alphabet.starts.begin() - 1)];
  if (symbol < 0) return kDead;
  return next[static_cast<size_t>(state) * alphabet.examples.size() + static_cast<size_t>(symbol)];
}

bool CharDfa::Matches(std::u32string_view text) const {
  if (empty()) return false;
  int32_t state = 0;
  for (char32_t c : text) {
    state = Step(state, c);
    if (state < 0) return false;
  }
  return accepts[static_cast<size_t>(state)];
}

CharDfa BuildDfa(Regulars* regulars, Regulars::Id root) {
  CharDfa dfa;
  dfa.alphabet = regulars->AlphabetOf(root);
  const size_t symbols = dfa.alphabet.examples.size();
  std::vector<Regulars::Id> ids = {root};
  std::unordered_map<Regulars::Id, int32_t> index = {{root, 0}};
  Regulars::Memo memo;
  std::vector<int32_t> next;
  for (size_t state = 0; state < ids.size(); ++state) {
    if (ids.size() > CharDfa::kMostStates || ids.size() * symbols > CharDfa::kMostSteps) {
      throw Error(Code::kUnsupported, "the pattern needs too large an automaton",
                  "use smaller counts, fewer nested loops");
    }
    for (size_t symbol = 0; symbol < symbols; ++symbol) {
      const Regulars::Id to =
          regulars->Derive(ids[state], static_cast<int32_t>(symbol), dfa.alphabet.examples[symbol], &memo);
      if (to == Regulars::kNothing) {
        next.push_back(CharDfa::kDead);
        continue;
      }
      const auto [entry, fresh] = index.emplace(to, static_cast<int32_t>(ids.size()));
      if (fresh) ids.push_back(to);
      next.push_back(entry->second);
    }
  }
  // Only states from which acceptance can be reached stay: walk the arrows backwards.
  const size_t states = ids.size();
  std::vector<std::vector<int32_t>> from(states);
  for (size_t state = 0; state < states; ++state) {
    for (size_t symbol = 0; symbol < symbols; ++symbol) {
      const int32_t to = next[state * symbols + symbol];
      if (to >= 0 && (from[static_cast<size_t>(to)].empty() ||
                      from[static_cast<size_t>(to)].back() != static_cast<int32_t>(state))) {
        from[static_cast<size_t>(to)].push_back(static_cast<int32_t>(state));
      }
    }
  }
  std::vector<bool> alive(states);
  std::vector<int32_t> todo;
  for (size_t state = 0; state < states; ++state) {
    if (regulars->Nullable(ids[state])) {
      alive[state] = true;
      todo.push_back(static_cast<int32_t>(state));
    }
  }
  while (!todo.empty()) {
    const auto state = static_cast<size_t>(todo.back());
    todo.pop_back();
    for (int32_t before : from[state]) {
      if (alive[static_cast<size_t>(before)]) continue;
      alive[static_cast<size_t>(before)] = true;
      todo.push_back(before);
    }
  }
  if (!alive[0]) return dfa;
  std::vector<int32_t> renamed(states, CharDfa::kDead);
  int32_t count = 0;
  for (size_t state = 0; state < states; ++state) {
    if (alive[state]) renamed[state] = count++;
  }
  for (size_t state = 0; state < states; ++state) {
    if (!alive[state]) continue;
    dfa.accepts.push_back(regulars->Nullable(ids[state]));
    for (size_t symbol = 0; symbol < symbols; ++symbol) {
      const int32_t to = next[state * symbols + symbol];
      dfa.next.push_back(to < 0 ? CharDfa::kDead : renamed[static_cast<size_t>(to)]);
    }
  }
  std::vector<int64_t> sizes(symbols);
  for (size_t i = 0; i < dfa.alphabet.starts.size(); ++i) {
    if (dfa.alphabet.symbols[i] < 0) continue;
    const char32_t end = i + 1 < dfa.alphabet.starts.size() ? dfa.alphabet.starts[i + 1] : 0x110000;
    sizes[static_cast<size_t>(dfa.alphabet.symbols[i])] += static_cast<int64_t>(end - dfa.alphabet.starts[i]);
  }
  dfa.counts = CountTexts(dfa, sizes);
  return dfa;
}

std::vector<int32_t> CharDfa::Classes(int length) const {
  const size_t states = accepts.size(), symbols = alphabet.examples.size();
  std::vector<int32_t> classes(states), identity(states);
  for (size_t i = 0; i < states; ++i) identity[i] = static_cast<int32_t>(i);
  if (states * symbols * static_cast<size_t>(length) > 60000000) return identity;  // too much to compare
  for (size_t i = 0; i < states; ++i) classes[i] = accepts[i];
  size_t found = 0;
  for (int round = 0; round < length; ++round) {
    // States agree on one more character where they agreed before and all their followers did.
    std::unordered_map<uint64_t, std::vector<int32_t>> buckets;
    std::vector<int32_t> refined(states);
    int32_t count = 0;
    const auto of = [&](size_t state, size_t symbol) {
      const int32_t to = next[state * symbols + symbol];
      return to < 0 ? -1 : classes[static_cast<size_t>(to)];
    };
    for (size_t state = 0; state < states; ++state) {
      uint64_t hash = static_cast<uint64_t>(classes[state]) + 1;
      for (size_t symbol = 0; symbol < symbols; ++symbol) {
        hash = (hash ^ static_cast<uint32_t>(of(state, symbol))) * 0x9ddfea08eb382d69ull;
        hash ^= hash >> 31;
      }
      std::vector<int32_t>& bucket = buckets[hash];
      int32_t same = -1;
      for (int32_t other : bucket) {
        const auto o = static_cast<size_t>(other);
        bool equal = classes[o] == classes[state];
        for (size_t symbol = 0; equal && symbol < symbols; ++symbol) equal = of(o, symbol) == of(state, symbol);
        if (equal) {
          same = other;
          break;
        }
      }
      if (same >= 0) {
        refined[state] = refined[static_cast<size_t>(same)];
      } else {
        bucket.push_back(static_cast<int32_t>(state));
        refined[state] = count++;
      }
    }
    classes = std::move(refined);
    if (static_cast<size_t>(count) == found) break;  // no round changes anything any more
    found = static_cast<size_t>(count);
  }
  std::vector<int32_t> first(states, -1), out(states);
  for (size_t i = 0; i < states; ++i) {
    int32_t& lowest = first[static_cast<size_t>(classes[i])];
    if (lowest < 0) lowest = static_cast<int32_t>(i);
    out[i] = lowest;
  }
  return out;
}

}  // namespace atelier::runtime
