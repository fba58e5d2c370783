#include "guard/claims.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/str.h"

namespace atelier::guard {

struct Claims::Entry {
  std::unique_ptr<re2::RE2> pattern;
  std::vector<std::string> unless;  // lower case
  std::string reason, law;
};

namespace {

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsWordByte(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::unique_ptr<re2::RE2> Compile(Table& table, std::string_view key, const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(false);
  options.set_max_mem(8 << 20);
  auto compiled = std::make_unique<re2::RE2>(pattern, options);
  if (!compiled->ok()) table.Refuse(key, Cat(Quote(pattern), " is not a pattern: ", compiled->error()), "RE2 syntax");
  if (re2::RE2::FullMatch("", *compiled)) table.Refuse(key, Cat(Quote(pattern), " matches the empty text"));
  return compiled;
}

// Whether [begin, end) of `text` lies within an occurrence of `context`.
bool Within(std::string_view text, size_t begin, size_t end, std::string_view context) {
  if (context.size() < end - begin) return false;
  size_t from = end >= context.size() ? end - context.size() : 0;
  for (size_t at = text.find(context, from); at != std::string_view::npos && at <= begin;
       at = text.find(context, at + 1)) {
    if (at + context.size() >= end) return true;
  }
  return false;
}

}  // namespace

Claims::Claims() = default;
Claims::~Claims() = default;
Claims::Claims(Claims&&) noexcept = default;
Claims& Claims::operator=(Claims&&) noexcept = default;

size_t Claims::size() const { return entries_.size(); }

Claims Claims::Read(Table table) {
  Claims claims;
  for (Table& row : table.Tables("claim")) {
    Entry entry;
    entry.reason = row.String("reason");
    if (Trim(entry.reason).empty()) row.Refuse("reason", "is empty", "say why these words may not be used");
    entry.law = row.StringOr("law", "");
    for (const std::string& context : row.StringsOr("unless", {})) {
      if (context.empty()) row.Refuse("unless", "holds an empty text");
      entry.unless.push_back(ToLowerAscii(context));
    }
    std::vector<std::string> parts;
    if (row.Has("words")) {
      for (const std::string& word : row.Strings("words")) {
        if (Trim(word).empty()) row.Refuse("words", "holds an empty word");
        std::string quoted = re2::RE2::QuoteMeta(word);
        // \b knows ASCII only, which is what is wanted: "no. 1" ends in a digit, "100%" in a sign.
        if (IsAscii(word)) {
          if (IsWordByte(word.front())) quoted = "\\b" + quoted;
          if (IsWordByte(word.back())) quoted += "\\b";
        }
        parts.push_back(std::move(quoted));
      }
      // RE2 prefers the alternative written first: the longest word names the hit best.
      std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    }
    if (row.Has("pattern")) {
      const std::string pattern = row.String("pattern");
      Compile(row, "pattern", pattern);  // on its own first, for a message that fits
      parts.push_back(Cat("(?:", pattern, ")"));
    }
    if (parts.empty()) row.Refuse("", "an entry needs words = [...] or pattern = '...'");
    entry.pattern = Compile(row, row.Has("words") ? "words" : "pattern", Join(parts, "|"));
    row.Done();
    claims.entries_.push_back(std::move(entry));
  }
  table.Done();
  return claims;
}

std::vector<ClaimHit> Claims::Find(std::string_view text, const std::vector<std::string>& allowed) const {
  const std::string lower = ToLowerAscii(text);  // the same offsets as `text`
  std::vector<std::string> names;
  for (const std::string& name : allowed) names.push_back(ToLowerAscii(name));
  struct Found {
    size_t at;
    ClaimHit hit;
  };
  std::vector<Found> found;
  for (const Entry& entry : entries_) {
    re2::StringPiece match;
    size_t from = 0;
    while (from < lower.size() && entry.pattern->Match(lower, from, lower.size(), re2::RE2::UNANCHORED, &match, 1)) {
      const size_t begin = static_cast<size_t>(match.data() - lower.data()), end = begin + match.size();
      if (match.empty()) break;
      from = end;
      const auto holds = [&](const std::string& context) {
        return !context.empty() && Within(lower, begin, end, context);
      };
      if (std::any_of(entry.unless.begin(), entry.unless.end(), holds)) continue;
      if (std::any_of(names.begin(), names.end(), holds)) continue;
      found.push_back({begin, {std::string(text.substr(begin, end - begin)), entry.reason, entry.law}});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.at < b.at; });
  std::vector<ClaimHit> hits;
  for (Found& one : found) hits.push_back(std::move(one.hit));
  return hits;
}

}  // namespace atelier::guard
