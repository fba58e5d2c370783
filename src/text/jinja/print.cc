#include "text/jinja/print.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/str.h"
#include "text/jinja/renderer.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {

std::string FloatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string text(buffer, end);
  std::string sign;
  if (text[0] == '-') {
    sign = "-";
    text.erase(0, 1);
  }
  const size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  std::string digits = text.substr(0, 1);
  if (e > 2) digits += text.substr(2, e - 2);
  const int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    if (count > 1) digits.insert(1, ".");
    std::snprintf(buffer, sizeof buffer, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return sign + digits + buffer;
  }
  if (exponent < 0) return Cat(sign, "0.", std::string(static_cast<size_t>(-exponent - 1), '0'), digits);
  if (count <= exponent + 1)
    return Cat(sign, digits, std::string(static_cast<size_t>(exponent + 1 - count), '0'), ".0");
  digits.insert(static_cast<size_t>(exponent) + 1, ".");
  return sign + digits;
}

void AppendQuoted(std::string* out, std::string_view text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  *out += quote;
  char buffer[12];
  for (size_t i = 0; i < text.size();) {
    const size_t from = i;
    const char32_t c = DecodeAt(text, &i);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      *out += '\\';
      *out += static_cast<char>(c);
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '\r') {
      *out += "\\r";
    } else if (c == '\t') {
      *out += "\\t";
    } else if (c >= 0x20 && c < 0x7F) {
      *out += static_cast<char>(c);
    } else if (c >= 0x80 && IsPrintable(c)) {
      out->append(text.substr(from, i - from));
    } else {
      std::snprintf(buffer, sizeof buffer,
                    c < 0x100     ? "\\x%02x"
                    : c < 0x10000 ? "\\u%04x"
                                  : "\\U%08x",
                    static_cast<unsigned>(c));
      *out += buffer;
    }
  }
  *out += quote;
}

namespace {

// One level of a value being written: counted, for a list may hold another many times over.
class Growth {
 public:
  Growth(Renderer& renderer, const std::string& out) : renderer_(renderer) {
    renderer.Step();
    if (out.size() > renderer.max_bytes()) Exhausted("the template makes a value larger than its output limit");
    renderer.Enter();
  }
  ~Growth() { renderer_.Leave(); }

 private:
  Renderer& renderer_;
};

template <typename Items, typename Append>
void AppendItems(std::string* out, const Items& items, Append append) {
  bool first = true;
  for (const auto& item : items) {
    if (!first) *out += ", ";
    first = false;
    append(item);
  }
}

void AppendDict(Renderer& r, std::string* out, const Dict& dict) {
  *out += '{';
  AppendItems(out, dict.entries, [&](const auto& entry) {
    AppendRepr(r, out, entry.first);
    *out += ": ";
    AppendRepr(r, out, entry.second);
  });
  *out += '}';
}

void AppendView(Renderer& r, std::string* out, const View& view) {
  static constexpr const char* kNames[] = {"dict_keys([", "dict_values([", "dict_items(["};
  *out += kNames[view.part];
  for (size_t i = 0; i < view.of.dict().entries.size(); ++i) {
    if (i) *out += ", ";
    AppendRepr(r, out, view.At(i));
  }
  *out += "])";
}

void AppendSequence(Renderer& r, std::string* out, const Value& value) {
  const bool tuple = value.is(Kind::kTuple);
  *out += tuple ? '(' : '[';
  AppendItems(out, value.items(), [&](const Value& item) { AppendRepr(r, out, item); });
  if (tuple && value.items().size() == 1) *out += ',';
  *out += tuple ? ')' : ']';
}

}  // namespace

void AppendRepr(Renderer& r, std::string* out, const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined: *out += "Undefined"; return;
    case Kind::kNone: *out += "None"; return;
    case Kind::kBool: *out += value.boolean() ? "True" : "False"; return;
    case Kind::kInt: AppendTo(out, value.integer()); return;
    case Kind::kFloat: *out += FloatText(value.number()); return;
    case Kind::kString:
      r.Scan(value.text().size() * 2);
      if (value.is_safe()) *out += "Markup(";
      AppendQuoted(out, value.text());
      if (value.is_safe()) *out += ')';
      return;
    default: break;
  }
  const Growth growth(r, *out);
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kTuple: AppendSequence(r, out, value); break;
    case Kind::kDict: AppendDict(r, out, value.dict()); break;
    case Kind::kRange: {
      const Range& range = value.range();
      *out += Cat("range(", range.start, ", ", range.stop);
      if (range.step != 1) *out += Cat(", ", range.step);
      *out += ')';
      break;
    }
    case Kind::kView: AppendView(r, out, value.view()); break;
    case Kind::kNamespace:
      *out += "<Namespace ";
      AppendDict(r, out, value.ns().attributes);
      *out += '>';
      break;
    case Kind::kIterator: *out += "<generator object>"; break;
    default: *out += value.callable().Repr(r); break;
  }
}

void AppendText(Renderer& r, std::string* out, const Value& value) {
  if (value.is(Kind::kString)) {
    *out += value.text();
  } else if (!value.is(Kind::kUndefined) && !value.is(Kind::kMissing)) {
    AppendRepr(r, out, value);
  }
}

std::string ToStr(Renderer& r, const Value& value) {
  if (value.is(Kind::kString)) {
    r.Scan(value.text().size());
    return value.text();
  }
  std::string out;
  AppendText(r, &out, value);
  return out;
}

std::string Repr(Renderer& r, const Value& value) {
  std::string out;
  AppendRepr(r, &out, value);
  return out;
}

std::string Escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return out;
}

namespace {

void AppendJsonString(std::string* out, std::string_view text, bool ascii) {
  *out += '"';
  char buffer[16];
  for (size_t i = 0; i < text.size();) {
    const size_t from = i;
    const char32_t c = DecodeAt(text, &i);
    static constexpr std::string_view kPlain = "\"\\\n\r\t\b\f", kLetters = "\"\\nrtbf";
    const size_t short_form = c < 0x80 ? kPlain.find(static_cast<char>(c)) : kPlain.npos;
    if (short_form != kPlain.npos) {
      *out += '\\';
      *out += kLetters[short_form];
    } else if (c < 0x20 || (ascii && c >= 0x7F && c < 0x10000)) {
      if (c == 0x7F) {
        *out += '\x7F';
        continue;
      }
      std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
      *out += buffer;
    } else if (ascii && c >= 0x10000) {
      std::snprintf(buffer, sizeof buffer, "\\u%04x\\u%04x", static_cast<unsigned>(0xD800 + ((c - 0x10000) >> 10)),
                    static_cast<unsigned>(0xDC00 + ((c - 0x10000) & 0x3FF)));
      *out += buffer;
    } else {
      out->append(text.substr(from, i - from));
    }
  }
  *out += '"';
}

std::string JsonFloat(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
  return FloatText(d);
}

std::string JsonKey(const Value& key) {
  switch (key.kind()) {
    case Kind::kString: return key.text();
    case Kind::kBool: return key.boolean() ? "true" : "false";
    case Kind::kInt: return Cat(key.integer());
    case Kind::kFloat: return JsonFloat(key.number());
    case Kind::kNone: return "null";
    default: Fail(Cat("a JSON object's key cannot be of type ", TypeName(key)));
  }
}

void NewLine(std::string* out, const JsonStyle& style, int level) {
  if (!style.pretty) return;
  *out += '\n';
  for (int i = 0; i < level; ++i) *out += style.indent;
}

}  // namespace

void AppendJson(Renderer& r, std::string* out, const Value& value, const JsonStyle& style, int level) {
  const Growth growth(r, *out);
  switch (value.kind()) {
    case Kind::kNone: *out += "null"; return;
    case Kind::kBool: *out += value.boolean() ? "true" : "false"; return;
    case Kind::kInt: AppendTo(out, value.integer()); return;
    case Kind::kFloat: *out += JsonFloat(value.number()); return;
    case Kind::kString:
      r.Scan(value.text().size() * 2);
      AppendJsonString(out, value.text(), style.ascii);
      return;
    case Kind::kList:
    case Kind::kTuple: {
      if (value.items().empty()) {
        *out += "[]";
        return;
      }
      *out += '[';
      bool first = true;
      for (const Value& item : value.items()) {
        if (!first) *out += style.item_separator;
        first = false;
        NewLine(out, style, level + 1);
        AppendJson(r, out, item, style, level + 1);
      }
      NewLine(out, style, level);
      *out += ']';
      return;
    }
    case Kind::kDict: {
      const auto& entries = value.dict().entries;
      if (entries.empty()) {
        *out += "{}";
        return;
      }
      std::vector<const std::pair<Value, Value>*> order;
      for (const auto& entry : entries) order.push_back(&entry);
      if (style.sort_keys) {
        std::stable_sort(order.begin(), order.end(),
                         [&](const auto* a, const auto* b) { return Compare(r, a->first, b->first, "<") == -1; });
      }
      *out += '{';
      bool first = true;
      for (const auto* entry : order) {
        if (!first) *out += style.item_separator;
        first = false;
        NewLine(out, style, level + 1);
        AppendJsonString(out, JsonKey(entry->first), style.ascii);
        *out += style.key_separator;
        AppendJson(r, out, entry->second, style, level + 1);
      }
      NewLine(out, style, level);
      *out += '}';
      return;
    }
    default: Fail(Cat("an object of type ", TypeName(value), " cannot be written as JSON"));
  }
}

}  // namespace atelier::text::jinja
