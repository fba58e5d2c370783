// Methods of Python's str.
#include <algorithm>

#include "base/str.h"
#include "text/jinja/builtins.h"
#include "text/jinja/format.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/text_ops.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {
namespace {

using Method = Value (*)(Renderer& r, const Value& self, std::string_view name, Arguments& a);

const std::string& TextArgument(const Value& value, std::string_view what) {
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (!value.is(Kind::kString)) Fail(Cat(what, " needs a text, not ", TypeName(value)));
  return value.text();
}

int64_t CountArgument(const Value& value, std::string_view what, int64_t otherwise) {
  return value.is(Kind::kMissing) ? otherwise : IntArgument(value, what);
}

Value Case(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  Bind(name, a, {});
  const std::string& text = self.text();
  r.Scan(text.size() * 4);
  if (name == "upper") return r.Made(Upper(text));
  if (name == "lower") return r.Made(Lower(text));
  if (name == "casefold") return r.Made(FoldCase(text));
  if (name == "title") return r.Made(TitleWords(text));
  if (name == "swapcase") return r.Made(SwapCase(text));
  return r.Made(Capitalize(text));
}

Value Strip(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/chars"});
  r.Scan(self.text().size());
  const std::string_view chars = b[0].IsGiven() ? std::string_view(TextArgument(b[0], name)) : std::string_view();
  r.Scan(chars.size());
  return r.Made(std::string(StripText(self.text(), b[0].IsGiven(), chars, name != "rstrip", name != "lstrip")));
}

Value SplitMethod(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"sep", "maxsplit"});
  const int64_t most = CountArgument(b[1], name, -1);
  const std::string& text = self.text();
  r.Scan(text.size() * 2);
  std::vector<std::string_view> parts;
  if (b[0].IsGiven()) {
    const std::string& separator = TextArgument(b[0], name);
    if (separator.empty()) Fail("an empty separator");
    parts = name == "split" ? SplitAt(text, separator, most) : SplitAtFromRight(text, separator, most);
  } else {
    parts = name == "split" ? SplitSpaces(text, most) : SplitSpacesFromRight(text, most);
  }
  r.Make(parts.size() * (sizeof(Value) + sizeof(Str)) + text.size());
  std::vector<Value> out;
  out.reserve(parts.size());
  for (std::string_view part : parts) out.push_back(Value::String(std::string(part), self.is_safe()));
  return Value::List(std::move(out));
}

Value SplitLinesMethod(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"keepends"});
  r.Scan(self.text().size() * 2);
  const auto lines = SplitLines(self.text(), !b[0].is(Kind::kMissing) && Truth(b[0]));
  r.Make(lines.size() * (sizeof(Value) + sizeof(Str)) + self.text().size());
  std::vector<Value> out;
  for (std::string_view line : lines) out.push_back(Value::String(std::string(line), self.is_safe()));
  return Value::List(std::move(out));
}

// The part of a text between two optional code point positions.
struct Window {
  std::string_view text;
  int64_t start = 0;  // its first code point
  bool beyond = false;
};

Window WindowOf(const Value& self, const Value& start, const Value& stop, std::string_view name) {
  const int64_t size = self.str().Length();
  auto bound = [&](const Value& v, int64_t otherwise) {
    if (!v.IsGiven()) return otherwise;
    const int64_t n = IntArgument(v, name);
    return n < 0 ? std::max<int64_t>(n + size, 0) : n;
  };
  const int64_t from = bound(start, 0), to = std::min(bound(stop, size), size);
  Window window;
  window.start = from;
  if (from > to) {
    window.beyond = true;
    return window;
  }
  const std::string& text = self.text();
  const size_t a = self.str().ascii() ? static_cast<size_t>(from) : OffsetOf(text, from);
  const size_t b = self.str().ascii() ? static_cast<size_t>(to) : OffsetOf(text, to);
  window.text = std::string_view(text).substr(a, b - a);
  return window;
}

Value Find(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/sub", "/start", "/end"}, 1);
  const std::string& what = TextArgument(b[0], name);
  r.Scan(self.text().size() + what.size());
  const Window window = WindowOf(self, b[1], b[2], name);
  const bool last = name[0] == 'r';
  size_t hit = std::string::npos;
  if (!window.beyond) hit = last ? FindLastText(window.text, what) : FindText(window.text, what);
  if (hit != std::string::npos) return Value::Int(window.start + CountPoints(window.text.substr(0, hit)));
  if (name == "index" || name == "rindex") Fail("substring not found");
  return Value::Int(-1);
}

Value Count(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/sub", "/start", "/end"}, 1);
  const std::string& what = TextArgument(b[0], name);
  r.Scan(self.text().size() + what.size());
  const Window window = WindowOf(self, b[1], b[2], name);
  if (window.beyond) return Value::Int(0);
  if (what.empty()) return Value::Int(CountPoints(window.text) + 1);
  int64_t count = 0;
  for (size_t at = 0; (at = FindText(window.text, what, at)) != std::string::npos; at += what.size()) ++count;
  return Value::Int(count);
}

Value StartsEnds(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/prefix", "/start", "/end"}, 1);
  r.Scan(self.text().size());
  const Window window = WindowOf(self, b[1], b[2], name);
  auto matches = [&](const Value& value) {
    const std::string& part = TextArgument(value, name);
    if (window.beyond) return false;
    return name == "startswith"
               ? window.text.substr(0, part.size()) == part
               : window.text.size() >= part.size() && window.text.substr(window.text.size() - part.size()) == part;
  };
  if (!b[0].is(Kind::kTuple)) return Value::Bool(matches(b[0]));
  for (const Value& part : b[0].items()) {
    r.Step();
    if (matches(part)) return Value::Bool(true);
  }
  return Value::Bool(false);
}

Value Replace(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/old", "/new", "/count"}, 2);
  return r.Made(
      ReplaceText(r, self.text(), TextArgument(b[0], name), TextArgument(b[1], name), CountArgument(b[2], name, -1)));
}

Value Join(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/iterable"}, 1);
  std::string out;
  bool first = true;
  const auto iterator = r.Iterate(b[0]);
  Value item;
  while (r.Next(*iterator, &item)) {
    const std::string& part = TextArgument(item, name);
    if (out.size() + self.text().size() + part.size() > r.max_bytes()) r.Make(r.max_bytes() + 1);
    if (!first) out += self.text();
    first = false;
    out += self.is_safe() && !item.is_safe() ? Escaped(part) : part;
  }
  return r.Made(std::move(out));
}

Value Partition(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/sep"}, 1);
  const std::string& separator = TextArgument(b[0], name);
  if (separator.empty()) Fail("an empty separator");
  const std::string& text = self.text();
  r.Make(text.size());
  const bool last = name == "rpartition";
  const size_t hit = last ? FindLastText(text, separator) : FindText(text, separator);
  auto part = [&](std::string piece) { return Value::String(std::move(piece), self.is_safe()); };
  if (hit == std::string::npos) {
    return last ? Value::Tuple({part(""), part(""), self}) : Value::Tuple({self, part(""), part("")});
  }
  return Value::Tuple({part(text.substr(0, hit)), part(separator), part(text.substr(hit + separator.size()))});
}

Value Affix(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/affix"}, 1);
  const std::string &affix = TextArgument(b[0], name), &text = self.text();
  r.Scan(text.size());
  if (affix.size() > text.size()) return self;
  if (name == "removeprefix") {
    return text.compare(0, affix.size(), affix) == 0 ? r.Made(text.substr(affix.size())) : self;
  }
  const size_t at = text.size() - affix.size();
  return !affix.empty() && text.compare(at, affix.size(), affix) == 0 ? r.Made(text.substr(0, at)) : self;
}

Value Justify(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/width", "/fill"}, 1);
  const std::string fill = b[1].is(Kind::kMissing) ? " " : TextArgument(b[1], name);
  if (CountPoints(fill) != 1) Fail("the fill must be exactly one character long");
  return r.Made(PadText(r, self.str(), IntArgument(b[0], name), fill,
                        name == "ljust"   ? '<'
                        : name == "rjust" ? '>'
                                          : '^'));
}

Value ZeroFill(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"/width"}, 1);
  const std::string& text = self.text();
  const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  const int64_t width = IntArgument(b[0], name);
  const Str body(text.substr(sign));
  return r.Made(text.substr(0, sign) + PadText(r, body, width - sign, "0", '>'));
}

Value ExpandTabs(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  const auto b = Bind(name, a, {"tabsize"});
  const int64_t size = CountArgument(b[0], name, 8);
  if (size > 1000) Fail("tabs wider than 1000 columns");
  r.Scan(self.text().size());
  std::string out;
  int64_t column = 0;
  for (char c : self.text()) {
    if (c == '\t') {
      const int64_t fill = size > 0 ? size - column % size : 0;
      out.append(static_cast<size_t>(fill), ' ');
      column += fill;
    } else {
      out += c;
      if (c == '\n' || c == '\r') {
        column = 0;
      } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
        ++column;
      }
    }
    if (out.size() > r.max_bytes()) r.Make(out.size());
  }
  return r.Made(std::move(out));
}

Value Is(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  Bind(name, a, {});
  r.Scan(self.text().size());
  return Value::Bool(IsKindOfText(self.text(), name));
}

Value Format(Renderer& r, const Value& self, std::string_view name, Arguments& a) {
  if (name == "format") return FormatBraces(r, self, a);
  const auto b = Bind(name, a, {"/mapping"}, 1);
  if (!b[0].is(Kind::kDict)) Fail("format_map needs a mapping");
  Arguments named;
  for (const auto& [key, value] : b[0].dict().entries) {
    r.Step();
    if (key.is(Kind::kString)) named.named.emplace_back(key.text(), value);
  }
  return FormatBraces(r, self, named);
}

Value Refused(Renderer&, const Value&, std::string_view name, Arguments&) {
  Fail(Cat("str.", name, " is not supported in templates"));
}

struct Entry {
  std::string_view name;
  Method method;
};

constexpr Entry kMethods[] = {
    {"upper", Case},          {"lower", Case},           {"casefold", Case},
    {"title", Case},          {"swapcase", Case},        {"capitalize", Case},
    {"strip", Strip},         {"lstrip", Strip},         {"rstrip", Strip},
    {"split", SplitMethod},   {"rsplit", SplitMethod},   {"splitlines", SplitLinesMethod},
    {"find", Find},           {"rfind", Find},           {"index", Find},
    {"rindex", Find},         {"count", Count},          {"startswith", StartsEnds},
    {"endswith", StartsEnds}, {"replace", Replace},      {"join", Join},
    {"partition", Partition}, {"rpartition", Partition}, {"removeprefix", Affix},
    {"removesuffix", Affix},  {"ljust", Justify},        {"rjust", Justify},
    {"center", Justify},      {"zfill", ZeroFill},       {"expandtabs", ExpandTabs},
    {"isalnum", Is},          {"isalpha", Is},           {"isascii", Is},
    {"isdecimal", Is},        {"isdigit", Is},           {"isidentifier", Is},
    {"islower", Is},          {"isnumeric", Is},         {"isprintable", Is},
    {"isspace", Is},          {"istitle", Is},           {"isupper", Is},
    {"format", Format},       {"format_map", Format},    {"encode", Refused},
    {"maketrans", Refused},   {"translate", Refused},
};

const Entry* FindMethod(std::string_view name) {
  for (const Entry& entry : kMethods) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace

bool IsStringMethod(std::string_view name) { return FindMethod(name) != nullptr; }

Value CallStringMethod(Renderer& r, const Value& self, std::string_view name, Arguments arguments) {
  const Entry* entry = FindMethod(name);
  if (!entry) Fail(Cat("'str' has no method ", Quote(name, 30)));
  if (self.is_safe() && (name == "replace" || name == "format")) {  // Markup escapes what comes in from outside
    auto escape = [&](Value& v) {
      if (v.is(Kind::kString) && !v.is_safe()) v = r.Made(Escaped(v.text()), true);
    };
    for (Value& v : arguments.positional) escape(v);
    for (auto& [key, v] : arguments.named) escape(v);
  }
  Value result = entry->method(r, self, name, arguments);
  if (self.is_safe() && result.is(Kind::kString) && !result.is_safe()) return r.Made(result.text(), true);
  return result;
}

}  // namespace atelier::text::jinja
