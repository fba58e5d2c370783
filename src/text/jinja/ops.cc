// Operators and subscripts, as Python and jinja2's sandbox define them.
#include <cmath>

#include "base/str.h"
#include "text/jinja/format.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {
namespace {

[[noreturn]] void TooLarge() { Fail("an integer beyond 64 bits"); }

[[noreturn]] void Unsupported(std::string_view op, const Value& a, const Value& b) {
  if (a.is(Kind::kUndefined)) Fail(a.why());
  if (b.is(Kind::kUndefined)) Fail(b.why());
  Fail(Cat("unsupported operand types for ", op, ": '", TypeName(a), "' and '", TypeName(b), "'"));
}

Value IntegerPower(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) Fail("0 cannot be raised to a negative power");
    return Value::Float(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  while (true) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result)) TooLarge();
    exponent >>= 1;
    if (exponent == 0) return Value::Int(result);
    if (__builtin_mul_overflow(base, base, &base)) TooLarge();
  }
}

Value Integers(std::string_view op, int64_t x, int64_t y) {
  int64_t result = 0;
  if (op == "+") {
    if (__builtin_add_overflow(x, y, &result)) TooLarge();
  } else if (op == "-") {
    if (__builtin_sub_overflow(x, y, &result)) TooLarge();
  } else if (op == "*") {
    if (__builtin_mul_overflow(x, y, &result)) TooLarge();
  } else if (op == "**") {
    return IntegerPower(x, y);
  } else {
    if (y == 0) Fail("division by zero");
    if (op == "/") return Value::Float(static_cast<double>(static_cast<long double>(x) / y));
    if (y == -1) {  // the one case where the quotient may overflow
      if (op == "%") return Value::Int(0);
      if (__builtin_sub_overflow(int64_t{0}, x, &result)) TooLarge();
      return Value::Int(result);
    }
    const int64_t quotient = x / y, rest = x % y;
    const bool down = rest != 0 && (rest < 0) != (y < 0);  // Python rounds towards minus infinity
    result = op == "%" ? rest + (down ? y : 0) : quotient - (down ? 1 : 0);
  }
  return Value::Int(result);
}

Value Floats(std::string_view op, double x, double y) {
  if (op == "+") return Value::Float(x + y);
  if (op == "-") return Value::Float(x - y);
  if (op == "*") return Value::Float(x * y);
  if (op == "**") {
    if (x == 0 && y < 0) Fail("0.0 cannot be raised to a negative power");
    if (x < 0 && std::isfinite(x) && std::isfinite(y) && y != std::floor(y)) Fail("a power that is a complex number");
    const double result = std::pow(x, y);
    if (std::isinf(result) && std::isfinite(x) && std::isfinite(y)) Fail("a power that is too large");
    return Value::Float(result);
  }
  if (y == 0) Fail("division by zero");
  if (op == "/") return Value::Float(x / y);
  double rest = std::fmod(x, y);
  double quotient = (x - rest) / y;
  if (rest != 0) {
    if ((rest < 0) != (y < 0)) {
      rest += y;
      quotient -= 1;
    }
  } else {
    rest = std::copysign(0.0, y);
  }
  if (op == "%") return Value::Float(rest);
  if (quotient == 0) return Value::Float(std::copysign(0.0, x / y));
  double whole = std::floor(quotient);
  if (quotient - whole > 0.5) whole += 1;
  return Value::Float(whole);
}

Value Repeat(Renderer& r, const Value& what, int64_t times) {
  const uint64_t count = times > 0 ? static_cast<uint64_t>(times) : 0;
  if (what.is(Kind::kString)) {
    const std::string& text = what.text();
    if (text.size() != 0 && count > r.max_bytes() / text.size()) r.Make(r.max_bytes() + 1);
    r.Make(text.size() * count);
    std::string out;
    out.reserve(text.size() * count);
    for (uint64_t i = 0; i < count && !text.empty(); ++i) out += text;
    return Value::String(std::move(out), what.is_safe());
  }
  const std::vector<Value>& items = what.items();
  const uint64_t bytes = items.size() * sizeof(Value);
  if (bytes != 0 && count > r.max_bytes() / bytes) r.Make(r.max_bytes() + 1);
  r.Make(bytes * count);
  std::vector<Value> out;
  out.reserve(items.size() * count);
  for (uint64_t i = 0; i < count && !items.empty(); ++i) out.insert(out.end(), items.begin(), items.end());
  return what.is(Kind::kList) ? Value::List(std::move(out)) : Value::Tuple(std::move(out));
}

}  // namespace

Value Arithmetic(Renderer& r, std::string_view op, const Value& a, const Value& b) {
  if (op == "%" && a.is(Kind::kString)) return FormatPercent(r, a, b);
  if (a.is_number() && b.is_number()) {
    if (a.is_integral() && b.is_integral()) return Integers(op, a.integer(), b.integer());
    return Floats(op, a.number(), b.number());
  }
  const bool repeatable_a = a.is(Kind::kString) || a.is_sequence(),
             repeatable_b = b.is(Kind::kString) || b.is_sequence();
  if (op == "*" && repeatable_a && b.is_integral()) return Repeat(r, a, b.integer());
  if (op == "*" && repeatable_b && a.is_integral()) return Repeat(r, b, a.integer());
  if (op == "+" && a.is(Kind::kString) && b.is(Kind::kString)) {
    r.Make(a.text().size() + b.text().size());
    if (!a.is_safe() && !b.is_safe()) return Value::String(a.text() + b.text());
    const std::string x = a.is_safe() ? a.text() : Escaped(a.text()), y = b.is_safe() ? b.text() : Escaped(b.text());
    return Value::String(x + y, true);
  }
  if (op == "+" && a.is_sequence() && a.kind() == b.kind()) {
    r.Make((a.items().size() + b.items().size()) * sizeof(Value));
    std::vector<Value> out = a.items();
    out.insert(out.end(), b.items().begin(), b.items().end());
    return a.is(Kind::kList) ? Value::List(std::move(out)) : Value::Tuple(std::move(out));
  }
  Unsupported(op, a, b);
}

bool Contains(Renderer& r, const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::kString:
      if (!item.is(Kind::kString)) Fail(Cat("'in <string>' requires a string, not ", TypeName(item)));
      r.Scan(container.text().size());
      return FindText(container.text(), item.text()) != std::string::npos;
    case Kind::kDict: return container.dict().Find(r, item) != nullptr;
    case Kind::kRange: {
      if (!item.is_integral()) break;
      const Range& range = container.range();
      const int64_t i = item.integer();
      const bool within = range.step > 0 ? i >= range.start && i < range.stop : i <= range.start && i > range.stop;
      return within && (static_cast<__int128>(i) - range.start) % range.step == 0;
    }
    case Kind::kView:
      if (container.view().part == View::kKeys) return container.view().of.dict().Find(r, item) != nullptr;
      break;
    default: break;
  }
  const std::shared_ptr<Iterator> iterator = r.Iterate(container);
  Value candidate;
  while (r.Next(*iterator, &candidate)) {
    if (candidate.shared() && candidate.shared() == item.shared()) return true;
    if (Equal(r, candidate, item)) return true;
  }
  return false;
}

Value Renderer::Attribute(const Value& object, std::string_view name) {
  switch (object.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
      if (name.substr(0, 2) == "__")
        return Value::Undefined(Cat("an internal attribute is refused: ", Quote(name, 30)));
      Fail(object.why());
    case Kind::kNamespace: {
      const Value* found = object.ns().attributes.Find(name);
      if (found && name.substr(0, 1) != "_") return *found;
      break;
    }
    case Kind::kObject: {
      Value found = object.callable().Attribute(*this, name);
      if (!found.is(Kind::kMissing)) return found;
      break;
    }
    case Kind::kTuple:
      if (object.seq().group && name == "grouper") return object.items()[0];
      if (object.seq().group && name == "list") return object.items()[1];
      [[fallthrough]];
    default:
      if (HasMethod(object, name)) return BoundMethod(object, name);
      if (object.is(Kind::kRange)) {
        if (name == "start") return Value::Int(object.range().start);
        if (name == "stop") return Value::Int(object.range().stop);
        if (name == "step") return Value::Int(object.range().step);
      }
      if (object.is_integral() && (name == "real" || name == "numerator")) return Value::Int(object.integer());
      if (object.is_integral() && (name == "imag" || name == "denominator")) return Value::Int(name == "denominator");
      if (object.is(Kind::kFloat) && name == "real") return object;
      if (object.is(Kind::kFloat) && name == "imag") return Value::Float(0);
  }
  if (object.is(Kind::kDict)) {
    const Value* found = object.dict().Find(name);
    if (found) return *found;
  }
  return Value::Undefined(Cat("'", TypeName(object), "' has no attribute ", Quote(name, 40)));
}

Value Renderer::Item(const Value& object, const Value& key) {
  switch (object.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: Fail(object.why());
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange: {
      if (!key.is_integral()) break;
      const int64_t size = LengthOf(object);
      const int64_t i = key.integer() < 0 ? key.integer() + size : key.integer();
      if (i < 0 || i >= size) return Value::Undefined(Cat("'", TypeName(object), "' has no element ", key.integer()));
      if (object.is_sequence()) return object.items()[static_cast<size_t>(i)];
      if (object.is(Kind::kRange)) return Value::Int(object.range().start + i * object.range().step);
      const Str& str = object.str();
      if (str.ascii()) return Value::String(std::string(1, str.text[static_cast<size_t>(i)]), str.safe);
      Scan(str.text.size());
      const size_t at = OffsetOf(str.text, i);
      size_t end = at;
      DecodeAt(str.text, &end);
      return Value::String(str.text.substr(at, end - at), str.safe);
    }
    case Kind::kDict: {
      if (!Hashable(key)) break;
      const Value* found = object.dict().Find(*this, key);
      if (found) return *found;
      break;
    }
    default: break;
  }
  if (key.is(Kind::kString)) {
    if (!object.is(Kind::kDict)) return Attribute(object, key.text());
    if (HasMethod(object, key.text())) return BoundMethod(object, key.text());
    return Value::Undefined(Cat("'dict' has no attribute ", Quote(key.text(), 40)));
  }
  return Value::Undefined(Cat("'", TypeName(object), "' has no such element"));
}

Value Renderer::Slice(const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is(Kind::kUndefined)) Fail(object.why());
  if (!object.is(Kind::kString) && !object.is_sequence() && !object.is(Kind::kRange)) {
    Fail(Cat("'", TypeName(object), "' cannot be sliced"));
  }
  for (const Value* bound : {&start, &stop, &step}) {
    if (bound->is(Kind::kUndefined)) Fail(bound->why());
    if (!bound->is(Kind::kNone) && !bound->is_integral()) Fail("a slice's bounds must be integers or none");
  }
  const int64_t by = step.is(Kind::kNone) ? 1 : step.integer();
  if (by == 0) Fail("a slice's step cannot be zero");
  const int64_t size = LengthOf(object);
  auto clamp = [&](const Value& bound, int64_t otherwise) {
    if (bound.is(Kind::kNone)) return otherwise;
    int64_t i = bound.integer();
    if (i < 0) i = i < -size ? -1 : i + size;
    if (by > 0) return std::min(std::max<int64_t>(i, 0), size);
    return std::min(std::max<int64_t>(i, -1), size - 1);
  };
  const int64_t from = clamp(start, by > 0 ? 0 : size - 1), to = clamp(stop, by > 0 ? size : -1);
  Range range;
  range.start = from, range.stop = to, range.step = by;
  const int64_t count = range.size();
  if (object.is(Kind::kRange)) {
    auto out = std::make_shared<Range>();
    const Range& of = object.range();
    out->start = of.start + from * of.step;
    out->stop = of.start + to * of.step;
    out->step = count > 1 ? of.step * by : of.step;
    return Value::Of(std::move(out));
  }
  if (object.is_sequence()) {
    Make(static_cast<uint64_t>(count) * sizeof(Value));
    std::vector<Value> out;
    for (int64_t i = 0; i < count; ++i) out.push_back(object.items()[static_cast<size_t>(from + i * by)]);
    return object.is(Kind::kList) ? Value::List(std::move(out)) : Value::Tuple(std::move(out));
  }
  const Str& str = object.str();
  Scan(str.text.size());
  if (count == 0) return Value::String("", str.safe);
  if (by == 1) {
    const size_t a = str.ascii() ? static_cast<size_t>(from) : OffsetOf(str.text, from);
    const size_t length =
        str.ascii() ? static_cast<size_t>(count) : OffsetOf(std::string_view(str.text).substr(a), count);
    return Made(str.text.substr(a, length), str.safe);
  }
  std::vector<std::string_view> points;
  points.reserve(static_cast<size_t>(size));
  Make(static_cast<uint64_t>(size) * 8);
  for (size_t i = 0; i < str.text.size();) {
    const size_t at = i;
    DecodeAt(str.text, &i);
    points.push_back(std::string_view(str.text).substr(at, i - at));
  }
  std::string out;
  for (int64_t i = 0; i < count; ++i) out += points[static_cast<size_t>(from + i * by)];
  return Made(std::move(out), str.safe);
}

Value Renderer::Call(const Value& function, Arguments arguments) {
  if (function.is(Kind::kUndefined)) Fail(function.why());
  if (!function.is(Kind::kObject) || !function.callable().callable()) {
    Fail(Cat("'", TypeName(function), "' cannot be called"));
  }
  const std::shared_ptr<Object> alive = function.shared();
  return static_cast<Callable&>(*alive).Call(*this, std::move(arguments));
}

}  // namespace atelier::text::jinja
