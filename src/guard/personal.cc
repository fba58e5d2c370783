#include "guard/personal.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::guard {
namespace {

constexpr Personal kAll[] = {Personal::kEmail, Personal::kPhone,   Personal::kIdentity,
                             Personal::kCard,  Personal::kIban,    Personal::kPassport,
                             Personal::kName,  Personal::kAddress, Personal::kNetwork};
constexpr std::string_view kNames[] = {"email",    "phone", "identity", "card",   "iban",
                                       "passport", "name",  "address",  "network"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlnum(char c) { return IsDigit(c) || IsAlpha(c); }

// The text with one char for each character: ASCII as it is, full-width forms as the plain ones, other letters and
// digits as kOther, the rest as kMark.
constexpr char kOther = '\x7f', kMark = '\x01';
struct Folded {
  std::string chars;
  std::vector<size_t> at;  // [chars + 1] byte offsets

  explicit Folded(std::string_view text) {
    chars.reserve(text.size());
    at.reserve(text.size() + 1);
    for (size_t i = 0; i < text.size();) {
      at.push_back(i);
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 0x80) {
        chars += byte == 0x7f ? kMark : text[i];
        ++i;
        continue;
      }
      const text::DecodedChar one = text::DecodeChar(text.substr(i));
      const bool full_width = one.c >= 0xFF01 && one.c <= 0xFF5E;
      chars += full_width                                       ? static_cast<char>(one.c - 0xFEE0)
               : one.c == 0x3000                                ? ' '
               : text::IsLetter(one.c) || text::IsNumber(one.c) ? kOther
                                                                : kMark;
      i += one.length;
    }
    at.push_back(text.size());
  }
  size_t size() const { return chars.size(); }
  char operator[](size_t i) const { return i < chars.size() ? chars[i] : '\0'; }
};

struct Found {
  size_t begin, end;  // characters
};
using Finder = std::optional<Found> (*)(const Folded& text, size_t at);

// Digits from `at` on, with at most one of `marks` between two of them; `count` says how many, at most `most`.
size_t Digits(const Folded& text, size_t at, std::string_view marks, size_t most, std::string* digits) {
  size_t end = at;
  for (size_t i = at; digits->size() < most; ++i) {
    if (IsDigit(text[i])) {
      *digits += text[i];
      end = i + 1;
    } else if (marks.find(text[i]) == std::string_view::npos || !IsDigit(text[i + 1]) || i == at || text[i] == '\0') {
      break;
    }
  }
  return end;
}

bool Free(const Folded& text, size_t begin, size_t end) {  // no digit or letter goes on on either side
  return (begin == 0 || !IsAlnum(text[begin - 1])) && !IsAlnum(text[end]);
}

// --- forms

std::optional<Found> Email(const Folded& text, size_t at) {  // `at` is the @
  if (text[at] != '@') return {};
  const auto local = [](char c) { return IsAlnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-'; };
  size_t begin = at, end = at + 1;
  while (begin > 0 && at - begin < 64 && local(text[begin - 1])) --begin;
  while (begin < at && (text[begin] == '.' || text[begin] == '-')) ++begin;
  if (begin == at) return {};
  size_t last_dot = 0;
  while (end - at < 255 && (IsAlnum(text[end]) || ((text[end] == '-' || text[end] == '.') && IsAlnum(text[end + 1])))) {
    if (text[end] == '.') last_dot = end;
    ++end;
  }
  if (last_dot == 0 || end - last_dot < 3 || !IsAlpha(text[last_dot + 1])) return {};
  return Found{begin, end};
}

std::optional<Found> Phone(const Folded& text, size_t at) {
  const char c = text[at];
  if (c != '+' && c != '(' && !IsDigit(c)) return {};
  if (at > 0 && (IsAlnum(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == '+')) return {};
  std::string digits;
  if (c == '+') {  // E.164: at most 15 digits
    std::string all;
    size_t end = at + 1, open = 0;
    for (size_t i = at + 1; i < text.size() && all.size() < 15; ++i) {
      if (IsDigit(text[i])) {
        all += text[i];
        end = i + 1;
      } else if (text[i] == '(' && open == 0) {
        ++open;
      } else if (text[i] != ')' && text[i] != ' ' && text[i] != '-' && text[i] != '.') {
        break;
      } else if ((text[i] == ' ' || text[i] == '-' || text[i] == '.') && !IsDigit(text[i + 1]) && text[i + 1] != '(') {
        break;
      }
    }
    if (all.size() < 8 || all[0] == '0' || IsAlnum(text[end])) return {};
    return Found{at, end};
  }
  if (c == '(') {  // (212) 555-0123, (010) 6552 9988
    size_t i = at + 1;
    while (IsDigit(text[i]) && i - at <= 4) ++i;
    const size_t area = i - at - 1;
    if (text[i] != ')' || area < 3) return {};
    ++i;
    if (text[i] == ' ') ++i;
    const size_t end = Digits(text, i, "- ", 8, &digits);
    if ((digits.size() != 7 && digits.size() != 8) || IsAlnum(text[end])) return {};
    return Found{at, end};
  }
  const size_t end = Digits(text, at, "- ", 15, &digits);
  if (!Free(text, at, end) || text[end] == '.' || (text[end] == '-' && IsDigit(text[end + 1]))) return {};
  std::string_view mobile = digits;
  for (const std::string_view code : {"0086", "86"}) {
    if (mobile.size() == 11 + code.size() && mobile.starts_with(code)) mobile.remove_prefix(code.size());
  }
  if (mobile.size() == 11 && mobile[0] == '1' && mobile[1] >= '3') return Found{at, end};
  const bool marked = end - at > digits.size();
  if (!marked) return {};  // a bare row of digits of another length is an order number as well
  const std::string_view written = std::string_view(text.chars).substr(at, end - at);
  const size_t mark = written.find_first_of("- ");
  if (digits[0] == '0' && digits[1] != '0' && (mark == 3 || mark == 4) && digits.size() - mark >= 7 &&
      digits.size() - mark <= 8)
    return Found{at, end};  // 010-65529988, 0571-8765 4321
  if (digits.size() == 10 && mark == 3 && digits[0] >= '2' && digits[3] >= '2' && written.size() == 12 &&
      written[7] == written[3] && text[end] != kOther)
    return Found{at, end};  // 212-555-0123
  return {};
}

bool IsDate(std::string_view digits) {  // YYYYMMDD
  const int year = std::stoi(std::string(digits.substr(0, 4))), month = std::stoi(std::string(digits.substr(4, 2))),
            day = std::stoi(std::string(digits.substr(6, 2)));
  return year >= 1800 && year <= 2099 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

std::optional<Found> Identity(const Folded& text, size_t at) {
  if (!IsDigit(text[at]) || (at > 0 && (IsAlnum(text[at - 1]) || text[at - 1] == '-'))) return {};
  std::string digits;
  const size_t end = Digits(text, at, "", 18, &digits);
  if (digits.size() >= 17) {
    const char last = digits.size() == 18 ? digits[17] : text[end];
    const size_t stop = digits.size() == 18 ? end : end + 1;
    if ((!IsDigit(last) && last != 'X' && last != 'x') || IsAlnum(text[stop])) return {};
    constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (size_t i = 0; i < 17; ++i) sum += (digits[i] - '0') * kWeights[i];
    const char wanted = "10X98765432"[sum % 11];
    const bool province = digits[0] >= '1' && digits[0] <= '8' && digits[1] >= '1';
    if ((last == 'x' ? 'X' : last) == wanted && province && IsDate(std::string_view(digits).substr(6, 8)))
      return Found{at, stop};
    return {};
  }
  if (digits.size() == 3 && text[end] == '-') {  // 078-05-1120
    std::string group, serial;
    const size_t middle = Digits(text, end + 1, "", 3, &group);
    if (group.size() != 2 || text[middle] != '-') return {};
    const size_t stop = Digits(text, middle + 1, "", 5, &serial);
    const bool valid = digits != "000" && digits != "666" && digits[0] != '9' && group != "00" && serial != "0000";
    if (serial.size() == 4 && valid && !IsAlnum(text[stop]) && text[stop] != '-') return Found{at, stop};
  }
  return {};
}

std::optional<Found> Card(const Folded& text, size_t at) {
  if (!IsDigit(text[at]) || (at > 0 && (IsAlnum(text[at - 1]) || text[at - 1] == '-' || text[at - 1] == '.')))
    return {};
  std::string digits;
  const size_t end = Digits(text, at, " -", 20, &digits);
  if (digits.size() < 13 || digits.size() > 19 || !Free(text, at, end)) return {};
  const int two = (digits[0] - '0') * 10 + digits[1] - '0';
  const size_t length = digits.size();
  const bool issuer = (digits[0] == '4' && (length == 13 || length == 16 || length == 19)) ||
                      (two >= 51 && two <= 55 && length == 16) || (two >= 22 && two <= 27 && length == 16) ||
                      ((two == 34 || two == 37) && length == 15) || (two == 35 && length >= 16) ||
                      (two == 62 && length >= 16) || ((two == 60 || two == 64 || two == 65) && length >= 16);
  if (!issuer) return {};
  int sum = 0;
  for (size_t i = 0; i < length; ++i) {
    int digit = digits[length - 1 - i] - '0';
    if (i % 2 == 1 && (digit *= 2) > 9) digit -= 9;
    sum += digit;
  }
  if (sum % 10 != 0) return {};
  return Found{at, end};
}

struct Country {
  std::string_view code;
  size_t length;
};
constexpr Country kIbans[] = {{"AE", 23}, {"AT", 20}, {"BE", 16}, {"BG", 22}, {"CH", 21}, {"CY", 28}, {"CZ", 24},
                              {"DE", 22}, {"DK", 18}, {"EE", 20}, {"ES", 24}, {"FI", 18}, {"FR", 27}, {"GB", 22},
                              {"GR", 27}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IS", 26}, {"IT", 27},
                              {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"MC", 27}, {"MT", 31}, {"NL", 18},
                              {"NO", 15}, {"PL", 28}, {"PT", 25}, {"RO", 24}, {"SA", 24}, {"SE", 24}, {"SI", 19},
                              {"SK", 24}, {"TR", 26}, {"UA", 29}};

std::optional<Found> Iban(const Folded& text, size_t at) {
  if (!IsAlpha(text[at]) || !IsAlpha(text[at + 1]) || !IsDigit(text[at + 2]) || !IsDigit(text[at + 3])) return {};
  if (at > 0 && IsAlnum(text[at - 1])) return {};
  std::string code = text.chars.substr(at, 2);
  for (char& c : code) c = static_cast<char>(c & ~0x20);
  const auto country =
      std::find_if(std::begin(kIbans), std::end(kIbans), [&](const Country& one) { return one.code == code; });
  if (country == std::end(kIbans)) return {};
  std::string all;
  size_t end = at;
  for (size_t i = at; all.size() < country->length; ++i) {
    if (IsAlnum(text[i])) {
      all += static_cast<char>(IsAlpha(text[i]) ? text[i] & ~0x20 : text[i]);
      end = i + 1;
    } else if (text[i] != ' ' || !IsAlnum(text[i + 1])) {
      return {};
    }
  }
  if (IsAlnum(text[end])) return {};
  std::rotate(all.begin(), all.begin() + 4, all.end());
  int rest = 0;
  for (const char c : all) {
    const int value = IsDigit(c) ? c - '0' : c - 'A' + 10;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  if (rest != 1) return {};
  return Found{at, end};
}

std::optional<Found> Network(const Folded& text, size_t at) {
  if (!IsDigit(text[at]) || (at > 0 && (IsAlnum(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == '-')))
    return {};
  size_t i = at;
  for (int part = 0; part < 4; ++part) {
    int value = 0;
    const size_t begin = i;
    while (IsDigit(text[i]) && i - begin < 3) value = value * 10 + (text[i++] - '0');
    if (i == begin || value > 255 || (i - begin > 1 && text[begin] == '0')) return {};
    if (part < 3 && text[i++] != '.') return {};
  }
  if (IsAlnum(text[i]) || (text[i] == '.' && IsDigit(text[i + 1]))) return {};
  return Found{at, i};
}

// --- behind labels

struct Label {
  Personal kind;
  std::string_view word;  // lower case where Latin
};
constexpr Label kLabels[] = {
    {Personal::kName, "姓名"},
    {Personal::kName, "收件人"},
    {Personal::kName, "收货人"},
    {Personal::kName, "联系人"},
    {Personal::kName, "寄件人"},
    {Personal::kName, "客户姓名"},
    {Personal::kName, "full name"},
    {Personal::kName, "customer name"},
    {Personal::kName, "contact name"},
    {Personal::kName, "recipient"},
    {Personal::kName, "name"},
    {Personal::kAddress, "收货地址"},
    {Personal::kAddress, "家庭住址"},
    {Personal::kAddress, "住址"},
    {Personal::kAddress, "地址"},
    {Personal::kAddress, "address"},
    {Personal::kAddress, "shipping address"},
    {Personal::kPassport, "护照号码"},
    {Personal::kPassport, "护照号"},
    {Personal::kPassport, "护照"},
    {Personal::kPassport, "passport number"},
    {Personal::kPassport, "passport no."},
    {Personal::kPassport, "passport no"},
    {Personal::kPassport, "passport"},
};

// By first byte.
constexpr std::array<bool, 256> kBeginsLabel = [] {
  std::array<bool, 256> begins{};
  for (const Label& one : kLabels) {
    const auto first = static_cast<unsigned char>(one.word[0]);
    begins[first] = true;
    if (first >= 'a' && first <= 'z') begins[first & ~0x20u] = true;
  }
  return begins;
}();

bool StartsWithLabel(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != word[i]) return false;
  }
  return true;
}

// What stands behind "label:" at a byte offset, where a label begins there.
std::optional<PersonalSpan> Labelled(std::string_view text, size_t at, const std::function<bool(Personal)>& wanted) {
  const std::string_view rest = text.substr(at);
  if (!kBeginsLabel[static_cast<unsigned char>(rest[0])]) return {};
  const Label* label = nullptr;
  for (const Label& one : kLabels) {
    if (wanted(one.kind) && StartsWithLabel(rest, one.word) &&
        (label == nullptr || one.word.size() > label->word.size()))
      label = &one;
  }
  if (label == nullptr) return {};
  const bool latin = static_cast<unsigned char>(label->word[0]) < 0x80;
  if (latin && at > 0 && (IsAlnum(text[at - 1]) || text[at - 1] == '_')) return {};
  size_t i = at + label->word.size();
  const auto skip_spaces = [&] {
    while (i < text.size() && text[i] == ' ') ++i;
  };
  skip_spaces();
  const std::string_view behind = text.substr(i);
  if (behind.starts_with(":")) {
    i += 1;
  } else if (behind.starts_with("：")) {
    i += std::string_view("：").size();
  } else if (label->kind != Personal::kPassport) {
    return {};
  }
  skip_spaces();
  const size_t begin = i;
  size_t chars = 0, words = 0;
  bool han = false;
  const size_t most = label->kind == Personal::kAddress ? 120 : label->kind == Personal::kPassport ? 9 : 40;
  while (i < text.size() && chars < most) {
    const text::DecodedChar one = text::DecodeChar(text.substr(i));
    const bool letter = text::IsLetter(one.c) || text::IsMark(one.c);
    if (label->kind == Personal::kPassport) {
      if (one.c > 0x7f || !IsAlnum(static_cast<char>(one.c))) break;
    } else if (label->kind == Personal::kName) {
      han = han || text::IsHan(one.c);
      if (one.c == ' ' && (han || ++words >= 4)) break;
      if (!letter && one.c != ' ' && one.c != 0xB7 && one.c != '\'' && one.c != '-' && one.c != '.') break;
      if (han && chars >= 15) break;
    } else if (one.c == '\n' || one.c == '\r' || one.c == ';' || one.c == 0xFF1B || one.c == 0x3002 || one.c == '|') {
      break;
    }
    i += one.length;
    ++chars;
  }
  size_t end = i;
  while (end > begin && (text[end - 1] == ' ' || text[end - 1] == '.')) --end;
  if (label->kind == Personal::kPassport) {
    const std::string_view value = text.substr(begin, end - begin);
    const auto digits = std::count_if(value.begin(), value.end(), IsDigit);
    if (value.size() < 8 || digits < 6 || (i < text.size() && IsAlnum(text[i]))) return {};
  }
  if (end == begin) return {};
  return PersonalSpan{label->kind, begin, end};
}

std::string Shape(std::string_view value, Personal kind) {
  std::string out;
  const size_t chars = text::CountChars(value);
  const size_t front = kind == Personal::kPhone && chars >= 11 ? 3 : 1;
  const size_t back = chars < 6 ? 0 : kind == Personal::kName || kind == Personal::kAddress ? 0 : chars >= 11 ? 4 : 1;
  size_t number = 0;
  for (size_t i = 0; i < value.size(); ++number) {
    const text::DecodedChar one = text::DecodeChar(value.substr(i));
    const bool mark = one.c == '@' || one.c == '.' || one.c == '-' || one.c == ' ';
    if (number < front || number + back >= chars || mark) {
      out += value.substr(i, one.length);
    } else {
      out += '*';
    }
    i += one.length;
  }
  return out;
}

// Equal values are written alike: digits and letters alone count, in lower case.
std::string Pseudonym(std::string_view value, Personal kind, const std::string& secret) {
  if (secret.size() < 16) throw Error(Code::kInvalidInput, "pseudonyms need a secret of at least 16 bytes");
  std::string plain(Name(kind));
  const bool digits_only = kind == Personal::kPhone || kind == Personal::kCard;
  const Folded folded(value);
  for (size_t i = 0; i < folded.size(); ++i) {
    const char c = folded.chars[i];
    if (c == kOther || c == kMark) plain += value.substr(folded.at[i], folded.at[i + 1] - folded.at[i]);
    if (digits_only ? IsDigit(c) : IsAlnum(c) || c == '@' || c == '.')
      plain += static_cast<char>(IsAlpha(c) ? c | 0x20 : c);
  }
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  std::array<unsigned char, crypto_generichash_KEYBYTES> key{};
  crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     nullptr, 0);
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                     key.data(), key.size());
  std::array<char, 17> hex{};
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), 8);
  return hex.data();
}

}  // namespace

std::string_view Name(Personal kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<Personal> PersonalFrom(std::string_view name) {
  for (const Personal kind : kAll) {
    if (Name(kind) == name) return kind;
  }
  return {};
}

std::span<const Personal> AllPersonal() { return kAll; }

std::vector<PersonalSpan> FindPersonal(std::string_view text, std::span<const Personal> kinds) {
  std::vector<PersonalSpan> spans;
  const auto wanted = [&](Personal kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); };
  // In the order of certainty: where two forms fit, the one with the better check.
  constexpr std::pair<Personal, Finder> kFinders[] = {{Personal::kIban, Iban},   {Personal::kIdentity, Identity},
                                                      {Personal::kCard, Card},   {Personal::kNetwork, Network},
                                                      {Personal::kPhone, Phone}, {Personal::kEmail, Email}};
  const Folded folded(text);
  size_t free_from = 0;  // characters before it are taken
  for (size_t i = 0; i < folded.size(); ++i) {
    if (i < free_from) continue;
    const char c = folded.chars[i];
    const bool starts = IsDigit(c) || c == '+' || c == '(' || c == '@' ||
                        (IsAlpha(c) && IsAlpha(folded[i + 1]) && IsDigit(folded[i + 2]));
    if (!starts) continue;
    for (const auto& [kind, find] : kFinders) {
      if (!wanted(kind)) continue;
      const std::optional<Found> found = find(folded, i);
      if (!found || found->begin < free_from) continue;
      spans.push_back({kind, folded.at[found->begin], folded.at[found->end]});
      free_from = found->end;
      break;
    }
  }
  if (wanted(Personal::kName) || wanted(Personal::kAddress) || wanted(Personal::kPassport)) {
    std::vector<PersonalSpan> labelled;
    for (size_t i = 0; i < text.size();) {
      const std::optional<PersonalSpan> found = Labelled(text, i, wanted);
      if (found) labelled.push_back(*found);
      i = found ? found->end : i + 1;
    }
    // Where a form lies inside a labelled value or cuts it, the longer of the two stays.
    std::vector<PersonalSpan> both;
    size_t next = 0;
    for (const PersonalSpan& one : labelled) {
      while (next < spans.size() && spans[next].end <= one.begin) both.push_back(spans[next++]);
      size_t behind = next;
      bool longer = true;
      for (; behind < spans.size() && spans[behind].begin < one.end; ++behind)
        longer = longer && spans[behind].end - spans[behind].begin < one.end - one.begin;
      if (!longer) continue;
      both.push_back(one);
      next = behind;
    }
    both.insert(both.end(), spans.begin() + static_cast<std::ptrdiff_t>(next), spans.end());
    return both;
  }
  return spans;
}

std::string MaskPersonal(std::string_view text, const std::vector<PersonalSpan>& spans, const MaskOptions& options) {
  std::string out;
  size_t at = 0;
  for (const PersonalSpan& span : spans) {
    out += text.substr(at, span.begin - at);
    const std::string_view value = text.substr(span.begin, span.end - span.begin);
    switch (options.style) {
      case MaskStyle::kLabel: out += Cat("[", Name(span.kind), "]"); break;
      case MaskStyle::kShape: out += Shape(value, span.kind); break;
      case MaskStyle::kPseudonym:
        out += Cat("[", Name(span.kind), ":", Pseudonym(value, span.kind, options.secret), "]");
        break;
    }
    at = span.end;
  }
  out += text.substr(at);
  return out;
}

}  // namespace atelier::guard
