// Filters over texts.
#include <algorithm>
#include <unordered_map>

#include "base/str.h"
#include "text/jinja/builtins.h"
#include "text/jinja/format.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"
#include "text/jinja/text_ops.h"
#include "text/jinja/unicode.h"
#include "text/jinja/wrap.h"

namespace atelier::text::jinja {
namespace {

bool Flag(const Value& value, bool otherwise = false) { return value.is(Kind::kMissing) ? otherwise : Truth(value); }

// The text of any value, still marked safe when it was.
Value Text(Renderer& r, const Value& value) { return value.is(Kind::kString) ? value : r.Made(ToStr(r, value)); }

Value UpperFilter(Renderer& r, const Value& value, Arguments& a) {
  return CallStringMethod(r, Text(r, value), "upper", a);
}
Value LowerFilter(Renderer& r, const Value& value, Arguments& a) {
  return CallStringMethod(r, Text(r, value), "lower", a);
}
Value CapitalizeFilter(Renderer& r, const Value& value, Arguments& a) {
  return CallStringMethod(r, Text(r, value), "capitalize", a);
}

Value Title(Renderer& r, const Value& value, Arguments& a) {
  Bind("title", a, {});
  const std::string text = ToStr(r, value);
  r.Scan(text.size() * 4);
  auto is_edge = [](char32_t c) { return c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || IsSpace(c); };
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    DecodeAt(text, &end);
    size_t first_end = end;
    size_t probe = i;
    const bool edge = is_edge(DecodeAt(text, &probe));
    for (size_t next = end; next < text.size(); end = next) {
      if (is_edge(DecodeAt(text, &next)) != edge) break;
    }
    if (edge) {
      out += text.substr(i, end - i);
    } else {
      out += Upper(std::string_view(text).substr(i, first_end - i));
      out += Lower(std::string_view(text).substr(first_end, end - first_end));
    }
    i = end;
  }
  return r.Made(std::move(out));
}

Value Trim(Renderer& r, const Value& value, Arguments& a) {
  auto b = Bind("trim", a, {"chars"});
  Arguments chars;
  if (b[0].IsGiven()) chars.positional.push_back(b[0]);
  return CallStringMethod(r, Text(r, value), "strip", std::move(chars));
}

Value Replace(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("replace", a, {"old", "new", "count"}, 2);
  const int64_t count = b[2].IsGiven() ? IntArgument(b[2], "replace") : -1;
  std::string text = ToStr(r, value), from = ToStr(r, b[0]), to = ToStr(r, b[1]);
  if (!r.autoescape()) return r.Made(ReplaceText(r, text, from, to, count));
  bool safe = value.is_safe();
  if (b[0].is_safe() || (b[1].is_safe() && !safe)) {
    if (!safe) text = Escaped(text);
    safe = true;
  }
  if (safe && !b[0].is_safe()) from = Escaped(from);
  if (safe && !b[1].is_safe()) to = Escaped(to);
  return r.Made(ReplaceText(r, text, from, to, count), safe);
}

Value Center(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("center", a, {"width"});
  const int64_t width = b[0].is(Kind::kMissing) ? 80 : IntArgument(b[0], "center");
  const Value text = Text(r, value);
  return r.Made(PadText(r, text.str(), width, " ", '^'), text.is_safe());
}

const Value& NeedText(const Value& value, std::string_view what) {
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (!value.is(Kind::kString)) Fail(Cat(what, " needs a text, not ", TypeName(value)));
  return value;
}

Value Indent(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("indent", a, {"width", "first", "blank"});
  const std::string& text = NeedText(value, "indent").text();
  std::string pad = "    ";
  if (b[0].is(Kind::kString)) {
    pad = b[0].text();
  } else if (!b[0].is(Kind::kMissing)) {
    const int64_t width = IntArgument(b[0], "indent");
    if (width > static_cast<int64_t>(r.max_bytes())) r.Make(r.max_bytes() + 1);
    r.Make(static_cast<uint64_t>(std::max<int64_t>(width, 0)));
    pad = std::string(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
  }
  if (value.is_safe() && !b[0].is_safe()) pad = Escaped(pad);
  r.Scan(text.size() * 2);
  const std::string closed = text + "\n";
  const bool first = Flag(b[1]), blank = Flag(b[2]);
  std::string out;
  bool at_first = true;
  for (std::string_view line : SplitLines(closed, false)) {
    if (!at_first) out += '\n';
    if (at_first ? first : blank || !line.empty()) out += pad;
    out += line;
    at_first = false;
    if (out.size() > r.max_bytes()) r.Make(out.size());
  }
  return r.Made(std::move(out), value.is_safe());
}

Value Truncate(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("truncate", a, {"length", "killwords", "end", "leeway"});
  const int64_t length = b[0].is(Kind::kMissing) ? 255 : IntArgument(b[0], "truncate");
  const Value end = b[2].is(Kind::kMissing) ? Value::String("...") : NeedText(b[2], "truncate");
  const int64_t leeway = b[3].IsGiven() ? IntArgument(b[3], "truncate") : 5;
  if (length < end.str().Length()) Fail("truncate: the length is less than that of the end");
  if (leeway < 0) Fail("truncate: the leeway is negative");
  if (LengthOf(value) < 0) Fail(Cat("truncate needs a text, not ", TypeName(value)));
  if (LengthOf(value) <= length + leeway) return value;
  NeedText(value, "truncate");
  const std::string& text = value.text();
  r.Scan(text.size());
  std::string cut = text.substr(0, OffsetOf(text, length - end.str().Length()));
  if (!Flag(b[1])) {
    const size_t space = cut.rfind(' ');
    if (space != std::string::npos) cut.resize(space);
  }
  return r.Made(cut + (value.is_safe() && !end.is_safe() ? Escaped(end.text()) : end.text()), value.is_safe());
}

Value WordCount(Renderer& r, const Value& value, Arguments& a) {
  Bind("wordcount", a, {});
  const std::string text = ToStr(r, value);
  r.Scan(text.size() * 4);
  int64_t count = 0;
  bool in_word = false;
  for (size_t i = 0; i < text.size();) {
    const bool word = IsWord(DecodeAt(text, &i));
    count += word && !in_word;
    in_word = word;
  }
  return Value::Int(count);
}

Value WordWrap(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("wordwrap", a, {"width", "break_long_words", "wrapstring", "break_on_hyphens"});
  WrapStyle style;
  style.width = b[0].is(Kind::kMissing) ? 79 : IntArgument(b[0], "wordwrap");
  style.break_long_words = Flag(b[1], true);
  style.break_on_hyphens = Flag(b[3], true);
  const std::string glue = b[2].IsGiven() ? NeedText(b[2], "wordwrap").text() : "\n";
  const std::string& text = NeedText(value, "wordwrap").text();
  r.Scan(text.size() * 8);
  std::string out;
  bool first = true;
  for (std::string_view line : SplitLines(text, false)) {
    bool first_part = true;
    if (!first) out += glue;
    first = false;
    for (const std::string& part : WrapLine(line, style)) {
      if (!first_part) out += glue;
      first_part = false;
      out += part;
      if (out.size() > r.max_bytes()) r.Make(out.size());
    }
  }
  return r.Made(std::move(out));
}

Value Format(Renderer& r, const Value& value, Arguments& a) {
  if (!a.positional.empty() && !a.named.empty()) Fail("format takes arguments by position or by name, not both");
  if (a.named.empty()) return FormatPercent(r, Text(r, value), Value::Tuple(a.positional));
  auto dict = std::make_shared<Dict>();
  for (auto& [name, item] : a.named) dict->Set(r, Value::String(name), std::move(item));
  return FormatPercent(r, Text(r, value), Value::Of(std::move(dict)));
}

Value Escape(Renderer& r, const Value& value, Arguments& a) {
  Bind("escape", a, {});
  return value.is_safe() ? value : r.Made(Escaped(ToStr(r, value)), true);
}
Value ForceEscape(Renderer& r, const Value& value, Arguments& a) {
  Bind("forceescape", a, {});
  return r.Made(Escaped(ToStr(r, value)), true);
}
Value Safe(Renderer& r, const Value& value, Arguments& a) {
  Bind("safe", a, {});
  return r.Made(ToStr(r, value), true);
}
Value String(Renderer& r, const Value& value, Arguments& a) {
  Bind("string", a, {});
  return Text(r, value);
}

std::string Unescaped(const std::string& text) {
  static const std::unordered_map<std::string, char32_t> names = {
      {"amp", '&'},      {"lt", '<'},      {"gt", '>'},     {"quot", '"'},   {"apos", '\''},     {"nbsp", 0xA0},
      {"copy", 0xA9},    {"reg", 0xAE},    {"raquo", 0xBB}, {"laquo", 0xAB}, {"hellip", 0x2026}, {"mdash", 0x2014},
      {"ndash", 0x2013}, {"middot", 0xB7}, {"times", 0xD7}, {"yen", 0xA5},   {"euro", 0x20AC},   {"bull", 0x2022}};
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t end = text[i] == '&' ? text.find(';', i) : std::string::npos;
    if (end != std::string::npos && end - i < 12) {
      const std::string name = text.substr(i + 1, end - i - 1);
      const bool hex = name.size() > 2 && name[0] == '#' && (name[1] | 32) == 'x';
      char32_t point = 0;
      if (hex || (name.size() > 1 && name[0] == '#')) {
        char* stop = nullptr;
        const unsigned long n = std::strtoul(name.c_str() + (hex ? 2 : 1), &stop, hex ? 16 : 10);
        if (*stop == '\0') point = n == 0 || n > 0x10FFFF ? 0xFFFD : static_cast<char32_t>(n);
      } else if (const auto it = names.find(name); it != names.end()) {
        point = it->second;
      }
      if (point) {
        AppendPoint(&out, point);
        i = end + 1;
        continue;
      }
    }
    out += text[i++];
  }
  return out;
}

Value StripTags(Renderer& r, const Value& value, Arguments& a) {
  Bind("striptags", a, {});
  const std::string text = ToStr(r, value);
  r.Scan(text.size() * 4);
  std::string kept;
  size_t at = 0;
  for (size_t open; (open = text.find('<', at)) != std::string::npos;) {
    const bool comment = text.compare(open, 4, "<!--") == 0;
    const size_t end = comment ? text.find("-->", open + 4) : text.find('>', open);
    if (end == std::string::npos) break;
    kept += text.substr(at, open - at);
    at = end + (comment ? 3 : 1);
  }
  kept += text.substr(at);
  std::string out;
  for (std::string_view word : SplitSpaces(kept, -1)) out += Cat(out.empty() ? "" : " ", word);
  return r.Made(Unescaped(out));
}

void Quoted(std::string* out, const std::string& text, bool query) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : text) {
    const bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z' && c < 0x7F && c > 0) ||
                       c == '_' || c == '.' || c == '-' || c == '~' || (c == '/' && !query);
    if (plain) {
      *out += c;
    } else if (c == ' ' && query) {
      *out += '+';
    } else {
      *out += '%';
      *out += kHex[static_cast<unsigned char>(c) >> 4];
      *out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
}

Value UrlEncode(Renderer& r, const Value& value, Arguments& a) {
  Bind("urlencode", a, {});
  std::string out;
  const bool pairs = value.is_sequence() || value.is(Kind::kDict) || value.is(Kind::kView) ||
                     value.is(Kind::kIterator) || value.is(Kind::kRange) || value.is(Kind::kUndefined);
  if (!pairs) {
    Quoted(&out, ToStr(r, value), false);
    return r.Made(std::move(out));
  }
  Arguments none;
  const Value items = value.is(Kind::kDict) ? CallMethod(r, value, "items", none) : value;
  for (const Value& pair : r.ToVector(items)) {
    const std::vector<Value> parts = r.ToVector(pair);
    if (parts.size() != 2) Fail("urlencode needs pairs");
    if (!out.empty()) out += '&';
    Quoted(&out, ToStr(r, parts[0]), true);
    out += '=';
    Quoted(&out, ToStr(r, parts[1]), true);
    if (out.size() > r.max_bytes()) r.Make(out.size());
  }
  return r.Made(std::move(out));
}

Value XmlAttr(Renderer& r, const Value& value, Arguments& a) {
  const auto b = Bind("xmlattr", a, {"autospace"});
  if (value.is(Kind::kUndefined)) Fail(value.why());
  if (!value.is(Kind::kDict)) Fail(Cat("xmlattr needs a mapping, not ", TypeName(value)));
  std::string out;
  for (const auto& [key, item] : value.dict().entries) {
    r.Step();
    if (item.is(Kind::kNone) || item.is(Kind::kUndefined)) continue;
    if (NeedText(key, "an attribute's name").text().find_first_of(" \t\n\r\f\v/>=") != std::string::npos) {
      Fail(Cat("an invalid character in the attribute's name ", Quote(key.text(), 30)));
    }
    if (!out.empty()) out += ' ';
    out += key.is_safe() ? key.text() : Escaped(key.text());
    out += Cat("=\"", item.is_safe() ? item.text() : Escaped(ToStr(r, item)), "\"");
    if (out.size() > r.max_bytes()) r.Make(out.size());
  }
  if (!out.empty() && Flag(b[0], true)) out.insert(0, " ");
  return r.Made(std::move(out), r.autoescape());
}

}  // namespace

const std::vector<FilterEntry>& TextFilters() {
  static const std::vector<FilterEntry> list = {
      {"upper", UpperFilter},
      {"lower", LowerFilter},
      {"capitalize", CapitalizeFilter},
      {"title", Title},
      {"trim", Trim},
      {"replace", Replace},
      {"center", Center},
      {"indent", Indent},
      {"truncate", Truncate},
      {"wordcount", WordCount},
      {"wordwrap", WordWrap},
      {"format", Format},
      {"e", Escape},
      {"escape", Escape},
      {"forceescape", ForceEscape},
      {"safe", Safe},
      {"string", String},
      {"striptags", StripTags},
      {"urlencode", UrlEncode},
      {"xmlattr", XmlAttr},
  };
  return list;
}

}  // namespace atelier::text::jinja
