// Values as text: str(), repr(), JSON and HTML.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/value.h"

namespace atelier::text::jinja {

std::string FloatText(double value);  // Python's repr(float)
void AppendRepr(Renderer& renderer, std::string* out, const Value& value);
void AppendText(Renderer& renderer, std::string* out, const Value& value);  // str()
std::string ToStr(Renderer& renderer, const Value& value);
std::string Repr(Renderer& renderer, const Value& value);
std::string Escaped(std::string_view text);  // & < > ' "

struct JsonStyle {
  bool ascii = false;
  bool pretty = false;  // a line per item
  std::string indent;
  std::string item_separator = ", ", key_separator = ": ";
  bool sort_keys = false;
};
// As json.dumps writes it; Fail for what JSON cannot hold.
void AppendJson(Renderer& renderer, std::string* out, const Value& value, const JsonStyle& style, int level = 0);

// The text as a Python literal, in quotes.
void AppendQuoted(std::string* out, std::string_view text);

}  // namespace atelier::text::jinja
