#include "runtime/constraint/regular.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "text/unicode.h"

namespace atelier::runtime {

Regulars::Regulars() {
  nodes_.push_back({Kind::kNothing, false});
  nodes_.push_back({Kind::kEmpty, true});
  any_ = Intern({Kind::kRepeat, true, 0, kNoLimit, {Set(CharSet::All())}});
}

void Regulars::Work(size_t steps) {
  work_ += steps;
  if (work_ > kMostWork) {
    throw Error(Code::kUnsupported, "the pattern needs too large an automaton",
                "use smaller counts, fewer nested loops");
  }
}

Regulars::Id Regulars::Intern(Node node) {
  Work(1 + node.parts.size());
  uint64_t hash = static_cast<uint64_t>(node.kind) * 0x9e3779b97f4a7c15ull;
  const auto mix = [&](int32_t value) {
    hash = (hash ^ static_cast<uint32_t>(value)) * 0x9ddfea08eb382d69ull;
    hash ^= hash >> 29;
  };
  mix(node.a);
  mix(node.b);
  for (Id part : node.parts) mix(part);
  std::vector<Id>& bucket = index_[hash];
  for (Id id : bucket) {
    if (At(id) == node) return id;
  }
  nodes_.push_back(std::move(node));
  bucket.push_back(static_cast<Id>(nodes_.size() - 1));
  return bucket.back();
}

Regulars::Id Regulars::Set(const CharSet& set) {
  if (set.empty()) return kNothing;
  const auto found = std::find(sets_.begin(), sets_.end(), set);
  const auto index = static_cast<int32_t>(found - sets_.begin());
  if (found == sets_.end()) sets_.push_back(set);
  return Intern({Kind::kSet, false, index, 0});
}

Regulars::Id Regulars::Then(Id a, Id b) {
  if (a == kNothing || b == kNothing) return kNothing;
  if (a == kEmpty) return b;
  if (b == kEmpty) return a;
  if (At(a).kind == Kind::kThen) {  // lists lean to the right
    std::vector<Id> heads;
    while (At(a).kind == Kind::kThen) {
      heads.push_back(At(a).a);
      a = At(a).b;
    }
    Id out = Then(a, b);
    for (size_t i = heads.size(); i-- > 0;) out = Then(heads[i], out);
    return out;
  }
  const bool nullable = Nullable(a) && Nullable(b);
  return Intern({Kind::kThen, nullable, a, b});
}

Regulars::Id Regulars::Then(const std::vector<Id>& parts) {
  Id out = kEmpty;
  for (size_t i = parts.size(); i-- > 0;) out = Then(parts[i], out);
  return out;
}

Regulars::Id Regulars::Either(std::vector<Id> parts) {
  std::vector<Id> flat;
  CharSet chars;
  const Id any = AnyText();
  for (Id part : parts) {
    if (part == any) return any;
    if (part == kNothing) continue;
    const Node& node = At(part);
    if (node.kind == Kind::kEither) {
      flat.insert(flat.end(), node.parts.begin(), node.parts.end());
    } else {
      flat.push_back(part);
    }
  }
  Work(flat.size());
  size_t sets = 0;
  for (Id part : flat) sets += At(part).kind == Kind::kSet;
  if (sets > 1) {
    std::vector<Id> rest;
    for (Id part : flat) {
      if (At(part).kind == Kind::kSet) {
        chars = chars.Or(sets_[static_cast<size_t>(At(part).a)]);
      } else {
        rest.push_back(part);
      }
    }
    flat = std::move(rest);
    flat.push_back(Set(chars));
  }
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  if (flat.empty()) return kNothing;
  bool nullable = false, others = false;
  for (Id part : flat) {
    nullable |= Nullable(part);
    others |= part != kEmpty && Nullable(part);
  }
  if (others && flat[0] == kEmpty) flat.erase(flat.begin());
  if (flat.size() == 1) return flat[0];
  return Intern({Kind::kEither, nullable, 0, 0, std::move(flat)});
}

Regulars::Id Regulars::Both(std::vector<Id> parts) {
  std::vector<Id> flat;
  const Id any = AnyText();
  for (Id part : parts) {
    if (part == kNothing) return kNothing;
    if (part == any) continue;
    const Node& node = At(part);
    if (node.kind == Kind::kBoth) {
      flat.insert(flat.end(), node.parts.begin(), node.parts.end());
    } else {
      flat.push_back(part);
    }
  }
  Work(flat.size());
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  if (flat.empty()) return any;
  if (flat.size() == 1) return flat[0];
  bool nullable = true;
  for (Id part : flat) nullable &= Nullable(part);
  if (flat[0] == kEmpty) return nullable ? kEmpty : kNothing;
  return Intern({Kind::kBoth, nullable, 0, 0, std::move(flat)});
}

Regulars::Id Regulars::Not(Id a) {
  if (At(a).kind == Kind::kNot) return At(a).parts[0];
  if (a == kNothing) return AnyText();
  if (a == AnyText()) return kNothing;
  return Intern({Kind::kNot, !Nullable(a), 0, 0, {a}});
}

Regulars::Id Regulars::Repeat(Id a, int least, int most) {
  if (most == 0 || a == kEmpty) return kEmpty;
  if (a == kNothing) return least == 0 ? kEmpty : kNothing;
  if (least == 1 && most == 1) return a;
  if (Nullable(a)) least = 0;
  if (least == 0 && most == kNoLimit && At(a).kind == Kind::kRepeat && At(a).a <= 1 && At(a).b == kNoLimit) {
    return At(a).a == 0 ? a : Repeat(At(a).parts[0], 0, kNoLimit);  // (x*)* is x*
  }
  return Intern({Kind::kRepeat, least == 0, least, most, {a}});
}

Regulars::Id Regulars::Text(std::u32string_view text) {
  Id out = kEmpty;
  for (size_t i = text.size(); i-- > 0;) out = Then(Set(CharSet{{text[i], text[i]}}), out);
  return out;
}

Regulars::Id Regulars::Text(std::string_view utf8) { return Text(text::DecodeUtf8(utf8)); }

Regulars::Id Regulars::AnyText() { return any_; }

Regulars::Id Regulars::Modulo(int modulus, int remainder) {
  return Intern({Kind::kModulo, remainder == 0, modulus, remainder});
}

Regulars::Alphabet Regulars::AlphabetOf(Id root) const {
  std::vector<bool> seen(nodes_.size());
  std::vector<Id> todo = {root};
  std::vector<CharSet> sets;
  while (!todo.empty()) {
    const Id id = todo.back();
    todo.pop_back();
    if (seen[static_cast<size_t>(id)]) continue;
    seen[static_cast<size_t>(id)] = true;
    const Node& node = At(id);
    if (node.kind == Kind::kSet) sets.push_back(sets_[static_cast<size_t>(node.a)]);
    if (node.kind == Kind::kThen) {
      todo.push_back(node.a);
      todo.push_back(node.b);
    }
    if (node.kind == Kind::kModulo) {
      for (char32_t digit = '0'; digit <= '9'; ++digit) sets.push_back({{digit, digit}});
    }
    todo.insert(todo.end(), node.parts.begin(), node.parts.end());
  }
  sets.push_back(CharSet::All());
  // A sweep over all borders: an interval's signature is the list of the sets that hold it.
  std::map<char32_t, std::vector<int32_t>> borders;
  for (size_t i = 0; i < sets.size(); ++i) {
    for (CharRange r : sets[i].ranges()) {
      borders[r.first].push_back(static_cast<int32_t>(i));
      borders[r.last + 1].push_back(static_cast<int32_t>(i));
    }
  }
  Alphabet out;
  std::vector<int32_t> inside;  // sorted
  std::map<std::vector<int32_t>, int32_t> symbols;
  for (const auto& [start, toggled] : borders) {
    for (int32_t set : toggled) {
      const auto at = std::lower_bound(inside.begin(), inside.end(), set);
      if (at != inside.end() && *at == set) {
        inside.erase(at);
      } else {
        inside.insert(at, set);
      }
    }
    int32_t symbol = -1;
    if (!inside.empty()) {
      const auto [entry, fresh] = symbols.emplace(inside, static_cast<int32_t>(symbols.size()));
      if (fresh) out.examples.push_back(start);
      symbol = entry->second;
    }
    out.starts.push_back(start);
    out.symbols.push_back(symbol);
  }
  return out;
}

Regulars::Id Regulars::Derive(Id a, int32_t symbol, char32_t example, Memo* memo) {
  const Kind kind = At(a).kind;
  switch (kind) {
    case Kind::kNothing:
    case Kind::kEmpty: return kNothing;
    case Kind::kSet: return sets_[static_cast<size_t>(At(a).a)].Contains(example) ? kEmpty : kNothing;
    case Kind::kModulo:
      if (example < '0' || example > '9') return kNothing;
      return Modulo(At(a).a, static_cast<int>((At(a).b * int64_t{10} + static_cast<int64_t>(example - '0')) % At(a).a));
    default: break;
  }
  const uint64_t key = static_cast<uint64_t>(a) << 32 | static_cast<uint32_t>(symbol);
  if (const auto found = memo->find(key); found != memo->end()) return found->second;
  const auto derive = [&](Id part) { return Derive(part, symbol, example, memo); };
  Id out = kNothing;
  switch (kind) {  // nodes move while new ones are made: copies, no references
    case Kind::kThen: {
      const Id head = At(a).a, tail = At(a).b;
      out = Then(derive(head), tail);
      if (Nullable(head)) out = Either({out, derive(tail)});
      break;
    }
    case Kind::kEither:
    case Kind::kBoth: {
      std::vector<Id> parts = At(a).parts;
      for (Id& part : parts) part = derive(part);
      out = kind == Kind::kEither ? Either(std::move(parts)) : Both(std::move(parts));
      break;
    }
    case Kind::kNot: out = Not(derive(At(a).parts[0])); break;
    case Kind::kRepeat: {
      const Id body = At(a).parts[0];
      const int least = At(a).a, most = At(a).b;
      const Id rest = Repeat(body, std::max(least - 1, 0), most == kNoLimit ? kNoLimit : most - 1);
      out = Then(derive(body), rest);
      break;
    }
    default: break;
  }
  memo->emplace(key, out);
  return out;
}

}  // namespace atelier::runtime
