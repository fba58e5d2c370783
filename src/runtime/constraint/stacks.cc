#include "runtime/constraint/stacks.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

void SortUnique(std::vector<StackId>* ids) {
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
}

}  // namespace

std::string DecodeJsonInside(std::string_view inside) {
  std::string out;
  char32_t high = 0;
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\') {
      out.push_back(inside[i]);
      continue;
    }
    constexpr std::string_view kNames = "bfnrt", kMeans = "\b\f\n\r\t";
    const char escape = inside[++i];
    if (escape != 'u') {
      const size_t at = kNames.find(escape);
      out.push_back(at == std::string_view::npos ? escape : kMeans[at]);
      continue;
    }
    char32_t unit = 0;
    for (int digit = 0; digit < 4; ++digit) {
      const char c = inside[++i];
      unit = unit * 16 + static_cast<char32_t>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    if (unit >= 0xD800 && unit < 0xDC00) {
      high = unit;
    } else {
      text::AppendUtf8(&out,
                       unit >= 0xDC00 && unit < 0xE000 ? 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00) : unit);
    }
  }
  return out;
}

Stacks::Stacks(const Grammar& grammar) : grammar_(grammar) {
  cells_.emplace_back();
  Text("");
  Used({});
  used_.push_back({});  // kSomeNames
}

StackId Stacks::Push(Cell cell) {
  cell.depth = cells_[static_cast<size_t>(cell.next)].depth;
  if (cell.kind >= Kind::kArrayOpen) ++cell.depth;
  uint64_t hash = static_cast<uint64_t>(cell.kind);
  for (int32_t value : {cell.a, cell.b, cell.c, cell.d, cell.next}) {
    hash = (hash ^ static_cast<uint32_t>(value)) * 0x9ddfea08eb382d69ull;
    hash ^= hash >> 32;
  }
  std::vector<StackId>& bucket = index_[hash];
  for (StackId id : bucket) {
    if (cells_[static_cast<size_t>(id)] == cell) return id;
  }
  cells_.push_back(cell);
  bucket.push_back(static_cast<StackId>(cells_.size() - 1));
  return bucket.back();
}

int32_t Stacks::Text(std::string text) {
  const auto [entry, fresh] = text_index_.emplace(std::move(text), static_cast<int32_t>(texts_.size()));
  if (fresh) texts_.push_back(entry->first);
  return entry->second;
}

int32_t Stacks::Used(std::vector<int32_t> names) {
  std::string key(reinterpret_cast<const char*>(names.data()), names.size() * sizeof(int32_t));
  const auto [entry, fresh] = used_index_.emplace(std::move(key), static_cast<int32_t>(used_.size()));
  if (fresh) used_.push_back(std::move(names));
  return entry->second;
}

std::vector<StackId> Stacks::Start() { return Expand(Push({Kind::kNode, grammar_.root})); }

std::vector<StackId> Stacks::Step(const std::vector<StackId>& from, uint8_t byte) {
  std::vector<StackId> out;
  for (StackId id : from) {
    StepOne(id, byte, &out);
    if (out.size() <= kMostAtOnce) continue;
    SortUnique(&out);
    if (out.size() > kMostAtOnce) {
      throw Error(Code::kInvalidInput,
                  Cat("under the constraint the text so far can be read in more than ", kMostAtOnce, " ways"),
                  "give alternatives beginnings that differ");
    }
  }
  SortUnique(&out);
  return out;
}

void Stacks::StepOne(StackId from, uint8_t byte, std::vector<StackId>* out) {
  const Cell top = cell(from);
  if (top.kind == Kind::kDone) return;
  Automaton& automaton = grammar_.automaton(top.a);
  const int32_t to = automaton.Step(top.b, byte);
  if (to == Automaton::kDead) return;
  if (top.kind == Kind::kKey) return StepKey(top, to, byte, out);
  if (automaton.HasNext(to)) out->push_back(Push({Kind::kLexeme, top.a, to, 0, 0, top.next}));
  if (automaton.Accepts(to)) {
    const std::vector<StackId>& more = Expand(top.next);
    out->insert(out->end(), more.begin(), more.end());
  }
}

void Stacks::StepKey(const Cell& key, int32_t to, uint8_t byte, std::vector<StackId>* out) {
  Automaton& automaton = grammar_.automaton(key.a);
  if (!automaton.Accepts(to)) {
    const std::string captured = Captured(key) + static_cast<char>(byte);
    if (!NameIsLeft(key, to, captured)) return;
    out->push_back(Push({Kind::kKey, key.a, to, Text(captured), key.d, key.next}));
    return;
  }
  const int32_t name = Text(DecodeJsonInside(std::string_view(Captured(key)).substr(1)));
  std::vector<int32_t> names = UsedNames(key);
  const auto at = std::lower_bound(names.begin(), names.end(), name);
  if (at != names.end() && *at == name) return;  // it stands there already
  names.insert(at, name);
  Cell value = cell(key.next);
  value.d = Used(std::move(names));
  const std::vector<StackId>& more = Expand(Push(value));
  out->insert(out->end(), more.begin(), more.end());
}

// Whether some name that begins so is not used yet.
bool Stacks::NameIsLeft(const Cell& key, int32_t state, const std::string& captured) {
  const int64_t remaining = grammar_.automaton(key.a).Remaining(state);
  if (remaining >= CharDfa::kMany) return true;
  // Names from automata that count have no escapes, so that the raw text is the name.
  const std::string_view begins = std::string_view(captured).substr(captured.empty() ? 0 : 1);
  int64_t taken = 0;
  for (int32_t name : UsedNames(key)) {
    if (!std::string_view(Name(name)).starts_with(begins)) continue;
    Automaton& automaton = grammar_.automaton(key.a);
    int32_t at = captured.empty() ? automaton.Step(state, '"') : state;
    for (char c : Name(name).substr(begins.size()) + '"') {
      if (at != Automaton::kDead) at = automaton.Step(at, static_cast<uint8_t>(c));
    }
    taken += at != Automaton::kDead;
  }
  return taken < remaining;
}

const std::vector<StackId>& Stacks::Expand(StackId id) {
  if (const auto found = expansions_.find(id); found != expansions_.end()) return found->second;
  std::vector<StackId> out, todo = {id};
  while (!todo.empty()) {
    const StackId at = todo.back();
    todo.pop_back();
    const Cell top = cell(at);
    switch (top.kind) {
      case Kind::kDone:
      case Kind::kKey: out.push_back(at); break;
      case Kind::kLexeme:
        if (grammar_.automaton(top.a).HasNext(top.b)) out.push_back(at);
        if (grammar_.automaton(top.a).Accepts(top.b)) todo.push_back(top.next);  // only the empty text does at once
        break;
      case Kind::kNode: {
        const Grammar::Node& node = grammar_.node(top.a);
        if (!Fits(top.a, top.depth)) break;
        switch (node.kind) {
          case Grammar::Kind::kNever: break;
          case Grammar::Kind::kLexeme: todo.push_back(Lexeme(node.lexeme, top.next)); break;
          case Grammar::Kind::kChoice:
            for (int32_t part : node.parts) todo.push_back(Push({Kind::kNode, part, 0, 0, 0, top.next}));
            break;
          case Grammar::Kind::kSequence: {
            StackId rest = top.next;
            for (size_t i = node.parts.size(); i-- > 0;) rest = Push({Kind::kNode, node.parts[i], 0, 0, 0, rest});
            todo.push_back(rest);
            break;
          }
          case Grammar::Kind::kArray:
            todo.push_back(Lexeme(grammar_.open_array, Push({Kind::kArrayOpen, top.a, 0, 0, 0, top.next})));
            break;
          case Grammar::Kind::kSet:
          case Grammar::Kind::kObject:
            todo.push_back(Lexeme(node.kind == Grammar::Kind::kSet ? grammar_.open_array : grammar_.open_object,
                                  Push({Kind::kObjectOpen, top.a, 0, 0, 0, top.next})));
            break;
        }
        break;
      }
      case Kind::kArrayOpen:
      case Kind::kArrayNext:
      case Kind::kArrayItem: ExpandArray(top, &todo); break;
      default: ExpandObject(top, &todo); break;
    }
  }
  SortUnique(&out);
  expanded_ += out.size() + 16;
  return expansions_[id] = std::move(out);
}

// More items than this make no difference any more.
int Stacks::ItemsCapped(const Grammar::Node& array, int items) const {
  if (array.most != Grammar::kNoLimit) return items;
  return std::min(items, std::max({static_cast<int>(array.parts.size()), array.least, 1}));
}

void Stacks::ExpandArray(const Cell& at, std::vector<StackId>* todo) {
  const Grammar::Node& node = grammar_.node(at.a);
  const int32_t item = grammar_.Item(node, at.b);
  const bool more = (node.most == Grammar::kNoLimit || at.b < node.most) && Fits(item, at.depth);
  if (at.kind != Kind::kArrayItem && at.b >= node.least) todo->push_back(Lexeme(grammar_.close_array, at.next));
  if (!more) return;
  if (at.kind == Kind::kArrayNext) {
    todo->push_back(Lexeme(grammar_.comma, Push({Kind::kArrayItem, at.a, at.b, 0, 0, at.next})));
  } else {
    const StackId after = Push({Kind::kArrayNext, at.a, ItemsCapped(node, at.b + 1), 0, 0, at.next});
    todo->push_back(Push({Kind::kNode, item, 0, 0, 0, after}));
  }
}

void Stacks::ExpandObject(const Cell& at, std::vector<StackId>* todo) {
  const Grammar::Node& node = grammar_.node(at.a);
  if (at.kind == Kind::kObjectValue) {
    const StackId after =
        Push({Kind::kObjectNext, at.a, static_cast<int32_t>(node.properties.size()), at.c, at.d, at.next});
    const StackId value = Push({Kind::kNode, node.open[static_cast<size_t>(at.b)].value, 0, 0, 0, after});
    todo->push_back(Lexeme(grammar_.colon, value));
    return;
  }
  bool any = false;
  std::vector<StackId> names;
  ExpandNames(at, node, &names, &any);
  if (at.kind == Kind::kObjectNext) {
    if (any) todo->push_back(Lexeme(grammar_.comma, Push({Kind::kObjectName, at.a, at.b, at.c, at.d, at.next})));
  } else {
    todo->insert(todo->end(), names.begin(), names.end());
  }
  if (at.kind == Kind::kObjectName || at.c < node.least) return;
  for (size_t i = static_cast<size_t>(at.b); i < node.properties.size(); ++i) {
    if (node.properties[i].required) return;
  }
  const bool set = node.kind == Grammar::Kind::kSet;
  todo->push_back(Lexeme(set ? grammar_.close_array : grammar_.close_object, at.next));
}

// The names that may come next: listed ones in their order up to the first that must come, then those not listed.
void Stacks::ExpandNames(const Cell& at, const Grammar::Node& node, std::vector<StackId>* out, bool* any) {
  const size_t count = node.properties.size();
  const bool counts = node.least > 0 || node.most != Grammar::kNoLimit;
  const auto fits = [&](size_t i) { return Fits(node.properties[i].value, at.depth); };
  const bool wanted = at.kind != Kind::kObjectNext;  // else only whether there is any
  // From here on: how many must come, how many could.
  int64_t required = 0, possible = 0, unlisted = 0;
  for (size_t i = static_cast<size_t>(at.b); i < count; ++i) {
    required += node.properties[i].required;
    possible += fits(i);
  }
  for (const Grammar::Open& open : node.open) {
    if (Fits(open.value, at.depth)) unlisted += grammar_.automaton(open.key).Remaining(0);
  }
  if (at.d != kSomeNames) {
    unlisted -= static_cast<int64_t>(used_[static_cast<size_t>(at.d)].size());
  } else if (unlisted < CharDfa::kMany) {
    unlisted = 0;  // nobody knows how many are left
  }
  const auto allowed = [&](int64_t still_required, int64_t still_possible) {
    if (!counts) return true;
    if (node.most != Grammar::kNoLimit && at.c + 1 + still_required > node.most) return false;
    return at.c + 1 + still_possible >= node.least;
  };
  const int32_t more = counts ? at.c + 1 : 0;
  bool must = false;
  for (size_t i = static_cast<size_t>(at.b); i < count && !must; ++i) {
    const Grammar::Property& p = node.properties[i];
    must = p.required;
    required -= p.required;
    if (!fits(i)) continue;
    --possible;
    if (!allowed(required, possible + unlisted)) continue;
    *any = true;
    if (!wanted) return;
    const StackId after = Push({Kind::kObjectNext, at.a, static_cast<int32_t>(i + 1), more, at.d, at.next});
    if (node.kind == Grammar::Kind::kSet) {
      out->push_back(Lexeme(p.key, after));
      continue;
    }
    const StackId value = Push({Kind::kNode, p.value, 0, 0, 0, after});
    out->push_back(Lexeme(p.key, Lexeme(grammar_.colon, value)));
  }
  if (must || unlisted <= 0 || !allowed(0, unlisted - 1)) return;
  for (size_t i = 0; i < node.open.size(); ++i) {
    if (!Fits(node.open[i].value, at.depth)) continue;
    const StackId after = Push({Kind::kObjectValue, at.a, static_cast<int32_t>(i), more, at.d, at.next});
    const Cell key = {Kind::kKey, node.open[i].key, 0, 0, at.d != 0, after};
    if (at.d == kSomeNames ? IsCounted(key) : !NameIsLeft(key, 0, "")) continue;
    *any = true;
    if (!wanted) return;
    out->push_back(Push(key));
  }
}

bool Stacks::CountsNames(const Grammar::Node& object) const {
  for (const Grammar::Open& open : object.open) {
    if (grammar_.automaton(open.key).Remaining(0) >= CharDfa::kMany) return false;
  }
  return true;
}

const std::vector<StackId>& Stacks::ExpandAfterSomeName(StackId value) {
  Cell changed = cell(value);
  changed.d = kSomeNames;
  return Expand(Push(changed));
}

bool Stacks::IsCounted(const Cell& key) const {
  return key.kind == Kind::kKey && grammar_.automaton(key.a).Remaining(0) < CharDfa::kMany;
}

StackId Stacks::Canonical(StackId id, int bytes) {
  if (id == kDone || IsCounted(cell(id))) return id;
  const uint64_t memo = static_cast<uint64_t>(id) << 32 | static_cast<uint32_t>(bytes);
  if (const auto found = canonical_.find(memo); found != canonical_.end()) return found->second;
  // From the bottom up, without recursion: a stack may be long.
  std::vector<StackId> path;
  StackId tail = id;
  while (tail != kDone) {
    const auto known = canonical_.find(static_cast<uint64_t>(tail) << 32 | static_cast<uint32_t>(bytes));
    if (known != canonical_.end()) break;
    path.push_back(tail);
    tail = cell(tail).next;
  }
  StackId below = tail == kDone ? kDone : canonical_[static_cast<uint64_t>(tail) << 32 | static_cast<uint32_t>(bytes)];
  for (size_t i = path.size(); i-- > 0;) {
    Cell top = cell(path[i]);
    top.next = below;
    if (top.kind == Kind::kLexeme || top.kind == Kind::kKey) {
      top.b = grammar_.automaton(top.a).Canonical(top.b, bytes);
      top.c = 0;
    } else if (top.kind >= Kind::kArrayOpen && top.kind <= Kind::kArrayItem) {
      const Grammar::Node& node = grammar_.node(top.a);
      const int first = std::max(static_cast<int>(node.parts.size()), 1);
      if (top.b < node.least && node.least - top.b > bytes + 1 && top.b > first) top.b = first;
      if (top.b >= node.least && node.most != Grammar::kNoLimit && node.most - top.b > bytes + 1) {
        top.b = std::min(top.b, std::max(first, node.least));
      }
    } else if (top.kind >= Kind::kObjectOpen && top.d != 0 && !CountsNames(grammar_.node(top.a))) {
      top.d = kSomeNames;
    }
    below = Push(top);
    canonical_[static_cast<uint64_t>(path[i]) << 32 | static_cast<uint32_t>(bytes)] = below;
  }
  return below;
}

}  // namespace atelier::runtime
