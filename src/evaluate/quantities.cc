#include "evaluate/quantities.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/str.h"
#include "evaluate/units_table.h"

namespace atelier::evaluate {
namespace {

// The text as code points (full-width forms folded, Latin in lower case) with their byte offsets.
struct Chars {
  std::u32string text;
  std::vector<size_t> at;  // [text.size() + 1]
};

Chars Fold(std::string_view text) {
  Chars out;
  for (size_t i = 0; i < text.size();) {
    int32_t step = 0;
    UChar32 c = 0;
    U8_NEXT(reinterpret_cast<const uint8_t*>(text.data()) + i, step,
            static_cast<int32_t>(std::min<size_t>(text.size() - i, U8_MAX_LENGTH)), c);
    if (c >= 0xFF01 && c <= 0xFF5E && c != 0xFF0C) c -= 0xFEE0;  // a full-width comma parts no thousands
    if (c == 0x3000 || c == 0xA0 || c == 0x202F) c = ' ';
    if (c == 0x2010 || c == 0x2011 || c == 0x2013) c = '-';
    out.text.push_back(c < 0 ? U'\uFFFD' : static_cast<char32_t>(c < 0x80 && c >= 'A' && c <= 'Z' ? c + 32 : c));
    out.at.push_back(i);
    i += static_cast<size_t>(step);
  }
  out.at.push_back(text.size());
  return out;
}

std::string Utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) {
    uint8_t buffer[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(buffer, length, static_cast<uint32_t>(c));
    out.append(reinterpret_cast<char*>(buffer), static_cast<size_t>(length));
  }
  return out;
}

bool Latin(char32_t c) { return c >= U'a' && c <= U'z'; }

int HanDigit(char32_t c) {
  constexpr std::u32string_view kDigits = U"零一二三四五六七八九";
  if (c == U'两') return 2;
  if (c == U'〇') return 0;
  const size_t at = kDigits.find(c);
  return at == std::u32string_view::npos ? -1 : static_cast<int>(at);
}
double HanPower(char32_t c) {
  switch (c) {
    case U'十': return 10;
    case U'百': return 100;
    case U'千': return 1000;
    case U'万': return 1e4;
    case U'亿': return 1e8;
    default: return 0;
  }
}
bool HanNumeral(char32_t c) { return HanDigit(c) >= 0 || HanPower(c) > 0; }

// 一百二十 = 120; 二零二四 = 2024; 三五 = 35, which no sheet holds: "three or five" is not a fact.
double HanValue(std::u32string_view run) {
  double total = 0, section = 0, digit = 0;
  bool pending = false;
  for (const char32_t c : run) {
    if (const int d = HanDigit(c); d >= 0) {
      digit = pending ? digit * 10 + d : d;
      pending = true;
      continue;
    }
    const double power = HanPower(c);
    if (power >= 1e4) {
      const double before = section + (pending ? digit : 0);
      total += (before == 0 && total == 0 ? 1 : before) * power;
      section = 0;
    } else {
      section += (pending ? digit : 1) * power;
    }
    digit = 0;
    pending = false;
  }
  return total + section + (pending ? digit : 0);
}

struct Unit {
  std::string kind = "count";
  double factor = 1;
  size_t length = 0;     // in characters, with the space or hyphen before it
  bool counter = false;  // a Chinese measure word
};

// What stands at `at`, right behind a number.
Unit ReadUnit(const Chars& chars, size_t at) {
  const std::u32string_view rest = std::u32string_view(chars.text).substr(at);
  const size_t gap = !rest.empty() && (rest[0] == U' ' || rest[0] == U'-') ? 1 : 0;
  const std::u32string_view word = rest.substr(gap);
  if (word.empty()) return {};
  if (word[0] == U'%') return {"percent", 1, gap + 1};
  if (word[0] == U'℃') return {"celsius", 1, gap + 1};
  if (word[0] == U'㎡') return {"area", 1, gap + 1};
  if (word[0] == U'°') {
    const bool named = word.size() > 1 && (word[1] == U'c' || word[1] == U'f');
    return {!named ? "degree" : word[1] == U'c' ? "celsius" : "fahrenheit", 1, gap + (named ? 2u : 1u)};
  }
  if (gap == 0 && (word[0] == U'"' || word[0] == U'″')) return {"length", 25.4, 1};
  if (Latin(word[0])) {
    size_t length = 0;
    while (length < word.size() && Latin(word[length])) ++length;
    const std::string name = Utf8(word.substr(0, length));
    for (const UnitEntry& unit : LatinUnits()) {
      if (unit.word == name) return {std::string(unit.kind), unit.factor, gap + length};
    }
    return {};
  }
  if (gap == 1 && rest[0] == U'-') return {};
  const std::string text = Utf8(word.substr(0, 4));
  const UnitEntry* best = nullptr;
  for (const UnitEntry& unit : HanUnits()) {
    if (text.starts_with(unit.word) && (best == nullptr || unit.word.size() > best->word.size())) best = &unit;
  }
  size_t counter = 0;
  for (const std::string_view word_list : HanCounters()) {
    if (text.starts_with(word_list)) counter = std::max(counter, word_list.size());
  }
  if (best != nullptr && best->word.size() >= counter)
    return {std::string(best->kind), best->factor, gap + best->word.size() / 3};
  if (counter > 0) return {"count", 1, gap + counter / 3, true};
  return {};
}

const std::map<std::string, double, std::less<>>& EnglishNumbers() {
  static const std::map<std::string, double, std::less<>> numbers = {
      {"one", 1},       {"two", 2},       {"three", 3},    {"four", 4},      {"five", 5},        {"six", 6},
      {"seven", 7},     {"eight", 8},     {"nine", 9},     {"ten", 10},      {"eleven", 11},     {"twelve", 12},
      {"thirteen", 13}, {"fourteen", 14}, {"fifteen", 15}, {"sixteen", 16},  {"seventeen", 17},  {"eighteen", 18},
      {"nineteen", 19}, {"twenty", 20},   {"thirty", 30},  {"forty", 40},    {"fifty", 50},      {"sixty", 60},
      {"seventy", 70},  {"eighty", 80},   {"ninety", 90},  {"hundred", 100}, {"thousand", 1000}, {"million", 1e6},
      {"billion", 1e9}, {"dozen", 12}};
  return numbers;
}

class Finder {
 public:
  explicit Finder(std::string_view source) : source_(source), chars_(Fold(source)), text_(chars_.text) {}

  std::vector<Quantity> Run() {
    for (size_t at = 0; at < text_.size();) {
      const char32_t c = text_[at];
      const size_t next = IsAsciiDigit(c)               ? Digits(at)
                          : Latin(c)                    ? Word(at)
                          : HanNumeral(c) || c == U'半' ? Han(at)
                                                        : at + 1;
      at = std::max(next, at + 1);
    }
    return std::move(found_);
  }

 private:
  void Add(double value, const Unit& unit, size_t begin, size_t end) {
    Quantity quantity;
    quantity.value = value * unit.factor;
    quantity.kind = unit.kind;
    quantity.begin = chars_.at[begin];
    quantity.end = chars_.at[end];
    quantity.text = std::string(source_.substr(quantity.begin, quantity.end - quantity.begin));
    found_.push_back(std::move(quantity));
  }

  // 1,299.50 元; $18; 1.5万
  size_t Digits(size_t at) {
    const size_t begin = at;
    std::string digits;
    while (at < text_.size()) {
      if (IsAsciiDigit(text_[at])) {
        digits.push_back(static_cast<char>(text_[at++]));
      } else if (text_[at] == U',' && Thousands(at)) {
        ++at;
      } else if (text_[at] == U'.' && at + 1 < text_.size() && IsAsciiDigit(text_[at + 1]) &&
                 digits.find('.') == std::string::npos) {
        digits.push_back('.');
        ++at;
      } else {
        break;
      }
    }
    double value = ParseDouble(digits).value_or(std::nan(""));
    while (at < text_.size() && HanPower(text_[at]) >= 1000) value *= HanPower(text_[at++]);
    size_t start = begin;
    if (start >= 2 && text_[start - 1] == U' ' && Currency(start - 2)) --start;
    if (start >= 1 && Currency(start - 1)) {
      Unit price{Currency(start - 1), 1, 0};
      Add(value, price, start - 1, at);
      // "¥59元" says the unit twice.
      const Unit again = ReadUnit(chars_, at);
      return again.kind == price.kind ? at + again.length : at;
    }
    const Unit unit = ReadUnit(chars_, at);
    at += unit.length;
    if (unit.length > 0 && at < text_.size() && text_[at] == U'半') {
      value += 0.5;
      ++at;
    }
    Add(value, unit, begin, at);
    return at;
  }

  bool Thousands(size_t comma) const {
    if (comma + 3 >= text_.size()) return false;
    for (size_t i = 1; i <= 3; ++i) {
      if (!IsAsciiDigit(text_[comma + i])) return false;
    }
    return comma + 4 >= text_.size() || !IsAsciiDigit(text_[comma + 4]);
  }

  const char* Currency(size_t at) const {
    switch (text_[at]) {
      case U'$': return "usd";
      case U'€': return "euro";
      case U'£': return "gbp";
      case U'¥':
      case U'￥': return "price";
      default: return nullptr;
    }
  }

  size_t Han(size_t at) {
    const size_t begin = at;
    double value = 0;
    if (text_[at] == U'半') {
      const Unit unit = ReadUnit(chars_, at + 1);
      // 半小时, 半个月, 半斤; not 半天, 半夜, 半成品, 半年 stays: it is a time one can be held to.
      if (unit.length == 0 || unit.counter || unit.kind == "night" || unit.kind == "percent" || unit.kind == "date" ||
          (unit.kind == "time" && unit.factor == 86400)) {
        return at + 1;
      }
      Add(0.5, unit, begin, at + 1 + unit.length);
      return at + 1 + unit.length;
    }
    while (at < text_.size() && HanNumeral(text_[at])) ++at;
    value = HanValue(text_.substr(begin, at - begin));
    if (at + 1 < text_.size() && text_[at] == U'点' && HanDigit(text_[at + 1]) >= 0) {  // 一点五
      double place = 0.1;
      for (++at; at < text_.size() && HanDigit(text_[at]) >= 0; ++at, place /= 10) value += place * HanDigit(text_[at]);
    }
    if (begin > 0 && text_[begin - 1] == U'第') return at;  // an ordinal counts nothing
    if (begin >= 3 && text_.substr(begin - 3, 3) == U"百分之") {
      Add(value, Unit{"percent", 1, 0}, begin - 3, at);
      return at;
    }
    if (at + 1 < text_.size() && text_.substr(at, 2) == U"分之") return at;  // 百分之五: read at the second number
    const Unit unit = ReadUnit(chars_, at);
    if (unit.length == 0) return at;
    size_t end = at + unit.length;
    if (end < text_.size() && text_[end] == U'半') {
      value += 0.5;
      ++end;
    }
    const bool idle = value == 1 && (unit.counter || unit.kind == "time" || unit.kind == "night" ||
                                     unit.kind == "month" || unit.kind == "date" || unit.kind == "degree" ||
                                     unit.kind == "percent" || unit.kind == "times" || unit.kind == "size");
    if (idle) return at;
    Add(value, unit, begin, end);
    return end;
  }

  std::string WordAt(size_t at, size_t* end) const {
    *end = at;
    while (*end < text_.size() && Latin(text_[*end])) ++*end;
    return Utf8(text_.substr(at, *end - at));
  }

  size_t Word(size_t at) {
    const size_t begin = at;
    size_t end = 0;
    const std::string first = WordAt(at, &end);
    if (begin > 0 && IsAsciiDigit(text_[begin - 1])) return end;
    if (first == "hundreds" || first == "thousands" || first == "millions" || first == "dozens") {
      Add(-1, Unit{}, begin, end);  // a boast of no exact size: never on a sheet as a number
      return end;
    }
    if (first == "half") return Half(begin, end);
    const auto& numbers = EnglishNumbers();
    if (!numbers.contains(first)) return end;
    double total = 0, current = 0;
    size_t last = end;
    for (std::string word = first; numbers.contains(word);) {
      const double value = numbers.at(word);
      if (value >= 1000) {
        total += std::max(current, 1.0) * value;
        current = 0;
      } else if (value == 100 || word == "dozen") {
        current = std::max(current, 1.0) * value;
      } else {
        current += value;
      }
      last = end;
      if (end >= text_.size() || (text_[end] != U' ' && text_[end] != U'-')) break;
      size_t next = end + 1;
      word = WordAt(next, &end);
      if (word == "and" && end < text_.size() && text_[end] == U' ') word = WordAt(end + 1, &end);
    }
    const double value = total + current;
    const Unit unit = ReadUnit(chars_, last);
    if (value == 1 && (unit.length == 0 || unit.kind == "time" || unit.kind == "night"))
      return last;  // one of, one day
    Add(value, unit, begin, last + unit.length);
    return last + unit.length;
  }

  // half an hour, half a pound, half-litre
  size_t Half(size_t begin, size_t end) {
    size_t at = end;
    for (const std::u32string_view article : {U" an", U" a"}) {
      if (text_.substr(at).starts_with(article) && at + article.size() < text_.size() &&
          text_[at + article.size()] == U' ') {
        at += article.size();
        break;
      }
    }
    const Unit unit = ReadUnit(chars_, at);
    if (unit.length == 0 || (unit.kind == "time" && unit.factor == 86400)) return end;
    Add(0.5, unit, begin, at + unit.length);
    return at + unit.length;
  }

  std::string_view source_;
  Chars chars_;
  std::u32string_view text_;
  std::vector<Quantity> found_;
};

}  // namespace

std::vector<Quantity> FindQuantities(std::string_view text) { return Finder(text).Run(); }

bool SameQuantity(const Quantity& a, const Quantity& b) {
  return a.kind == b.kind && std::abs(a.value - b.value) <= 1e-6 * std::max(std::abs(a.value), std::abs(b.value));
}

}  // namespace atelier::evaluate
