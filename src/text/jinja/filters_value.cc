// Filters over single values: numbers, defaults, JSON.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/str.h"
#include "text/jinja/builtins.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/text_ops.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {
namespace {

Value Abs(Renderer& r, const Value& value, Arguments& a) {
  Bind("abs", a, {});
  if (value.is(Kind::kFloat)) return Value::Float(std::fabs(value.number()));
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (!value.is_integral()) Fail(Cat("abs needs a number, not ", TypeName(value)));
  return value.integer() < 0 ? Arithmetic(r, "-", Value::Int(0), value) : Value::Int(value.integer());
}

Value Attr(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("attr", a, {"name"}, 1);
  if (!b[0].is(Kind::kString)) Fail("attr needs an attribute's name");
  const std::string& name = b[0].text();
  if (value.is(Kind::kUndefined) || value.is(Kind::kNamespace) || value.is(Kind::kObject))
    return r.Attribute(value, name);
  // Attributes only: never the items of a mapping.
  if (value.is(Kind::kDict) && !HasMethod(value, name))
    return Value::Undefined(Cat("'dict' has no attribute ", Quote(name, 40)));
  return r.Attribute(value, name);
}

Value Default(Renderer&, const Value& value, Arguments& a) {
  const auto b = Bind("default", a, {"default_value", "boolean"});
  const bool falsy = !b[1].is(Kind::kMissing) && Truth(b[1]);
  if (!value.is(Kind::kUndefined) && (!falsy || Truth(value))) return value;
  return b[0].is(Kind::kMissing) ? Value::String("") : b[0];
}

// A text's digits without single underscores between them; nothing when one stands elsewhere.
std::optional<std::string> WithoutUnderscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    auto digit = [&](size_t j) { return j < text.size() && std::isxdigit(static_cast<unsigned char>(text[j])); };
    if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
  }
  return out;
}

// Decimal digits of any script as ASCII ones.
std::string AsciiDigits(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t from = i;
    const char32_t c = DecodeAt(text, &i);
    const int digit = c < 0x80 ? -1 : DigitValue(c);
    if (digit >= 0) {
      out += static_cast<char>('0' + digit);
    } else {
      out += text.substr(from, i - from);
    }
  }
  return out;
}

// int(text, base); nothing where Python raises ValueError.
std::optional<int64_t> TextToInt(const std::string& raw, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  std::string text = AsciiDigits(StripText(raw, false, "", true, true));
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.erase(0, 1);
  }
  if (text.size() > 2 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 32);
    const int64_t named = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (named && (base == 0 || base == named)) {
      base = named;
      text.erase(0, text[2] == '_' ? 3 : 2);
    }
  }
  if (base == 0) {
    if (text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string::npos) return std::nullopt;
    base = 10;
  }
  const std::optional<std::string> digits = WithoutUnderscores(text);
  if (!digits || digits->empty()) return std::nullopt;
  __int128 value = 0;
  bool large = false;
  for (char c : *digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'z' ? (c | 32) - 'a' + 10 : 99;
    if (digit >= base) return std::nullopt;
    if (!large) value = value * base + digit;
    large = large || value > (static_cast<__int128>(INT64_MAX) + 1);
  }
  if (negative) value = -value;
  if (large || value > INT64_MAX || value < INT64_MIN) Fail("an integer beyond 64 bits");
  return static_cast<int64_t>(value);
}

// float(text); nothing where Python raises ValueError.
std::optional<double> TextToFloat(const std::string& raw) {
  const std::string text = AsciiDigits(StripText(raw, false, "", true, true));
  const std::string lower = ToLowerAscii(text);
  const std::string_view bare = std::string_view(lower).substr(!lower.empty() && (lower[0] == '-' || lower[0] == '+'));
  const bool negative = !lower.empty() && lower[0] == '-';
  if (bare == "inf" || bare == "infinity") return negative ? -INFINITY : INFINITY;
  if (bare == "nan") return std::nan("");
  if (text.empty() || text.find_first_not_of("0123456789+-.eE_") != std::string::npos) return std::nullopt;
  const std::optional<std::string> plain = WithoutUnderscores(text);
  if (!plain) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(plain->c_str(), &end);
  if (end == plain->c_str() || *end != '\0') return std::nullopt;
  return value;
}

// int(number); nothing for what is not a number.
std::optional<int64_t> Whole(double number) {
  if (std::isnan(number)) return std::nullopt;
  if (std::isinf(number)) Fail("cannot convert infinity to an integer");
  const double whole = std::trunc(number);
  if (whole < -9223372036854775808.0 || whole >= 9223372036854775808.0) Fail("an integer beyond 64 bits");
  return static_cast<int64_t>(whole);
}

Value IntFilter(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("int", a, {"default", "base"});
  const Value otherwise = b[0].is(Kind::kMissing) ? Value::Int(0) : b[0];
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (value.is_integral()) return Value::Int(value.integer());
  std::optional<int64_t> number;
  if (value.is(Kind::kFloat)) {
    number = Whole(value.number());
  } else if (value.is(Kind::kString)) {
    r.Scan(value.text().size());
    number = TextToInt(value.text(), b[1].is(Kind::kMissing) ? 10 : IntArgument(b[1], "int"));
    if (!number) {
      const std::optional<double> real = TextToFloat(value.text());
      if (real && std::isinf(*real)) return otherwise;
      if (real) number = Whole(*real);
    }
  }
  return number ? Value::Int(*number) : otherwise;
}

Value FloatFilter(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("float", a, {"default"});
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (value.is_number()) return Value::Float(value.number());
  if (value.is(Kind::kString)) {
    r.Scan(value.text().size());
    if (const auto number = TextToFloat(value.text())) return Value::Float(*number);
  }
  return b[0].is(Kind::kMissing) ? Value::Float(0) : b[0];
}

Value RoundInt(Renderer& r, int64_t value, int64_t precision) {
  if (precision >= 0) return Value::Int(value);
  if (precision < -18) return Value::Int(0);
  int64_t unit = 1;
  for (; precision < 0; ++precision) unit *= 10;
  const Value rest = Arithmetic(r, "%", Value::Int(value), Value::Int(unit));
  const int64_t down = value - rest.integer();
  const __int128 twice = static_cast<__int128>(rest.integer()) * 2;
  const bool up = twice > unit || (twice == unit && (down / unit) % 2 != 0);
  return up ? Arithmetic(r, "+", Value::Int(down), Value::Int(unit)) : Value::Int(down);
}

Value Round(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("round", a, {"precision", "method"});
  const int64_t precision = b[0].is(Kind::kMissing) ? 0 : IntArgument(b[0], "round");
  const std::string method = b[1].is(Kind::kMissing) ? "common" : b[1].is(Kind::kString) ? b[1].text() : "";
  if (method != "common" && method != "ceil" && method != "floor") Fail("round: the method is common, ceil or floor");
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (!value.is_number()) Fail(Cat("round needs a number, not ", TypeName(value)));
  if (method != "common") {
    const Value unit = Arithmetic(r, "**", Value::Int(10), Value::Int(precision));
    const double scaled = Arithmetic(r, "*", value, unit).number();
    const auto whole = Whole(method == "ceil" ? std::ceil(scaled) : std::floor(scaled));
    if (!whole) Fail("cannot round what is not a number");
    return Arithmetic(r, "/", Value::Int(*whole), unit);
  }
  if (value.is_integral()) return RoundInt(r, value.integer(), precision);
  const double number = value.number();
  if (!std::isfinite(number) || precision > 330) return value;
  if (precision < -310) return Value::Float(std::copysign(0.0, number));
  if (precision >= 0) {
    char buffer[800];
    std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), number);  // exact, half to even
    return Value::Float(std::strtod(buffer, nullptr));
  }
  const double unit = std::pow(10.0, static_cast<double>(-precision));
  return Value::Float(std::nearbyint(number / unit) * unit);
}

Value FileSize(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("filesizeformat", a, {"binary"});
  const bool binary = !b[0].is(Kind::kMissing) && Truth(b[0]);
  double bytes = 0;
  if (value.is_number()) {
    bytes = value.number();
  } else if (value.is(Kind::kString) && TextToFloat(value.text())) {
    bytes = *TextToFloat(value.text());
  } else {
    Fail(value.is(Kind::kUndefined) ? value.why() : "filesizeformat needs a number");
  }
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return Value::String("1 Byte");
  if (bytes < base) {
    const auto whole = Whole(bytes);
    if (!whole) Fail("cannot show what is not a number");
    return r.Made(Cat(*whole, " Bytes"));
  }
  double unit = base * base;
  size_t i = 0;
  for (; i < 7 && !(bytes < unit); ++i) unit *= base;
  char buffer[400];
  std::snprintf(buffer, sizeof buffer, "%.1f %c%sB", base * bytes / unit, binary ? "KMGTPEZY"[i] : "kMGTPEZY"[i],
                binary ? "i" : "");
  return r.Made(buffer);
}

Value ToJson(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("tojson", a, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ascii = !b[0].is(Kind::kMissing) && Truth(b[0]);
  style.sort_keys = !b[3].is(Kind::kMissing) && Truth(b[3]);
  if (!b[1].is(Kind::kMissing) && !b[1].is(Kind::kNone)) {
    style.pretty = true;
    style.item_separator = ",";
    if (b[1].is(Kind::kString)) {
      style.indent = b[1].text();
    } else {
      const int64_t width = IntArgument(b[1], "tojson's indent");
      if (width > 1000) Fail("tojson's indent is beyond 1000");
      style.indent = std::string(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
    }
  }
  if (!b[2].is(Kind::kMissing) && !b[2].is(Kind::kNone)) {
    const std::vector<Value> parts = r.ToVector(b[2]);
    if (parts.size() != 2 || !parts[0].is(Kind::kString) || !parts[1].is(Kind::kString)) {
      Fail("tojson's separators are two texts");
    }
    style.item_separator = parts[0].text();
    style.key_separator = parts[1].text();
  }
  std::string out;
  AppendJson(r, &out, value, style);
  return r.Made(std::move(out));
}

Value PPrint(Renderer& r, const Value& value, Arguments& a) {
  Bind("pprint", a, {});
  return r.Made(Repr(r, value));
}

Value Urlize(Renderer&, const Value&, Arguments&) { Fail("the filter urlize is not supported"); }

}  // namespace

const std::vector<FilterEntry>& ValueFilters() {
  static const std::vector<FilterEntry> list = {
      {"abs", Abs},       {"attr", Attr},     {"default", Default},   {"d", Default},
      {"int", IntFilter}, {"round", Round},   {"float", FloatFilter}, {"filesizeformat", FileSize},
      {"tojson", ToJson}, {"pprint", PPrint}, {"urlize", Urlize},
  };
  return list;
}

}  // namespace atelier::text::jinja
