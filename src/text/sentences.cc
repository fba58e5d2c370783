#include "text/sentences.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/str.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

bool EndsSentenceZh(char32_t c) { return c == U'。' || c == U'！' || c == U'？' || c == U'…'; }

bool Closes(char32_t c) {
  switch (c) {
    case U'”':
    case U'’':
    case U'」':
    case U'』':
    case U'）':
    case U'】':
    case U'》':
    case U'"':
    case U'\'':
    case U')':
    case U']': return true;
    default: return false;
  }
}

// The word that ends right before `at`, without its dot.
std::string_view WordBefore(std::string_view text, size_t at) {
  size_t from = at;
  while (from > 0 && (std::isalnum(static_cast<unsigned char>(text[from - 1])) != 0 || text[from - 1] == '.')) --from;
  return text.substr(from, at - from);
}

// True when the dot at `at` belongs to the word before it.
bool IsAbbreviation(std::string_view text, size_t at) {
  static constexpr std::array<std::string_view, 36> kKnown = {
      "e.g", "i.e", "cf",  "vs",  "mr",  "mrs", "ms",   "dr",  "prof", "st",  "no",     "fig",
      "sec", "ch",  "vol", "ed",  "eds", "pp",  "al",   "inc", "ltd",  "co",  "corp",   "jr",
      "sr",  "jan", "feb", "mar", "apr", "aug", "sept", "oct", "nov",  "dec", "approx", "resp"};
  const std::string word = ToLowerAscii(WordBefore(text, at));
  if (word.empty()) return false;
  if (word.size() == 1 && std::isalpha(static_cast<unsigned char>(word[0])) != 0) return true;  // an initial
  // "No." is an abbreviation only before a number: people also end sentences with it.
  if (word == "no" || word == "fig" || word == "sec" || word == "ch") {
    size_t next = at + 1;
    while (next < text.size() && text[next] == ' ') ++next;
    return next < text.size() && text[next] >= '0' && text[next] <= '9';
  }
  return std::find(kKnown.begin(), kKnown.end(), word) != kKnown.end();
}

// "2." or "10." at the head of a line numbers what follows.
bool IsItemNumber(std::string_view text, size_t at, size_t sentence) {
  const std::string_view before = Trim(text.substr(sentence, at - sentence));
  return !before.empty() && before.size() <= 3 && before.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::vector<std::string_view> Sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = DecodeChar(text.substr(at));
    size_t next = at + c.length;
    bool ends = false;
    if (EndsSentenceZh(c.c)) {
      ends = true;
    } else if (c.c == U'.' || c.c == U'!' || c.c == U'?') {
      // Latin enders count before white space or the end, behind closing marks; before Han as well, but for the dot.
      size_t after = next;
      while (after < text.size()) {
        const DecodedChar d = DecodeChar(text.substr(after));
        if (!Closes(d.c)) break;
        after += d.length;
      }
      const DecodedChar d = after < text.size() ? DecodeChar(text.substr(after)) : DecodedChar{U' ', 0, true, false};
      const bool space = after >= text.size() || IsSpace(d.c);
      ends = space || (c.c != U'.' && IsHan(d.c));
      if (ends && c.c == U'.' && after < text.size()) {
        ends = !IsAbbreviation(text, at) && !IsItemNumber(text, at, begin);
        // "etc. and so on", "apt. is": a small letter goes on with the sentence.
        size_t follows = after;
        while (follows < text.size() && text[follows] == ' ') ++follows;
        if (ends && follows < text.size() && text[follows] >= 'a' && text[follows] <= 'z' &&
            ToLowerAscii(WordBefore(text, at)) == "etc") {
          ends = false;
        }
      }
    }
    if (ends) {
      while (next < text.size()) {
        const DecodedChar d = DecodeChar(text.substr(next));
        if (!Closes(d.c) && !EndsSentenceZh(d.c) && d.c != U'!' && d.c != U'?') break;
        next += d.length;
      }
      while (next < text.size()) {
        const DecodedChar d = DecodeChar(text.substr(next));
        if (!IsSpace(d.c)) break;
        next += d.length;
      }
      sentences.push_back(text.substr(begin, next - begin));
      begin = next;
    }
    at = next;
  }
  if (begin < text.size()) sentences.push_back(text.substr(begin));
  return sentences;
}

}  // namespace atelier::text
