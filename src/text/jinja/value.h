// What a template computes with: Python's values as far as templates see them. A Value is small and copied freely;
// strings, lists and dicts are shared and never change once made (the sandbox forbids it), so only namespaces can form
// cycles, and the renderer breaks those at its end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/jinja/budget.h"

namespace atelier::text::jinja {

class Renderer;
class Value;

enum class Kind : uint8_t {
  kMissing,    // inside scopes only: declared, without a value yet
  kUndefined,  // jinja2's Undefined
  kNone,
  kBool,
  kInt,  // 64 bits; beyond them is an error
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kRange,
  kView,      // dict.keys(), .values(), .items()
  kIterator,  // what map, select, reverse ... give: walked once
  kNamespace,
  kObject,  // macros, methods, loop, cycler, joiner
};

struct Object {
  virtual ~Object() = default;
  // Containers within containers; limited, so that walking and freeing them needs little stack.
  int depth = 0;
};
inline constexpr int kMaxDepth = 250;

struct Str final : Object {
  explicit Str(std::string t, bool s = false) : text(std::move(t)), safe(s) {}
  const std::string text;  // UTF-8
  const bool safe;         // Markup: not escaped again
  int64_t Length() const;  // code points, counted once
  bool ascii() const { return Length() == static_cast<int64_t>(text.size()); }

 private:
  mutable int64_t length_ = -1;
};

struct Seq;
struct Dict;
struct Range;
struct View;
struct Namespace;
struct Iterator;
struct Callable;

class Value {
 public:
  Value() = default;  // undefined
  static Value None() { return Value(Kind::kNone); }
  static Value Missing() { return Value(Kind::kMissing); }
  static Value Undefined(std::string why);  // `why` is the message of the error that using it gives
  static Value Bool(bool b);
  static Value Int(int64_t i);
  static Value Float(double d);
  static Value String(std::string text, bool safe = false);
  static Value List(std::vector<Value> items);
  static Value Tuple(std::vector<Value> items);
  static Value Group(std::shared_ptr<Seq> pair);  // a row of groupby: a tuple with names
  static Value Of(std::shared_ptr<Dict> dict);
  static Value Of(std::shared_ptr<Namespace> ns);
  static Value Of(std::shared_ptr<Iterator> iterator);
  static Value Of(std::shared_ptr<Callable> callable);
  static Value Of(std::shared_ptr<Range> range);
  static Value Of(std::shared_ptr<View> view);
  // Numbers beyond 64 bits become floats.
  static Value FromJson(const Json& json);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  // Of an argument that may be left out.
  bool IsGiven() const { return kind_ != Kind::kMissing && kind_ != Kind::kNone; }
  bool is_number() const { return kind_ == Kind::kBool || kind_ == Kind::kInt || kind_ == Kind::kFloat; }
  bool is_integral() const { return kind_ == Kind::kBool || kind_ == Kind::kInt; }
  bool is_sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }
  bool is_safe() const { return kind_ == Kind::kString && str().safe; }

  // REQUIRES: the kind.
  bool boolean() const { return int_ != 0; }
  int64_t integer() const { return int_; }  // also of a bool
  double number() const { return kind_ == Kind::kFloat ? float_ : static_cast<double>(int_); }
  const Str& str() const { return static_cast<const Str&>(*object_); }
  const std::string& text() const { return str().text; }
  const std::vector<Value>& items() const;
  const Seq& seq() const;
  const Dict& dict() const;
  const Range& range() const;
  const View& view() const;
  Namespace& ns() const;
  Iterator& iterator() const;
  Callable& callable() const;
  const std::string& why() const;  // of kUndefined; never empty
  const Object* object() const { return object_.get(); }
  const std::shared_ptr<Object>& shared() const { return object_; }
  int depth() const { return object_ ? object_->depth : 0; }

 private:
  explicit Value(Kind kind) : kind_(kind), int_(0) {}
  Value(Kind kind, std::shared_ptr<Object> object) : kind_(kind), int_(0), object_(std::move(object)) {}
  Kind kind_ = Kind::kUndefined;
  union {
    int64_t int_ = 0;
    double float_;
  };
  std::shared_ptr<Object> object_;
};

struct Seq final : Object {
  std::vector<Value> items;
  bool group = false;  // a row of groupby: has .grouper and .list
};

// Insertion order, look-up by hash once it is worth it. Keys are hashable values.
struct Dict final : Object {
  std::vector<std::pair<Value, Value>> entries;
  const Value* Find(Budget& budget, const Value& key) const;
  const Value* Find(std::string_view key) const;
  void Set(Budget& budget, Value key, Value value);

 private:
  int64_t Position(Budget* budget, const Value& key, uint64_t hash) const;
  void Index() const;
  mutable std::unordered_multimap<uint64_t, uint32_t> index_;
  mutable bool indexed_ = false;
};

struct Range final : Object {
  int64_t start = 0, stop = 0, step = 1;
  int64_t size() const;
};

struct View final : Object {
  enum Part { kKeys, kValues, kItems } part = kKeys;
  Value of;
  Value At(size_t i) const;
};

struct Namespace final : Object {
  Dict attributes;
};

// Something walked once. Next returns false at the end.
struct Iterator : Object {
  virtual bool Next(Renderer& renderer, Value* out) = 0;
};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

struct Callable : Object, std::enable_shared_from_this<Callable> {
  virtual Value Call(Renderer& renderer, Arguments arguments) = 0;
  virtual bool callable() const { return true; }
  // Nothing (kMissing) when there is no such attribute.
  virtual Value Attribute(Renderer& renderer, std::string_view name);
  virtual std::string Repr(Renderer& renderer) const = 0;  // as it prints
};

// Throws kResourceExhausted when `inner` values would nest too deeply.
void Deepen(Object* outer, const Value& inner);

bool Truth(const Value& value);                              // bool(value)
bool Equal(Budget& budget, const Value& a, const Value& b);  // a == b
// -1, 0, 1; Fail for what Python does not order.
int Compare(Budget& budget, const Value& a, const Value& b, const char* op);
bool Hashable(const Value& value);
uint64_t Hash(Budget& budget, const Value& value);  // Fail when it is not hashable
const char* TypeName(const Value& value);           // as Python says it, for messages
// The number of items of what has len(); -1 otherwise.
int64_t LengthOf(const Value& value);

}  // namespace atelier::text::jinja
