#include "text/jinja/format.h"

#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/str.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {
namespace {

constexpr int64_t kMaxWidth = 100000;
constexpr int64_t kMaxPrecision = 400;

// One conversion, whichever syntax it came from.
struct Spec {
  std::string fill = " ";
  char align = 0;  // < > ^ =
  char sign = '-';
  bool alternate = false, zero = false;
  int64_t width = 0, precision = -1;
  char grouping = 0;
  char type = 0;
};

int64_t Digits(std::string_view text, size_t* i, int64_t most) {
  int64_t value = 0;
  for (; *i < text.size() && text[*i] >= '0' && text[*i] <= '9'; ++*i) {
    value = value * 10 + (text[*i] - '0');
    if (value > most) Fail(Cat("a width or precision beyond ", most, " in a format"));
  }
  return value;
}

char32_t PointOf(const Value& value, std::string_view what) {
  const int64_t point = IntArgument(value, what);
  if (point < 0 || point > 0x10FFFF) Fail(Cat(what, " needs a code point"));
  return static_cast<char32_t>(point);
}

std::string Pad(const Spec& spec, const std::string& sign, const std::string& body, char default_align) {
  const char align = spec.align ? spec.align : spec.zero ? '=' : default_align;
  const std::string fill = spec.align || !spec.zero ? spec.fill : "0";
  const int64_t missing = spec.width - CountPoints(sign) - CountPoints(body);
  if (missing <= 0) return sign + body;
  const int64_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::string left, right;
  for (int64_t i = 0; i < before; ++i) left += fill;
  for (int64_t i = before; i < missing; ++i) right += fill;
  return align == '=' ? sign + left + body : left + sign + body + right;
}

std::string Grouped(const std::string& digits, char separator, size_t every) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i && (digits.size() - i) % every == 0) out += separator;
    out += digits[i];
  }
  return out;
}

std::string InBase(uint64_t value, unsigned base, bool upper) {
  // As a pointer: GCC 12's bounds sanitizer gets an index into a conditional literal wrong.
  const char* const symbols = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    out.insert(out.begin(), symbols[value % base]);
    value /= base;
  } while (value);
  return out;
}

std::string SignOf(bool negative, char wanted) {
  if (negative) return "-";
  return wanted == '-' ? "" : std::string(1, wanted);
}

std::string IntegerText(const Spec& spec, int64_t value) {
  std::string sign = SignOf(value < 0, spec.sign);
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  unsigned base = 10;
  if (spec.type == 'x' || spec.type == 'X') base = 16;
  if (spec.type == 'o') base = 8;
  if (spec.type == 'b') base = 2;
  std::string digits = InBase(magnitude, base, spec.type == 'X');
  if (spec.precision > static_cast<int64_t>(digits.size())) {
    digits.insert(0, static_cast<size_t>(spec.precision) - digits.size(), '0');
  }
  if (spec.grouping) digits = Grouped(digits, spec.grouping, base == 10 ? 3 : 4);
  if (spec.alternate && base != 10) sign += Cat("0", spec.type);
  return Pad(spec, sign, digits, '>');
}

std::string FloatDigits(const Spec& spec, double value, bool braces) {
  const double magnitude = std::fabs(value);
  char buffer[800];
  if (spec.type == 0) {  // format(): like repr, or general with a given precision
    if (spec.precision < 0) return FloatText(magnitude);
    std::snprintf(buffer, sizeof buffer, "%.*g", static_cast<int>(std::max<int64_t>(spec.precision, 1)), magnitude);
    std::string text = buffer;
    if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) {
      text += ".0";
      if (braces && static_cast<int64_t>(text.size()) - 2 >= std::max<int64_t>(spec.precision, 1) && magnitude >= 1) {
        // Python shows no more digits than asked for: 12 with two digits is 1.2e+01
        std::snprintf(buffer, sizeof buffer, "%.*e", static_cast<int>(std::max<int64_t>(spec.precision, 1)) - 1,
                      magnitude);
        text = buffer;
      }
    }
    return text;
  }
  const int precision = spec.precision < 0 ? 6 : static_cast<int>(spec.precision);
  const std::string format = Cat("%", spec.alternate ? "#" : "", ".*",
                                 spec.type == '%'   ? 'f'
                                 : spec.type == 'n' ? 'g'
                                                    : spec.type);
  std::snprintf(buffer, sizeof buffer, format.c_str(), precision, spec.type == '%' ? magnitude * 100 : magnitude);
  return buffer;
}

std::string RealText(const Spec& spec, double value, bool braces) {
  std::string digits = FloatDigits(spec, value, braces);
  if (spec.grouping && std::isfinite(value)) {
    const size_t whole = std::min(digits.find_first_of(".e"), digits.size());
    digits = Grouped(digits.substr(0, whole), spec.grouping, 3) + digits.substr(whole);
  }
  if (spec.type == '%') digits += '%';
  return Pad(spec, SignOf(std::signbit(value) && !std::isnan(value), spec.sign), digits, '>');
}

}  // namespace

std::string FormatSpec(Renderer& r, const Value& value, std::string_view text) {
  if (text.empty()) return ToStr(r, value);
  Spec spec;
  size_t i = 0;
  size_t second = 0;
  DecodeAt(text, &second);
  auto is_align = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  if (second < text.size() && is_align(text[second])) {
    spec.fill = std::string(text.substr(0, second));
    spec.align = text[second];
    i = second + 1;
  } else if (is_align(text[0])) {
    spec.align = text[i++];
  }
  auto at = [&](char c) { return i < text.size() && text[i] == c; };
  if (at('+') || at('-') || at(' ')) spec.sign = text[i++];
  if (at('#')) spec.alternate = true, ++i;
  if (at('0')) spec.zero = true, ++i;
  spec.width = Digits(text, &i, kMaxWidth);
  if (at(',') || at('_')) spec.grouping = text[i++];
  if (at('.')) {
    const size_t from = ++i;
    spec.precision = Digits(text, &i, value.is(Kind::kString) ? INT32_MAX : kMaxPrecision);
    if (i == from) Fail("a format without the digits of its precision");
  }
  if (i < text.size()) spec.type = text[i++];
  if (i < text.size()) Fail(Cat("invalid format ", Quote(text, 30)));
  r.Make(static_cast<uint64_t>(spec.width) * 4);
  const auto one_of = [&](std::string_view types) { return spec.type == 0 || types.find(spec.type) != types.npos; };
  if (value.is(Kind::kString)) {
    if (!one_of("s") || spec.sign != '-' || spec.align == '=' || spec.grouping || spec.alternate) {
      Fail(Cat("invalid format ", Quote(text, 30), " for a text"));
    }
    std::string body = value.text();
    if (spec.precision >= 0) body.resize(OffsetOf(body, spec.precision));
    if (spec.zero && !spec.align) spec.align = '<', spec.fill = "0";
    return Pad(spec, "", body, '<');
  }
  if (value.is_integral() && one_of("bcdoxXn")) {
    if (spec.type == 'c') {
      std::string body;
      AppendPoint(&body, PointOf(value, "the format c"));
      return Pad(spec, "", body, '<');
    }
    if (spec.precision >= 0) Fail("a precision in an integer's format");
    if (value.is(Kind::kBool) && spec.type == 0) spec.type = 'd';
    return IntegerText(spec, value.integer());
  }
  if (value.is_number() && one_of("eEfFgGn%")) return RealText(spec, value.number(), true);
  if (value.is_number()) Fail(Cat("unknown format ", Quote(text, 30), " for a number"));
  if (value.is(Kind::kUndefined)) Fail(value.why());
  Fail(Cat("'", TypeName(value), "' takes no format"));
}

namespace {

class Percent {
 public:
  Percent(Renderer& r, std::string_view format, const Value& values) : r_(r), format_(format), values_(values) {}

  std::string Run() {
    std::string out;
    for (size_t i = 0; i < format_.size();) {
      if (format_[i] != '%') {
        out += format_[i++];
        continue;
      }
      ++i;
      out += One(&i);
      if (out.size() > r_.max_bytes()) r_.Make(out.size());
    }
    // Python asks for no use of what has subscripts and might be looked up by name.
    const bool mapping =
        values_.is(Kind::kDict) || values_.is(Kind::kList) || values_.is(Kind::kRange) || values_.is(Kind::kUndefined);
    const size_t given = values_.is(Kind::kTuple) ? values_.items().size() : 1;
    if (!mapping && !keyed_ && used_ < given) {
      Fail("not all arguments were used in formatting a text with %");
    }
    return out;
  }

 private:
  Value Take() {
    if (!values_.is(Kind::kTuple)) {
      if (used_++) Fail("not enough arguments to format a text with %");
      return values_;
    }
    if (used_ >= values_.items().size()) Fail("not enough arguments to format a text with %");
    return values_.items()[used_++];
  }

  int64_t Number(size_t* i, bool* negative) {
    if (*i < format_.size() && format_[*i] == '*') {
      ++*i;
      const int64_t n = IntArgument(Take(), "a '*' in a format");
      if (negative) *negative = n < 0;
      if (n > kMaxWidth || n < -kMaxWidth) Fail("a width that is too large in a format");
      return n < 0 ? -n : n;
    }
    return Digits(format_, i, kMaxWidth);
  }

  std::string One(size_t* i) {
    r_.Step();
    Spec spec;
    Value value;
    bool named = false;
    if (*i < format_.size() && format_[*i] == '(') {
      const size_t end = format_.find(')', *i);
      if (end == format_.npos) Fail("an incomplete key in a format");
      if (!values_.is(Kind::kDict)) Fail("a format with names needs a mapping");
      const Value* found = values_.dict().Find(format_.substr(*i + 1, end - *i - 1));
      if (!found) Fail(Cat("no value named ", Quote(format_.substr(*i + 1, end - *i - 1), 30), " for a format"));
      value = *found;
      named = keyed_ = true;
      *i = end + 1;
    }
    bool left = false;
    for (; *i < format_.size() && std::strchr("-+ #0", format_[*i]); ++*i) {
      const char flag = format_[*i];
      if (flag == '-') left = true;
      if (flag == '+') spec.sign = '+';
      if (flag == ' ' && spec.sign != '+') spec.sign = ' ';
      if (flag == '#') spec.alternate = true;
      if (flag == '0') spec.zero = true;
    }
    spec.width = Number(i, &left);
    if (*i < format_.size() && format_[*i] == '.') {
      ++*i;
      spec.precision = Number(i, nullptr);
    }
    while (*i < format_.size() && std::strchr("hlL", format_[*i])) ++*i;
    if (*i >= format_.size()) Fail("an incomplete format");
    if (left) spec.zero = false;
    spec.align = left ? '<' : 0;
    r_.Make(static_cast<uint64_t>(spec.width));
    const char type = format_[(*i)++];
    if (type == '%') return "%";
    if (!std::strchr("sradiuoxXeEfFgGc", type))
      Fail(Cat("an unsupported character in a format: ", Quote(std::string(1, type))));
    if (!named) value = Take();
    return Convert(spec, type, value);
  }

  std::string Convert(Spec spec, char type, const Value& value) {
    if (type == 's' || type == 'r' || type == 'a') {
      std::string body = type == 's' ? ToStr(r_, value) : Repr(r_, value);
      if (spec.precision >= 0) body.resize(OffsetOf(body, spec.precision));
      spec.zero = false;
      return Pad(spec, "", body, '>');
    }
    if (type == 'c') {
      std::string body;
      if (value.is(Kind::kString) && value.str().Length() == 1) {
        body = value.text();
      } else {
        AppendPoint(&body, PointOf(value, "%c"));
      }
      spec.zero = false;
      return Pad(spec, "", body, '>');
    }
    if (value.is(Kind::kUndefined)) Fail(value.why());
    if (!value.is_number()) Fail(Cat("%", type, " needs a number, not ", TypeName(value)));
    spec.precision = std::min<int64_t>(spec.precision, kMaxPrecision);
    if (std::strchr("eEfFgG", type)) {
      spec.type = type;
      return RealText(spec, value.number(), false);
    }
    if (!value.is_integral() && std::strchr("oxX", type)) Fail(Cat("%", type, " needs an integer"));
    spec.type = type == 'i' || type == 'u' ? 'd' : type;
    if (value.is_integral()) return IntegerText(spec, value.integer());
    const double whole = std::trunc(value.number());
    if (!(std::fabs(whole) < 9.2e18)) Fail("%d needs a number within 64 bits");
    return IntegerText(spec, static_cast<int64_t>(whole));
  }

  Renderer& r_;
  const std::string_view format_;
  const Value& values_;
  size_t used_ = 0;
  bool keyed_ = false;
};

// "{}", "{0.name[key]!r:>10}".
class Braces {
 public:
  Braces(Renderer& r, const Arguments& arguments) : r_(r), arguments_(arguments) {}

  std::string Run(std::string_view format, int depth = 0) {
    if (depth > 2) Fail("formats nested too deeply");
    std::string out;
    for (size_t i = 0; i < format.size();) {
      const char c = format[i];
      const bool doubled = i + 1 < format.size() && format[i + 1] == c;
      if ((c == '{' || c == '}') && doubled) {
        out += c;
        i += 2;
      } else if (c == '}') {
        Fail("a single '}' in a format");
      } else if (c == '{') {
        size_t end = i + 1;
        for (int open = 1; end < format.size(); ++end) {
          open += format[end] == '{' ? 1 : format[end] == '}' ? -1 : 0;
          if (open == 0) break;
        }
        if (end >= format.size()) Fail("a '{' that is not closed in a format");
        out += Field(format.substr(i + 1, end - i - 1), depth);
        i = end + 1;
      } else {
        out += c;
        ++i;
      }
      if (out.size() > r_.max_bytes()) r_.Make(out.size());
    }
    return out;
  }

 private:
  std::string Field(std::string_view field, int depth) {
    r_.Step();
    size_t end = 0;
    for (bool inside = false; end < field.size(); ++end) {
      if (field[end] == '[') inside = true;
      if (field[end] == ']') inside = false;
      if (!inside && (field[end] == '!' || field[end] == ':')) break;
    }
    const Value value = Lookup(field.substr(0, end));
    std::string_view rest = field.substr(end);
    Value converted = value;
    if (!rest.empty() && rest[0] == '!') {
      if (rest.size() < 2 || !std::strchr("rsa", rest[1])) Fail("an unknown conversion in a format");
      converted = Value::String(rest[1] == 's' ? ToStr(r_, value) : Repr(r_, value));
      rest.remove_prefix(2);
      if (!rest.empty() && rest[0] != ':') Fail("expected ':' after a conversion in a format");
    }
    if (!rest.empty()) rest.remove_prefix(1);
    return FormatSpec(r_, converted, Run(rest, depth + 1));
  }

  Value Lookup(std::string_view path) {
    size_t i = std::min(path.find_first_of(".["), path.size());
    const std::string_view first = path.substr(0, i);
    Value value;
    const std::optional<int64_t> index = ParseInt(first);
    if (first.empty() || index) {
      if (first.empty() == numbered_ && counted_) Fail("a format mixes '{}' and '{0}'");
      numbered_ = !first.empty();
      counted_ = true;
      const int64_t at = first.empty() ? next_++ : *index;
      if (at < 0 || at >= static_cast<int64_t>(arguments_.positional.size())) Fail("too few arguments for a format");
      value = arguments_.positional[static_cast<size_t>(at)];
    } else {
      bool found = false;
      for (const auto& [name, named] : arguments_.named) {
        if (name == first) value = named, found = true;
      }
      if (!found) Fail(Cat("no argument named ", Quote(first, 30), " for a format"));
    }
    while (i < path.size()) {
      if (path[i] == '.') {
        const size_t end = std::min(path.find_first_of(".[", i + 1), path.size());
        if (end == i + 1) Fail("an empty attribute in a format");
        value = r_.Attribute(value, path.substr(i + 1, end - i - 1));
        i = end;
      } else if (path[i] == '[') {
        const size_t end = path.find(']', i);
        if (end == path.npos || end == i + 1) Fail("an invalid subscript in a format");
        const std::string_view key = path.substr(i + 1, end - i - 1);
        const std::optional<int64_t> number = ParseInt(key);
        value = r_.Item(value, number ? Value::Int(*number) : Value::String(std::string(key)));
        i = end + 1;
      } else {
        Fail("only '.' or '[' may follow ']' in a format");
      }
    }
    return value;
  }

  Renderer& r_;
  const Arguments& arguments_;
  int64_t next_ = 0;
  bool numbered_ = false, counted_ = false;
};

}  // namespace

Value FormatPercent(Renderer& r, const Value& format, const Value& values) {
  r.Scan(format.text().size());
  return r.Made(Percent(r, format.text(), values).Run(), format.is_safe());
}

Value FormatBraces(Renderer& r, const Value& format, const Arguments& arguments) {
  r.Scan(format.text().size());
  return r.Made(Braces(r, arguments).Run(format.text()), format.is_safe());
}

}  // namespace atelier::text::jinja
