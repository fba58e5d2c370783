#include <algorithm>

#include "runtime/constraint/automaton.h"

namespace atelier::runtime {

EncodedAutomaton::EncodedAutomaton(CharDfa dfa, Writing writing) : dfa_(std::move(dfa)), writing_(writing) {
  if (writing_ == Writing::kPlain) {
    Char(0);
  } else {
    Intern({Kind::kOpen});
    Intern({Kind::kClosed});
  }
}

int32_t EncodedAutomaton::Intern(State state) {
  std::string key;
  const auto put = [&](int64_t value) { key.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  put(static_cast<int64_t>(state.kind));
  put(state.a);
  put(state.b);
  for (const auto& [offset, to] : state.pieces) {
    put(offset);
    put(to);
  }
  const auto [entry, fresh] = index_.emplace(std::move(key), static_cast<int32_t>(states_.size()));
  if (fresh) {
    states_.push_back(std::move(state));
    rows_.emplace_back();
  }
  return entry->second;
}

bool EncodedAutomaton::Accepts(int32_t state) const {
  const State& s = states_[static_cast<size_t>(state)];
  if (writing_ != Writing::kPlain) return s.kind == Kind::kClosed;
  return s.kind == Kind::kChar && dfa_.accepts[static_cast<size_t>(s.a)];
}

bool EncodedAutomaton::HasNext(int32_t state) const {
  const State& s = states_[static_cast<size_t>(state)];
  if (s.kind == Kind::kClosed) return false;
  if (s.kind != Kind::kChar || writing_ != Writing::kPlain) return true;
  const size_t symbols = dfa_.alphabet.examples.size();
  const auto begin = dfa_.next.begin() + static_cast<int64_t>(static_cast<size_t>(s.a) * symbols);
  return std::any_of(begin, begin + static_cast<int64_t>(symbols), [](int32_t to) { return to >= 0; });
}

int64_t EncodedAutomaton::Remaining(int32_t state) const {
  const State& s = states_[static_cast<size_t>(state)];
  if (s.kind == Kind::kOpen) return dfa_.counts[0];
  return s.kind == Kind::kChar ? dfa_.counts[static_cast<size_t>(s.a)] : CharDfa::kMany;
}

int32_t EncodedAutomaton::Canonical(int32_t state, int bytes) {
  if (states_[static_cast<size_t>(state)].kind != Kind::kChar || dfa_.accepts.size() == 1) return state;
  const auto [entry, fresh] = classes_.try_emplace(bytes);
  if (fresh) entry->second = dfa_.Classes(bytes);
  return Char(entry->second[static_cast<size_t>(states_[static_cast<size_t>(state)].a)]);
}

EncodedAutomaton::Pieces EncodedAutomaton::CodeSpace(int32_t dfa_state) {
  Pieces out;
  const size_t symbols = dfa_.alphabet.examples.size();
  const auto add = [&](uint32_t start, int32_t to) {
    if (out.empty() || out.back().second != to) out.emplace_back(start, to);
  };
  if (dfa_.alphabet.starts.empty() || dfa_.alphabet.starts[0] != 0) add(0, kDead);
  for (size_t i = 0; i < dfa_.alphabet.starts.size(); ++i) {
    const int32_t symbol = dfa_.alphabet.symbols[i];
    const int32_t to =
        symbol < 0 ? kDead : dfa_.next[static_cast<size_t>(dfa_state) * symbols + static_cast<size_t>(symbol)];
    add(static_cast<uint32_t>(dfa_.alphabet.starts[i]), Char(to));
  }
  add(0x110000, kDead);
  return out;
}

int32_t EncodedAutomaton::At(const Pieces& pieces, uint32_t offset) const {
  const auto after = std::upper_bound(pieces.begin(), pieces.end(), offset,
                                      [](uint32_t x, const std::pair<uint32_t, int32_t>& p) { return x < p.first; });
  return after == pieces.begin() ? kDead : std::prev(after)->second;
}

EncodedAutomaton::Pieces EncodedAutomaton::Slice(const Pieces& pieces, uint32_t begin, uint32_t size) {
  Pieces out;
  auto at = std::upper_bound(pieces.begin(), pieces.end(), begin,
                             [](uint32_t x, const std::pair<uint32_t, int32_t>& p) { return x < p.first; });
  out.emplace_back(0, at == pieces.begin() ? kDead : std::prev(at)->second);
  for (; at != pieces.end() && at->first < begin + size; ++at) out.emplace_back(at->first - begin, at->second);
  return out;
}

int32_t EncodedAutomaton::Part(Kind kind, int32_t to_come, Pieces pieces) {
  const bool lives = std::any_of(pieces.begin(), pieces.end(), [](const auto& p) { return p.second != kDead; });
  return lives ? Intern({kind, to_come, 0, std::move(pieces)}) : kDead;
}

// What \u and four digits lead to: a character, or for a high surrogate another \u with the low one.
EncodedAutomaton::Pieces EncodedAutomaton::HexPieces(const Pieces& code_space) {
  Pieces out = Slice(code_space, 0, 0xD800);
  const auto add = [&](uint32_t start, int32_t to) {
    if (out.back().second != to) out.emplace_back(start, to);
  };
  for (uint32_t high = 0; high < 0x400; ++high) {
    Pieces low = Slice(code_space, 0x10000 + high * 0x400, 0x400);
    for (auto& [offset, to] : low) offset += 0xDC00;
    low.insert(low.begin(), {0, kDead});
    if (low.back().second != kDead) low.emplace_back(0xE000, kDead);
    int32_t digits = Part(Kind::kHex, 4, std::move(low));
    if (digits != kDead) digits = Intern({Kind::kByte, '\\', Intern({Kind::kByte, 'u', digits})});
    add(0xD800 + high, digits);
  }
  add(0xDC00, kDead);
  Pieces rest = Slice(code_space, 0xE000, 0x2000);
  for (const auto& [offset, to] : rest) add(0xE000 + offset, to);
  return out;
}

void EncodedAutomaton::FillChar(int32_t dfa_state, Row* row) {
  const Pieces space = CodeSpace(dfa_state);
  for (uint32_t byte = 0; byte < 0x80; ++byte) (*row)[byte] = At(space, byte);
  for (uint32_t lead = 0xC2; lead <= 0xDF; ++lead) {
    (*row)[lead] = Part(Kind::kUtf8, 1, Slice(space, (lead & 0x1F) << 6, 0x40));
  }
  for (uint32_t lead = 0xE0; lead <= 0xEF; ++lead) {
    Pieces slice = Slice(space, (lead & 0xF) << 12, 0x1000);
    if (lead == 0xE0) {  // shorter forms are no UTF-8
      slice = Slice(space, 0x800, 0x800);
      for (auto& [offset, to] : slice) offset += 0x800;
      slice.insert(slice.begin(), {0, kDead});
    }
    (*row)[lead] = Part(Kind::kUtf8, 2, std::move(slice));
  }
  for (uint32_t lead = 0xF0; lead <= 0xF4; ++lead) {
    Pieces slice = Slice(space, (lead & 7) << 18, 0x40000);
    if (lead == 0xF0) {
      slice = Slice(space, 0x10000, 0x30000);
      for (auto& [offset, to] : slice) offset += 0x10000;
      slice.insert(slice.begin(), {0, kDead});
    }
    (*row)[lead] = Part(Kind::kUtf8, 3, std::move(slice));
  }
  if (writing_ == Writing::kPlain) return;
  for (uint32_t byte = 0; byte < 0x20; ++byte) (*row)[byte] = kDead;
  (*row)['"'] = dfa_.accepts[static_cast<size_t>(dfa_state)] ? Intern({Kind::kClosed}) : kDead;
  const bool any = std::any_of(space.begin(), space.end(), [](const auto& p) { return p.second != kDead; });
  (*row)['\\'] = any && writing_ == Writing::kJson ? Intern({Kind::kEscape, dfa_state}) : kDead;
}

const EncodedAutomaton::Row& EncodedAutomaton::Next(int32_t state) {
  if (rows_[static_cast<size_t>(state)] != nullptr) return *rows_[static_cast<size_t>(state)];
  auto row = std::make_unique<Row>();
  row->fill(kDead);
  const State s = states_[static_cast<size_t>(state)];  // a copy: states move while new ones are made
  switch (s.kind) {
    case Kind::kChar: FillChar(s.a, row.get()); break;
    case Kind::kUtf8: {
      const uint32_t size = 1u << (6 * (s.a - 1));
      for (uint32_t i = 0; i < 0x40; ++i) {
        (*row)[0x80 + i] = size == 1 ? At(s.pieces, i) : Part(Kind::kUtf8, s.a - 1, Slice(s.pieces, i * size, size));
      }
      break;
    }
    case Kind::kHex: {
      const uint32_t size = 1u << (4 * (s.a - 1));
      constexpr std::string_view kDigits = "0123456789abcdef0123456789ABCDEF";
      for (uint32_t i = 0; i < 16; ++i) {
        const int32_t to = size == 1 ? At(s.pieces, i) : Part(Kind::kHex, s.a - 1, Slice(s.pieces, i * size, size));
        (*row)[static_cast<uint8_t>(kDigits[i])] = to;
        (*row)[static_cast<uint8_t>(kDigits[i + 16])] = to;
      }
      break;
    }
    case Kind::kEscape: {
      const Pieces space = CodeSpace(s.a);
      constexpr std::string_view kNames = "\"\\/bfnrt", kMeans = "\"\\/\b\f\n\r\t";
      for (size_t i = 0; i < kNames.size(); ++i) {
        (*row)[static_cast<uint8_t>(kNames[i])] = At(space, static_cast<uint8_t>(kMeans[i]));
      }
      (*row)['u'] = Part(Kind::kHex, 4, HexPieces(space));
      break;
    }
    case Kind::kByte: (*row)[static_cast<size_t>(s.a)] = s.b; break;
    case Kind::kOpen: (*row)['"'] = Char(0); break;
    case Kind::kClosed: break;
  }
  rows_[static_cast<size_t>(state)] = std::move(row);
  ++row_count_;
  return *rows_[static_cast<size_t>(state)];
}

size_t EncodedAutomaton::bytes() const {
  return dfa_.next.size() * 4 + dfa_.counts.size() * 8 + row_count_ * sizeof(Row) + states_.size() * 128;
}

void EncodedAutomaton::ExpandAll() {
  for (size_t state = 0; state < states_.size(); ++state) Next(static_cast<int32_t>(state));
  shared_ = true;
}

std::shared_ptr<Automaton> AnyJsonString() {
  static const std::shared_ptr<EncodedAutomaton> any = [] {
    Regulars regulars;
    auto made =
        std::make_shared<EncodedAutomaton>(BuildDfa(&regulars, regulars.AnyText()), EncodedAutomaton::Writing::kJson);
    made->ExpandAll();
    return made;
  }();
  return any;
}

}  // namespace atelier::runtime
