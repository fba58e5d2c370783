// Filters over sequences and mappings that give whole values.
#include <algorithm>

#include "base/str.h"
#include "text/jinja/builtins.h"
#include "text/jinja/paths.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"

namespace atelier::text::jinja {
namespace {

Value First(Renderer& r, const Value& value, Arguments& a) {
  Bind("first", a, {});
  Value item;
  const auto iterator = r.Iterate(value);
  return r.Next(*iterator, &item) ? item : Value::Undefined("no first item, the sequence was empty");
}

Value Last(Renderer& r, const Value& value, Arguments& a) {
  Bind("last", a, {});
  if (value.is(Kind::kIterator)) Fail("a generator cannot be walked backwards; make it a list first");
  if (value.is(Kind::kString) && !value.text().empty()) return r.Item(value, Value::Int(-1));
  const std::vector<Value> items = r.ToVector(value);
  return items.empty() ? Value::Undefined("no last item, the sequence was empty") : items.back();
}

Value Length(Renderer&, const Value& value, Arguments& a) {
  Bind("length", a, {});
  const int64_t length = LengthOf(value);
  if (length < 0) Fail(Cat("a value of type ", TypeName(value), " has no length"));
  return Value::Int(length);
}

Value ListOf(Renderer& r, const Value& value, Arguments& a) {
  Bind("list", a, {});
  return Value::List(r.ToVector(value));
}

Value Join(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("join", a, {"d", "attribute"});
  const Path path(r, b[1].is(Kind::kMissing) || b[1].is(Kind::kNone) ? Value::None() : b[1]);
  std::vector<Value> items;
  bool safe = false;
  for (const Value& item : r.ToVector(value)) {
    items.push_back(path.Of(r, item));
    safe = safe || (r.autoescape() && items.back().is_safe());
  }
  const bool safe_glue = r.autoescape() && b[0].is_safe();
  safe = safe || safe_glue;
  std::string glue = b[0].is(Kind::kMissing) ? "" : ToStr(r, b[0]);
  if (safe && !safe_glue) glue = Escaped(glue);
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i) out += glue;
    if (items[i].is(Kind::kString) && out.size() + items[i].text().size() > r.max_bytes()) r.Make(r.max_bytes() + 1);
    if (safe && !items[i].is_safe()) {
      out += Escaped(ToStr(r, items[i]));
    } else {
      AppendText(r, &out, items[i]);
    }
    if (out.size() > r.max_bytes()) r.Make(out.size());
  }
  return r.Made(std::move(out), safe);
}

Value Reverse(Renderer& r, const Value& value, Arguments& a) {
  Bind("reverse", a, {});
  if (value.is(Kind::kString)) return r.Slice(value, Value::None(), Value::None(), Value::Int(-1));
  std::vector<Value> items = r.ToVector(value);
  std::reverse(items.begin(), items.end());
  const bool lazy = !value.is(Kind::kIterator);  // that becomes a list
  Value list = Value::List(std::move(items));
  return lazy ? Value::Of(r.Iterate(list)) : list;
}

// Stable, and -1 only where Python's < holds.
template <typename Key>
void SortBy(Renderer& r, std::vector<std::pair<Value, Value>>* keyed, bool reverse, Key key) {
  std::vector<std::pair<Value, Value>>& items = *keyed;
  for (auto& item : items) item.first = key(item.second);
  auto less = [&](const auto& x, const auto& y) { return Compare(r, x.first, y.first, "<") == -1; };
  // Python sorts the reversed list and reverses the result, which keeps equal items in their order.
  if (reverse) std::reverse(items.begin(), items.end());
  std::stable_sort(items.begin(), items.end(), less);
  if (reverse) std::reverse(items.begin(), items.end());
}

std::vector<std::pair<Value, Value>> Keyed(const std::vector<Value>& values) {
  std::vector<std::pair<Value, Value>> keyed;
  keyed.reserve(values.size());
  for (const Value& value : values) keyed.emplace_back(Value(), value);
  return keyed;
}

// Python's sorted takes an integer for `reverse`.
bool Reversed(const Value& value) { return !value.is(Kind::kMissing) && IntArgument(value, "reverse") != 0; }
bool IsTrue(const Value& value) { return !value.is(Kind::kMissing) && Truth(value); }

Value Sort(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("sort", a, {"reverse", "case_sensitive", "attribute"});
  std::vector<Path> paths;
  if (b[2].is(Kind::kString)) {
    for (const std::string& part : Split(b[2].text(), ',')) paths.emplace_back(r, Value::String(part));
  } else {
    paths.emplace_back(r, b[2].is(Kind::kMissing) ? Value::None() : b[2]);
  }
  const bool sensitive = IsTrue(b[1]);
  auto keyed = Keyed(r.ToVector(value));
  SortBy(r, &keyed, Reversed(b[0]), [&](const Value& item) {
    std::vector<Value> keys;
    for (const Path& path : paths) keys.push_back(sensitive ? path.Of(r, item) : Folded(r, path.Of(r, item)));
    return Value::List(std::move(keys));
  });
  std::vector<Value> out;
  for (auto& [key, item] : keyed) out.push_back(std::move(item));
  return Value::List(std::move(out));
}

Value DictSort(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("dictsort", a, {"case_sensitive", "by", "reverse"});
  std::string by = "key";
  if (!b[1].is(Kind::kMissing)) by = b[1].is(Kind::kString) ? b[1].text() : "";
  if (by != "key" && by != "value") Fail("dictsort sorts by \"key\" or \"value\"");
  if (!value.is(Kind::kDict)) Fail(Cat("dictsort needs a mapping, not ", TypeName(value)));
  std::vector<Value> pairs;
  r.Make(value.dict().entries.size() * 2 * sizeof(Value));
  for (const auto& [key, item] : value.dict().entries) pairs.push_back(Value::Tuple({key, item}));
  auto keyed = Keyed(pairs);
  SortBy(r, &keyed, Reversed(b[2]), [&](const Value& pair) {
    const Value& part = pair.items()[by == "key" ? 0 : 1];
    return IsTrue(b[0]) ? part : Folded(r, part);
  });
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = std::move(keyed[i].second);
  return Value::List(std::move(pairs));
}

Value GroupBy(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("groupby", a, {"attribute", "default", "case_sensitive"}, 1);
  const Path path(r, b[0], b[1].is(Kind::kMissing) ? Value::None() : b[1]);
  const bool sensitive = IsTrue(b[2]);
  auto keyed = Keyed(r.ToVector(value));
  SortBy(r, &keyed, false,
         [&](const Value& item) { return sensitive ? path.Of(r, item) : Folded(r, path.Of(r, item)); });
  std::vector<Value> groups;
  for (size_t i = 0; i < keyed.size();) {
    const size_t from = i;
    std::vector<Value> members;
    for (; i < keyed.size() && Equal(r, keyed[from].first, keyed[i].first); ++i) members.push_back(keyed[i].second);
    auto group = std::make_shared<Seq>();
    Value shown = sensitive ? keyed[from].first : path.Of(r, keyed[from].second);
    r.Make((members.size() + 4) * sizeof(Value));
    group->items = {std::move(shown), Value::List(std::move(members))};
    group->group = true;
    for (const Value& item : group->items) Deepen(group.get(), item);
    groups.push_back(Value::Group(std::move(group)));
  }
  return Value::List(std::move(groups));
}

Value Extreme(Renderer& r, const Value& value, Arguments& a, bool most) {
  const auto b = Bind(most ? "max" : "min", a, {"case_sensitive", "attribute"});
  const Path path(r, b[1].is(Kind::kMissing) ? Value::None() : b[1]);
  const bool sensitive = IsTrue(b[0]);
  Value best, best_key;
  bool any = false;
  const auto iterator = r.Iterate(value);
  Value item;
  while (r.Next(*iterator, &item)) {
    Value key = path.Of(r, item);
    if (!sensitive) key = Folded(r, key);
    if (!any || (most ? Compare(r, key, best_key, ">") == 1 : Compare(r, key, best_key, "<") == -1)) {
      best = item;
      best_key = std::move(key);
    }
    any = true;
  }
  return any ? best : Value::Undefined("no aggregated item, the sequence was empty");
}
Value Min(Renderer& r, const Value& value, Arguments& a) { return Extreme(r, value, a, false); }
Value Max(Renderer& r, const Value& value, Arguments& a) { return Extreme(r, value, a, true); }

Value Sum(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("sum", a, {"attribute", "start"});
  const Path path(r, b[0].is(Kind::kMissing) ? Value::None() : b[0]);
  Value total = b[1].is(Kind::kMissing) ? Value::Int(0) : b[1];
  if (total.is(Kind::kString)) Fail("sum cannot add texts; use join");
  const auto iterator = r.Iterate(value);
  Value item;
  while (r.Next(*iterator, &item)) total = Arithmetic(r, "+", total, path.Of(r, item));
  return total;
}

Value Random(Renderer&, const Value&, Arguments&) {
  Fail("the filter random is refused: a rendering must be repeatable");
}

}  // namespace

const std::vector<FilterEntry>& ListFilters() {
  static const std::vector<FilterEntry> list = {
      {"first", First}, {"last", Last},         {"length", Length},   {"count", Length},  {"list", ListOf},
      {"join", Join},   {"reverse", Reverse},   {"sort", Sort},       {"min", Min},       {"max", Max},
      {"sum", Sum},     {"dictsort", DictSort}, {"groupby", GroupBy}, {"random", Random},
  };
  return list;
}

}  // namespace atelier::text::jinja
