#include "runtime/constraint/char_set.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "text/unicode.h"

namespace atelier::runtime {
namespace {

constexpr char32_t kLast = 0x10FFFF;

CharSet OfProperty(uint16_t property) {
  static std::mutex mutex;
  static std::map<uint16_t, CharSet> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(property); found != known.end()) return found->second;
  CharSet set;
  for (char32_t c = 0; c <= kLast;) {
    if ((text::Properties(c) & property) == 0) {
      ++c;
      continue;
    }
    const char32_t first = c;
    while (c <= kLast && (text::Properties(c) & property) != 0) ++c;
    set = set.Or(CharSet{{first, c - 1}});
  }
  return known[property] = set;
}

}  // namespace

CharSet::CharSet(std::initializer_list<CharRange> ranges) : ranges_(ranges) { Normalise(); }

CharSet CharSet::All() { return {{0, kLast}}; }

void CharSet::Normalise() {
  std::vector<CharRange> parts;
  for (CharRange r : ranges_) {  // without surrogates
    if (r.first <= 0xD7FF) parts.push_back({r.first, std::min<char32_t>(r.last, 0xD7FF)});
    if (r.last >= 0xE000) parts.push_back({std::max<char32_t>(r.first, 0xE000), std::min(r.last, kLast)});
  }
  std::sort(parts.begin(), parts.end(), [](CharRange a, CharRange b) { return a.first < b.first; });
  ranges_.clear();
  for (CharRange r : parts) {
    if (r.first > r.last) continue;
    if (!ranges_.empty() && r.first <= ranges_.back().last + 1) {
      ranges_.back().last = std::max(ranges_.back().last, r.last);
    } else {
      ranges_.push_back(r);
    }
  }
}

CharSet CharSet::Or(const CharSet& other) const {
  CharSet out = *this;
  if (other.ranges_.size() == 1 && (ranges_.empty() || other.ranges_[0].first > ranges_.back().last + 1)) {
    out.ranges_.push_back(other.ranges_[0]);  // built in order
    return out;
  }
  out.ranges_.insert(out.ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  out.Normalise();
  return out;
}

CharSet CharSet::Negated() const {
  CharSet out;
  char32_t next = 0;
  for (CharRange r : ranges_) {
    if (r.first > next) out.ranges_.push_back({next, r.first - 1});
    next = r.last + 1;
  }
  if (next <= kLast) out.ranges_.push_back({next, kLast});
  out.Normalise();
  return out;
}

CharSet CharSet::And(const CharSet& other) const { return Negated().Or(other.Negated()).Negated(); }

bool CharSet::Contains(char32_t c) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), c, [](char32_t x, CharRange r) { return x < r.first; });
  return after != ranges_.begin() && c <= std::prev(after)->last;
}

std::optional<CharSet> PropertySet(std::string_view name) {
  for (std::string_view prefix : {"Script=", "script=", "sc=", "gc=", "General_Category="}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  static const std::map<std::string_view, uint16_t> names = {
      {"L", text::kLetter},      {"Letter", text::kLetter},
      {"M", text::kMark},        {"Mark", text::kMark},
      {"N", text::kNumber},      {"Number", text::kNumber},
      {"P", text::kPunctuation}, {"Punctuation", text::kPunctuation},
      {"S", text::kSymbol},      {"Symbol", text::kSymbol},
      {"Z", text::kSeparator},   {"Separator", text::kSeparator},
      {"Lu", text::kUpper},      {"Uppercase_Letter", text::kUpper},
      {"Ll", text::kLower},      {"Lowercase_Letter", text::kLower},
      {"Han", text::kHan},       {"Hani", text::kHan},
      {"Latin", text::kLatin},   {"Latn", text::kLatin}};
  const auto found = names.find(name);
  if (found == names.end()) return std::nullopt;
  return OfProperty(found->second);
}

CharSet WhiteSpace() { return OfProperty(text::kSpace); }

}  // namespace atelier::runtime
