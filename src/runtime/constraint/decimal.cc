#include "runtime/constraint/decimal.h"

#include <algorithm>

#include "base/str.h"

namespace atelier::runtime {
namespace {

using Id = Regulars::Id;

constexpr int kDigits = 15;

// The texts of magnitudes (no sign) on one side of a bound.
class Side {
 public:
  Side(Regulars* regulars, bool above) : r_(*regulars), above_(above) {}

  // Magnitudes above (or below) whole.fraction, or equal to it where `equal`.
  Id Texts(const Decimal& bound, bool equal) {
    const Id any_fraction = r_.Either({Regulars::kEmpty, r_.Then(Point(), r_.Repeat(Digit('0', '9'), 1, -1))});
    return r_.Either({r_.Then(Whole(bound.whole), any_fraction),
                      r_.Then(r_.Text(std::string_view(bound.whole)), Fraction(bound.fraction, equal))});
  }

 private:
  Id Digit(int first, int last) {
    if (first > last) return Regulars::kNothing;
    return r_.Set({{static_cast<char32_t>(first), static_cast<char32_t>(last)}});
  }
  Id Point() { return Digit('.', '.'); }
  Id Digits(size_t count) { return r_.Repeat(Digit('0', '9'), static_cast<int>(count), static_cast<int>(count)); }
  // Whole numbers strictly beyond w.
  Id Whole(const std::string& w) {
    std::vector<Id> parts;
    const auto length = static_cast<int>(w.size());
    if (above_) {
      parts.push_back(r_.Then(Digit('1', '9'), r_.Repeat(Digit('0', '9'), length, -1)));
    } else if (length > 1) {
      parts.push_back(Digit('0', '0'));
      parts.push_back(r_.Then(Digit('1', '9'), r_.Repeat(Digit('0', '9'), 0, length - 2)));
    }
    for (size_t i = 0; i < w.size(); ++i) {  // the same up to i, beyond there
      const int zero = i == 0 && length > 1 ? '1' : '0';
      const Id beyond = above_ ? Digit(std::max(w[i] + 1, zero), '9') : Digit(zero, w[i] - 1);
      parts.push_back(r_.Then({r_.Text(std::string_view(w).substr(0, i)), beyond, Digits(w.size() - i - 1)}));
    }
    return r_.Either(std::move(parts));
  }
  // What may follow the very whole number: nothing, or a point and digits, beyond 0.f.
  Id Fraction(const std::string& f, bool equal) {
    const Id digits = r_.Repeat(Digit('0', '9'), 0, -1), zeros = r_.Repeat(Digit('0', '0'), 0, -1);
    const Id positive = r_.Then({zeros, Digit('1', '9'), digits});
    std::vector<Id> parts;
    if (above_) {
      if (equal && f.empty())
        parts.push_back(r_.Either({Regulars::kEmpty, r_.Then({Point(), Digit('0', '9'), digits})}));
      for (size_t i = 0; i < f.size(); ++i) {
        parts.push_back(r_.Then({Point(), r_.Text(std::string_view(f).substr(0, i)), Digit(f[i] + 1, '9'), digits}));
      }
      if (equal && !f.empty()) parts.push_back(r_.Then({Point(), r_.Text(std::string_view(f)), digits}));
      if (!equal) parts.push_back(r_.Then({Point(), r_.Text(std::string_view(f)), positive}));
    } else {
      if (equal || !f.empty()) parts.push_back(Regulars::kEmpty);
      for (size_t i = 0; i < f.size(); ++i) {
        const Id same = r_.Text(std::string_view(f).substr(0, i));
        parts.push_back(r_.Then({Point(), same, Digit('0', f[i] - 1), digits}));
        if (i > 0) parts.push_back(r_.Then(Point(), same));  // shorter is less
      }
      if (equal) parts.push_back(r_.Then({Point(), r_.Text(std::string_view(f)), zeros}));
    }
    return r_.Either(std::move(parts));
  }

  Regulars& r_;
  const bool above_;
};

int CompareMagnitudes(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  if (const int order = a.whole.compare(b.whole); order != 0) return order < 0 ? -1 : 1;
  const int order = a.fraction.compare(b.fraction);
  return order == 0 ? 0 : order < 0 ? -1 : 1;
}

}  // namespace

Decimal DecimalOf(const Json& number) {
  std::string text;
  if (number.is_number_unsigned()) {
    text = Cat(number.get<uint64_t>());
  } else if (number.is_number_integer()) {
    text = Cat(number.get<int64_t>());
  } else {
    text = Cat(number.get<double>());
  }
  Decimal out;
  int exponent = 0;
  size_t at = 0;
  if (text[0] == '-') {
    out.negative = true;
    ++at;
  }
  const size_t e = text.find_first_of("eE");
  if (e != std::string::npos) {
    std::string_view power = std::string_view(text).substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    exponent = static_cast<int>(ParseInt(power).value_or(0));
  }
  const std::string mantissa = text.substr(at, e == std::string::npos ? e : e - at);
  const size_t point = mantissa.find('.');
  std::string digits = mantissa.substr(0, point);
  auto places = static_cast<int64_t>(digits.size());
  if (point != std::string::npos) digits += mantissa.substr(point + 1);
  places += exponent;
  if (places < 0) {
    digits.insert(0, static_cast<size_t>(-places), '0');
    places = 0;
  }
  if (static_cast<size_t>(places) > digits.size()) digits.append(static_cast<size_t>(places) - digits.size(), '0');
  out.whole = digits.substr(0, static_cast<size_t>(places));
  out.fraction = digits.substr(static_cast<size_t>(places));
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  while (!out.fraction.empty() && out.fraction.back() == '0') out.fraction.pop_back();
  if (out.whole.empty()) out.whole = "0";
  if (out.zero()) out.negative = false;
  return out;
}

int Compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const int order = CompareMagnitudes(a, b);
  return a.negative ? -order : order;
}

std::optional<int64_t> SmallInteger(const Decimal& d) {
  if (!d.integer() || d.whole.size() > 18) return std::nullopt;
  const auto value = ParseInt(d.whole);
  return value && d.negative ? std::optional<int64_t>(-*value) : value;
}

std::optional<bool> IsMultiple(const Decimal& a, const Decimal& b) {
  const size_t places = std::max(a.fraction.size(), b.fraction.size());
  const auto scaled = [&](const Decimal& d) {
    std::string text = d.whole + d.fraction + std::string(places - d.fraction.size(), '0');
    text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
    return text.size() > 18 ? std::nullopt : ParseInt(text);
  };
  const auto x = scaled(a), y = scaled(b);
  if (!x || !y) return std::nullopt;
  return *x % *y == 0;
}

bool NumberBounds::Crossed() const {
  const int order = least && most ? Compare(*least, *most) : -1;
  return order > 0 || (order == 0 && (above_least || below_most));
}

Regulars::Id NumbersWithin(Regulars* regulars, const NumberBounds& bounds) {
  Regulars& r = *regulars;
  const auto digit = [&](char32_t first, char32_t last) { return r.Set({{first, last}}); };
  // The shape of a magnitude.
  size_t places = 6;
  for (const auto& bound : {bounds.least, bounds.most}) {
    if (bound) places = std::max(places, std::min<size_t>(bound->fraction.size() + 2, kDigits - 1));
  }
  const auto whole = [&](int digits) {
    return r.Either({digit('0', '0'), r.Then(digit('1', '9'), r.Repeat(digit('0', '9'), 0, digits - 1))});
  };
  std::vector<Id> shapes = {whole(kDigits)};
  if (!bounds.integer && bounds.multiples.empty()) {
    shapes.push_back(r.Then({whole(kDigits - static_cast<int>(places)), digit('.', '.'),
                             r.Repeat(digit('0', '9'), 1, static_cast<int>(places))}));
  }
  std::vector<Id> both = {r.Either(std::move(shapes))};
  for (int m : bounds.multiples) both.push_back(r.Modulo(m, 0));
  const Id shape = r.Both(std::move(both));
  const Decimal zero{false, "0", ""};
  const auto &least = bounds.least, &most = bounds.most;
  std::vector<Id> out;
  if (!most || Compare(*most, zero) >= 0) {
    std::vector<Id> parts = {shape};
    if (least && !least->negative) parts.push_back(Side(&r, true).Texts(*least, !bounds.above_least));
    if (most) parts.push_back(Side(&r, false).Texts(*most, !bounds.below_most));
    out.push_back(r.Both(std::move(parts)));
  }
  if (!least || least->negative) {
    std::vector<Id> parts = {shape, Side(&r, true).Texts(zero, false)};
    if (least) parts.push_back(Side(&r, false).Texts(*least, !bounds.above_least));
    if (most && most->negative) parts.push_back(Side(&r, true).Texts(*most, !bounds.below_most));
    out.push_back(r.Then(digit('-', '-'), r.Both(std::move(parts))));
  }
  return r.Either(std::move(out));
}

}  // namespace atelier::runtime
