// Methods of Python's str, list, tuple, dict and range, and methods as values.
#include <algorithm>

#include "base/str.h"
#include "text/jinja/builtins.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"

namespace atelier::text::jinja {
namespace {

bool OneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

struct Bound final : Callable {
  Bound(Value s, std::string_view n) : self(std::move(s)), name(n) { Deepen(this, self); }
  Value Call(Renderer& r, Arguments arguments) override { return CallMethod(r, self, name, std::move(arguments)); }
  std::string Repr(Renderer&) const override {
    return Cat("<built-in method ", name, " of ", TypeName(self), " object>");
  }
  Value self;
  std::string name;
};

Value DictMethod(Renderer& r, const Value& self, std::string_view name, Arguments arguments) {
  if (name == "get") {
    const auto a = Bind("get", arguments, {"/key", "/default"}, 1);
    const Value* found = self.dict().Find(r, a[0]);
    if (found) return *found;
    return a[1].is(Kind::kMissing) ? Value::None() : a[1];
  }
  Bind(name, arguments, {});
  if (name == "copy") return self;  // nothing changes it
  auto view = std::make_shared<View>();
  view->part = name == "keys" ? View::kKeys : name == "values" ? View::kValues : View::kItems;
  view->of = self;
  Deepen(view.get(), self);
  return Value::Of(std::move(view));
}

Value SequenceMethod(Renderer& r, const Value& self, std::string_view name, Arguments arguments) {
  if (name == "copy") {
    Bind(name, arguments, {});
    return self;
  }
  const bool count = name == "count";
  const auto a = count ? Bind(name, arguments, {"/value"}, 1) : Bind(name, arguments, {"/value", "/start", "/stop"}, 1);
  const int64_t size = LengthOf(self);
  auto bound = [&](size_t i, int64_t otherwise) {
    if (a.size() <= i || a[i].is(Kind::kMissing)) return otherwise;
    const int64_t n = IntArgument(a[i], name);
    return std::clamp<int64_t>(n < 0 ? n + size : n, 0, size);
  };
  const int64_t from = bound(1, 0), to = bound(2, size);
  const std::vector<Value> items = r.ToVector(self);
  int64_t hits = 0;
  for (int64_t i = from; i < to; ++i) {
    if (!Equal(r, items[static_cast<size_t>(i)], a[0])) continue;
    if (!count) return Value::Int(i);
    ++hits;
  }
  if (!count) Fail(Cat(Repr(r, a[0]), " is not in the ", TypeName(self)));
  return Value::Int(hits);
}

}  // namespace

bool HasMethod(const Value& self, std::string_view name) {
  switch (self.kind()) {
    case Kind::kString: return IsStringMethod(name);
    case Kind::kDict: return OneOf(name, {"get", "items", "keys", "values", "copy"});
    case Kind::kList: return OneOf(name, {"index", "count", "copy"});
    case Kind::kTuple:
    case Kind::kRange: return OneOf(name, {"index", "count"});
    case Kind::kInt:
    case Kind::kBool: return OneOf(name, {"bit_length", "conjugate"});
    case Kind::kFloat: return OneOf(name, {"is_integer", "conjugate"});
    default: return false;
  }
}

Value CallMethod(Renderer& r, const Value& self, std::string_view name, Arguments arguments) {
  switch (self.kind()) {
    case Kind::kString: return CallStringMethod(r, self, name, std::move(arguments));
    case Kind::kDict: return DictMethod(r, self, name, std::move(arguments));
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange: return SequenceMethod(r, self, name, std::move(arguments));
    default: break;
  }
  Bind(name, arguments, {});
  if (name == "conjugate") return self.is(Kind::kBool) ? Value::Int(self.integer()) : self;
  if (name == "is_integer")
    return Value::Bool(self.number() == static_cast<double>(static_cast<long double>(self.number())) &&
                       Truth(Arithmetic(r, "%", self, Value::Int(1))) == false);
  uint64_t magnitude =
      self.integer() < 0 ? 0 - static_cast<uint64_t>(self.integer()) : static_cast<uint64_t>(self.integer());
  int64_t bits = 0;
  for (; magnitude; magnitude >>= 1) ++bits;
  return Value::Int(bits);
}

Value BoundMethod(const Value& self, std::string_view name) { return Value::Of(std::make_shared<Bound>(self, name)); }

std::vector<Value> Bind(std::string_view what, Arguments& arguments, std::initializer_list<std::string_view> names,
                        size_t required) {
  if (arguments.positional.size() > names.size()) Fail(Cat(what, " takes at most ", names.size(), " arguments"));
  std::vector<Value> bound(names.size(), Value::Missing());
  std::move(arguments.positional.begin(), arguments.positional.end(), bound.begin());
  for (auto& [name, value] : arguments.named) {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) Fail(Cat(what, " takes no argument named ", Quote(name, 30)));
    Value& slot = bound[static_cast<size_t>(it - names.begin())];
    if (!slot.is(Kind::kMissing)) Fail(Cat(what, " is given ", name, " twice"));
    slot = std::move(value);
  }
  for (size_t i = 0; i < required; ++i) {
    if (bound[i].is(Kind::kMissing))
      Fail(Cat(what, " needs at least ", required, required == 1 ? " argument" : " arguments"));
  }
  return bound;
}

int64_t IntArgument(const Value& value, std::string_view what) {
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (!value.is_integral()) Fail(Cat(what, " needs an integer, not ", TypeName(value)));
  return value.integer();
}

}  // namespace atelier::text::jinja
