#include "text/jinja/value.h"

#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {

void Fail(std::string message) { throw Error(Code::kInvalidInput, std::move(message)); }
void Exhausted(std::string message) { throw Error(Code::kResourceExhausted, std::move(message)); }

int64_t Str::Length() const {
  if (length_ < 0) length_ = CountPoints(text);
  return length_;
}

void Deepen(Object* outer, const Value& inner) {
  const int depth = inner.depth() + 1;
  if (depth > kMaxDepth) Exhausted(Cat("values nested beyond ", kMaxDepth, " levels"));
  outer->depth = std::max(outer->depth, depth);
}

Value Value::Undefined(std::string why) { return Value(Kind::kUndefined, std::make_shared<Str>(std::move(why))); }
Value Value::Bool(bool b) {
  Value v(Kind::kBool);
  v.int_ = b;
  return v;
}
Value Value::Int(int64_t i) {
  Value v(Kind::kInt);
  v.int_ = i;
  return v;
}
Value Value::Float(double d) {
  Value v(Kind::kFloat);
  v.float_ = d;
  return v;
}
Value Value::String(std::string text, bool safe) {
  return Value(Kind::kString, std::make_shared<Str>(std::move(text), safe));
}

namespace {
std::shared_ptr<Seq> MakeSeq(std::vector<Value> items) {
  auto seq = std::make_shared<Seq>();
  for (const Value& item : items) Deepen(seq.get(), item);
  seq->items = std::move(items);
  return seq;
}
}  // namespace

Value Value::List(std::vector<Value> items) { return Value(Kind::kList, MakeSeq(std::move(items))); }
Value Value::Tuple(std::vector<Value> items) { return Value(Kind::kTuple, MakeSeq(std::move(items))); }
Value Value::Group(std::shared_ptr<Seq> pair) { return Value(Kind::kTuple, std::move(pair)); }
Value Value::Of(std::shared_ptr<Dict> dict) { return Value(Kind::kDict, std::move(dict)); }
Value Value::Of(std::shared_ptr<Namespace> ns) { return Value(Kind::kNamespace, std::move(ns)); }
Value Value::Of(std::shared_ptr<Iterator> iterator) { return Value(Kind::kIterator, std::move(iterator)); }
Value Value::Of(std::shared_ptr<Callable> callable) { return Value(Kind::kObject, std::move(callable)); }
Value Value::Of(std::shared_ptr<Range> range) { return Value(Kind::kRange, std::move(range)); }
Value Value::Of(std::shared_ptr<View> view) { return Value(Kind::kView, std::move(view)); }

Value Value::FromJson(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean: return Bool(json.get<bool>());
    case Json::value_t::number_integer: return Int(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const uint64_t u = json.get<uint64_t>();
      return u > INT64_MAX ? Float(static_cast<double>(u)) : Int(static_cast<int64_t>(u));
    }
    case Json::value_t::number_float: return Float(json.get<double>());
    case Json::value_t::string: return String(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& item : json) items.push_back(FromJson(item));
      return List(std::move(items));
    }
    case Json::value_t::object: {
      auto dict = std::make_shared<Dict>();
      dict->entries.reserve(json.size());
      for (const auto& [key, item] : json.items()) {
        Value value = FromJson(item);
        Deepen(dict.get(), value);
        dict->entries.emplace_back(String(key), std::move(value));  // a Json object's keys differ already
      }
      return Of(std::move(dict));
    }
    default: return None();
  }
}

const std::vector<Value>& Value::items() const { return seq().items; }
const Seq& Value::seq() const { return static_cast<const Seq&>(*object_); }
const Dict& Value::dict() const { return static_cast<const Dict&>(*object_); }
const Range& Value::range() const { return static_cast<const Range&>(*object_); }
const View& Value::view() const { return static_cast<const View&>(*object_); }
Namespace& Value::ns() const { return static_cast<Namespace&>(*object_); }
Iterator& Value::iterator() const { return static_cast<Iterator&>(*object_); }
Callable& Value::callable() const { return static_cast<Callable&>(*object_); }
const std::string& Value::why() const {
  static const std::string unnamed = "an undefined value is used";
  return object_ ? str().text : unnamed;
}

int64_t Range::size() const {
  if (step > 0) return start < stop ? static_cast<int64_t>((static_cast<uint64_t>(stop) - start - 1) / step + 1) : 0;
  return start > stop
             ? static_cast<int64_t>((static_cast<uint64_t>(start) - stop - 1) / (0 - static_cast<uint64_t>(step)) + 1)
             : 0;
}

Value View::At(size_t i) const {
  const auto& [key, value] = of.dict().entries[i];
  if (part == kKeys) return key;
  if (part == kValues) return value;
  return Value::Tuple({key, value});
}

Value Callable::Attribute(Renderer&, std::string_view) { return Value::Missing(); }

bool Truth(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool:
    case Kind::kInt: return value.integer() != 0;
    case Kind::kFloat: return value.number() != 0;
    case Kind::kNamespace:
    case Kind::kIterator:
    case Kind::kObject: return true;
    default: return LengthOf(value) != 0;
  }
}

int64_t LengthOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return 0;
    case Kind::kString: return value.str().Length();
    case Kind::kList:
    case Kind::kTuple: return static_cast<int64_t>(value.items().size());
    case Kind::kDict: return static_cast<int64_t>(value.dict().entries.size());
    case Kind::kRange: return value.range().size();
    case Kind::kView: return static_cast<int64_t>(value.view().of.dict().entries.size());
    default: return -1;
  }
}

namespace {

int CompareNumbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    return a.integer() < b.integer() ? -1 : a.integer() > b.integer();
  }
  // An x87 long double holds every 64-bit integer and every double exactly.
  const long double x = a.is_integral() ? static_cast<long double>(a.integer()) : a.number();
  const long double y = b.is_integral() ? static_cast<long double>(b.integer()) : b.number();
  if (std::isnan(x) || std::isnan(y)) return 2;  // neither less nor equal nor greater
  return x < y ? -1 : x > y;
}

bool EqualSets(Budget& budget, const View& a, const View& b) {
  if (a.of.dict().entries.size() != b.of.dict().entries.size()) return false;
  for (const auto& [key, value] : a.of.dict().entries) {
    const Value* other = b.of.dict().Find(budget, key);
    if (other == nullptr || (a.part == View::kItems && !Equal(budget, value, *other))) return false;
  }
  return true;
}

}  // namespace

bool Equal(Budget& budget, const Value& a, const Value& b) {
  budget.Step();
  if (a.is_number() && b.is_number()) return CompareNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone: return true;
    case Kind::kString:
      if (a.object() == b.object()) return true;
      if (a.text().size() != b.text().size()) return false;
      budget.Scan(a.text().size());
      return a.text() == b.text();
    case Kind::kList:
    case Kind::kTuple: {
      if (a.items().size() != b.items().size()) return false;
      for (size_t i = 0; i < a.items().size(); ++i) {
        if (!Equal(budget, a.items()[i], b.items()[i])) return false;
      }
      return true;
    }
    case Kind::kDict: {
      if (a.dict().entries.size() != b.dict().entries.size()) return false;
      for (const auto& [key, value] : a.dict().entries) {
        const Value* other = b.dict().Find(budget, key);
        if (other == nullptr || !Equal(budget, value, *other)) return false;
      }
      return true;
    }
    case Kind::kRange: {
      const Range &x = a.range(), &y = b.range();
      if (x.size() != y.size()) return false;
      return x.size() == 0 || (x.start == y.start && (x.size() == 1 || x.step == y.step));
    }
    case Kind::kView:
      if (a.object() == b.object()) return true;
      if (a.view().part == View::kValues || b.view().part == View::kValues) return false;
      if (a.view().part != b.view().part) return LengthOf(a) == 0 && LengthOf(b) == 0;
      return EqualSets(budget, a.view(), b.view());
    default: return a.object() == b.object();
  }
}

int Compare(Budget& budget, const Value& a, const Value& b, const char* op) {
  budget.Step();
  if (a.is_number() && b.is_number()) return CompareNumbers(a, b);
  if (a.is(Kind::kUndefined)) Fail(a.why());
  if (b.is(Kind::kUndefined)) Fail(b.why());
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    budget.Scan(std::min(a.text().size(), b.text().size()));
    const int order = a.text().compare(b.text());  // UTF-8 sorts as its code points do
    return order < 0 ? -1 : order > 0;
  }
  if (a.is_sequence() && a.kind() == b.kind()) {
    const auto &x = a.items(), &y = b.items();
    for (size_t i = 0; i < x.size() && i < y.size(); ++i) {
      if (!Equal(budget, x[i], y[i])) return Compare(budget, x[i], y[i], op);
    }
    return x.size() < y.size() ? -1 : x.size() > y.size();
  }
  Fail(Cat("'", op, "' not supported between instances of '", TypeName(a), "' and '", TypeName(b), "'"));
}

bool Hashable(const Value& value) {
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kDict:
    case Kind::kView: return value.is(Kind::kView) && value.view().part == View::kValues;
    case Kind::kTuple:
      for (const Value& item : value.items()) {
        if (!Hashable(item)) return false;
      }
      return true;
    default: return true;
  }
}

uint64_t Hash(Budget& budget, const Value& value) {
  budget.Step();
  switch (value.kind()) {
    case Kind::kBool:
    case Kind::kInt: return static_cast<uint64_t>(value.integer()) * 0x9E3779B97F4A7C15u;
    case Kind::kFloat: {
      const double d = value.number();
      if (d >= -9.2e18 && d <= 9.2e18 && d == std::floor(d)) return Hash(budget, Value::Int(static_cast<int64_t>(d)));
      return Hash64(std::string_view(reinterpret_cast<const char*>(&d), sizeof d));
    }
    case Kind::kString: return Hash64(value.text());
    case Kind::kTuple: {
      uint64_t hash = 7;
      for (const Value& item : value.items()) hash = hash * 0x100000001B3u + Hash(budget, item);
      return hash;
    }
    case Kind::kList:
    case Kind::kDict: Fail(Cat("unhashable type: '", TypeName(value), "'"));
    case Kind::kView:
      if (value.view().part != View::kValues) Fail(Cat("unhashable type: '", TypeName(value), "'"));
      return reinterpret_cast<uintptr_t>(value.object());
    case Kind::kRange: return static_cast<uint64_t>(value.range().size());
    case Kind::kMissing:
    case Kind::kUndefined: return 3;
    case Kind::kNone: return 5;
    default: return reinterpret_cast<uintptr_t>(value.object());
  }
}

int64_t Dict::Position(Budget* budget, const Value& key, uint64_t hash) const {
  Budget unlimited(UINT64_MAX, 1);
  Budget& spend = budget ? *budget : unlimited;
  if (entries.size() <= 8) {
    for (size_t i = 0; i < entries.size(); ++i) {
      if (Equal(spend, entries[i].first, key)) return static_cast<int64_t>(i);
    }
    return -1;
  }
  if (!indexed_) Index();
  const auto [first, last] = index_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (Equal(spend, entries[it->second].first, key)) return it->second;
  }
  return -1;
}

void Dict::Index() const {
  Budget unlimited(UINT64_MAX, 1);
  index_.reserve(entries.size() * 2);
  for (size_t i = 0; i < entries.size(); ++i) index_.emplace(Hash(unlimited, entries[i].first), i);
  indexed_ = true;
}

const Value* Dict::Find(Budget& budget, const Value& key) const {
  const int64_t i = Position(&budget, key, Hash(budget, key));
  return i < 0 ? nullptr : &entries[i].second;
}

const Value* Dict::Find(std::string_view key) const {
  if (entries.size() <= 8) {
    for (const auto& [k, value] : entries) {
      if (k.is(Kind::kString) && k.text() == key) return &value;
    }
    return nullptr;
  }
  if (!indexed_) Index();
  const auto [first, last] = index_.equal_range(Hash64(key));
  for (auto it = first; it != last; ++it) {
    const auto& [k, value] = entries[it->second];
    if (k.is(Kind::kString) && k.text() == key) return &value;
  }
  return nullptr;
}

void Dict::Set(Budget& budget, Value key, Value value) {
  Deepen(this, key);
  Deepen(this, value);
  const uint64_t hash = Hash(budget, key);
  const int64_t i = Position(&budget, key, hash);
  if (i >= 0) {
    entries[i].second = std::move(value);
    return;
  }
  budget.Make(sizeof(entries[0]));
  entries.emplace_back(std::move(key), std::move(value));
  if (indexed_) index_.emplace(hash, entries.size() - 1);
}

const char* TypeName(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: return "Undefined";
    case Kind::kNone: return "NoneType";
    case Kind::kBool: return "bool";
    case Kind::kInt: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return "str";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kDict: return "dict";
    case Kind::kRange: return "range";
    case Kind::kView: return "dict view";
    case Kind::kIterator: return "generator";
    case Kind::kNamespace: return "Namespace";
    case Kind::kObject: return "function";
  }
  return "object";
}

}  // namespace atelier::text::jinja
