#include "text/jinja/text_ops.h"

#include <algorithm>
#include <unordered_set>

#include "text/jinja/unicode.h"

namespace atelier::text::jinja {

std::string Capitalize(std::string_view text) {
  if (text.empty()) return "";
  size_t i = 0;
  const char32_t first = DecodeAt(text, &i);
  // Lowered as a whole: a final sigma depends on what stands before it.
  const std::string lower = Lower(text);
  const std::string lower_first = Lower(text.substr(0, i));
  return TitleCase(first) + lower.substr(std::min(lower_first.size(), lower.size()));
}

std::string TitleWords(std::string_view text) {
  std::string out;
  bool in_word = false;
  for (size_t i = 0; i < text.size();) {
    const size_t from = i;
    const char32_t c = DecodeAt(text, &i);
    const bool cased = IsUpper(c) || IsLower(c) || IsTitle(c);
    out += !cased    ? std::string(text.substr(from, i - from))
           : in_word ? Lower(text.substr(from, i - from))
                     : TitleCase(c);
    in_word = cased;
  }
  return out;
}

std::string SwapCase(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t from = i;
    const char32_t c = DecodeAt(text, &i);
    const std::string_view piece = text.substr(from, i - from);
    out += IsUpper(c) ? Lower(piece) : IsLower(c) ? Upper(piece) : std::string(piece);
  }
  return out;
}

std::string_view StripText(std::string_view text, bool given, std::string_view chars, bool left, bool right) {
  std::unordered_set<char32_t> set;
  for (size_t i = 0; i < chars.size();) set.insert(DecodeAt(chars, &i));
  auto stripped = [&](char32_t c) { return given ? set.count(c) > 0 : IsSpace(c); };
  size_t from = 0, to = text.size();
  while (left && from < to) {
    size_t next = from;
    if (!stripped(DecodeAt(text, &next))) break;
    from = next;
  }
  while (right && to > from) {
    size_t last = to - 1;
    while (last > from && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    size_t next = last;
    if (!stripped(DecodeAt(text, &next))) break;
    to = last;
  }
  return text.substr(from, to - from);
}

std::vector<std::string_view> SplitAt(std::string_view text, std::string_view separator, int64_t most) {
  std::vector<std::string_view> parts;
  size_t from = 0;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const size_t hit = FindText(text, separator, from);
    if (hit == std::string_view::npos) break;
    parts.push_back(text.substr(from, hit - from));
    from = hit + separator.size();
  }
  parts.push_back(text.substr(from));
  return parts;
}

std::vector<std::string_view> SplitAtFromRight(std::string_view text, std::string_view separator, int64_t most) {
  // Searched in the reversed text: linear, and it matches from the right as rsplit does.
  const std::string back(text.rbegin(), text.rend()), what(separator.rbegin(), separator.rend());
  std::vector<std::string_view> parts;
  for (std::string_view part : SplitAt(back, what, most)) {
    const size_t at = static_cast<size_t>(part.data() - back.data());
    parts.push_back(text.substr(text.size() - at - part.size(), part.size()));
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> SplitSpaces(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  text = StripText(text, false, "", true, false);
  while (!text.empty()) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) >= most) {
      parts.push_back(StripText(text, false, "", false, true));
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      size_t next = end;
      if (IsSpace(DecodeAt(text, &next))) break;
      end = next;
    }
    parts.push_back(text.substr(0, end));
    text = StripText(text.substr(end), false, "", true, false);
  }
  return parts;
}

std::vector<std::string_view> SplitSpacesFromRight(std::string_view text, int64_t most) {
  std::vector<std::string_view> words = SplitSpaces(text, -1);
  const int64_t count = static_cast<int64_t>(words.size());
  if (most < 0 || count <= most) return words;
  // The first words stay together with the spaces between them.
  const std::string_view last = words[static_cast<size_t>(count - most - 1)];
  const char* begin = words[0].data();
  std::vector<std::string_view> parts = {
      std::string_view(begin, static_cast<size_t>(last.data() + last.size() - begin))};
  parts.insert(parts.end(), words.end() - most, words.end());
  return parts;
}

std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t from = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t at = i;
    const char32_t c = DecodeAt(text, &i);
    if (!IsLineBreak(c)) continue;
    if (c == '\r' && i < text.size() && text[i] == '\n') ++i;
    lines.push_back(text.substr(from, (keep_ends ? i : at) - from));
    from = i;
  }
  if (from < text.size()) lines.push_back(text.substr(from));
  return lines;
}

std::string ReplaceText(Budget& budget, std::string_view text, std::string_view from, std::string_view to,
                        int64_t most) {
  budget.Scan(text.size() + from.size());
  std::string out;
  auto room = [&](size_t more) {
    if (out.size() + more > budget.max_bytes()) budget.Make(budget.max_bytes() + 1);
  };
  if (from.empty()) {  // between all code points, and at both ends
    int64_t done = 0;
    for (size_t i = 0; i <= text.size();) {
      if (most >= 0 && done >= most) {
        out += text.substr(i);
        break;
      }
      room(to.size() + 4);
      out += to;
      ++done;
      if (i == text.size()) break;
      const size_t at = i;
      DecodeAt(text, &i);
      out += text.substr(at, i - at);
    }
    return out;
  }
  size_t at = 0;
  for (int64_t done = 0; most < 0 || done < most; ++done) {
    const size_t hit = FindText(text, from, at);
    if (hit == std::string_view::npos) break;
    room(hit - at + to.size());
    out += text.substr(at, hit - at);
    out += to;
    at = hit + from.size();
  }
  room(text.size() - at);
  out += text.substr(at);
  return out;
}

std::string PadText(Budget& budget, const Str& text, int64_t width, std::string_view fill, char align) {
  const int64_t missing = width - text.Length();
  if (missing <= 0) return text.text;
  if (static_cast<uint64_t>(missing) > budget.max_bytes()) budget.Make(budget.max_bytes() + 1);
  budget.Make(static_cast<uint64_t>(missing) * fill.size());
  // Python's center puts the odd space left when the width is odd.
  const int64_t left = align == '<' ? 0 : align == '>' ? missing : missing / 2 + (missing & width & 1);
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += fill;
  out += text.text;
  for (int64_t i = left; i < missing; ++i) out += fill;
  return out;
}

bool IsKindOfText(std::string_view text, std::string_view name) {
  if (name == "isascii")
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (name == "isprintable" && text.empty()) return true;
  bool cased = false, previous_cased = false, first = true;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = DecodeAt(text, &i);
    bool fits = true;
    const bool upper = IsUpper(c) || IsTitle(c), lower = IsLower(c) && !IsTitle(c);
    if (name == "isalnum") fits = IsAlpha(c) || IsNumeric(c);
    if (name == "isalpha") fits = IsAlpha(c);
    if (name == "isdecimal") fits = IsDecimal(c);
    if (name == "isdigit") fits = IsDigit(c);
    if (name == "isnumeric") fits = IsNumeric(c);
    if (name == "isspace") fits = IsSpace(c);
    if (name == "isprintable") fits = IsPrintable(c);
    if (name == "isidentifier") fits = first ? IsNameStart(c) : IsNamePart(c);
    if (name == "islower") fits = !upper;
    if (name == "isupper") fits = !lower && !IsTitle(c);
    if (name == "istitle") fits = upper ? !previous_cased : lower ? previous_cased : true;
    if (!fits) return false;
    cased = cased || (name == "islower" ? lower : name == "isupper" ? IsUpper(c) : upper || lower);
    previous_cased = upper || lower;
    first = false;
  }
  if (name == "islower" || name == "isupper" || name == "istitle") return cased;
  return !text.empty();
}

}  // namespace atelier::text::jinja
