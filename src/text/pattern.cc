#include "text/pattern.h"

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::text {

PatternText::PatternText(std::u32string characters) : chars(std::move(characters)) {
  properties.reserve(chars.size());
  for (char32_t c : chars) properties.push_back(Properties(c));
}

CharClass::CharClass(std::vector<Term> terms) : terms_(std::move(terms)) {
  for (char32_t c = 0; c < 128; ++c) ascii_[c] = Evaluate(c, Properties(c));
}

bool CharClass::Evaluate(char32_t c, uint16_t properties) const {
  for (const Term& term : terms_) {
    bool has = properties & term.properties;
    if (term.without_properties != 0 && !(properties & term.without_properties)) has = true;
    for (size_t i = 0; !has && i < term.ranges.size(); ++i) {
      has = term.ranges[i].first <= c && c <= term.ranges[i].second;
    }
    if (has == term.negated) return false;
  }
  return true;
}

// Recursive descent over the published notation.
class PatternParser {
 public:
  PatternParser(std::string_view source, Pattern* pattern)
      : source_(source), text_(DecodeUtf8(source)), pattern_(pattern) {}

  void Parse() {
    pattern_->alternatives_ = Alternatives();
    if (at_ != text_.size()) Fail();
  }

 private:
  [[noreturn]] void Fail() const {
    throw Error(Code::kInternal, Cat("pattern ", Quote(source_), ": not understood at character ", at_ + 1));
  }
  bool Done() const { return at_ >= text_.size(); }
  char32_t Peek() const { return Done() ? 0 : text_[at_]; }
  char32_t Next() {
    if (Done()) Fail();
    return text_[at_++];
  }
  bool Take(std::u32string_view word) {
    if (std::u32string_view(text_).substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::vector<Pattern::Alternative> Alternatives() {
    std::vector<Pattern::Alternative> list(1);
    while (!Done() && Peek() != ')') {
      if (Take(U"|")) {
        list.emplace_back();
      } else {
        list.back().items.push_back(Item());
      }
    }
    return list;
  }

  Pattern::Item Item() {
    Pattern::Item item;
    if (Take(U"(?!")) {
      item.kind = Pattern::Item::kNotNext;
      item.chars = Chars();
      if (!Take(U")")) Fail();
      return item;
    }
    if (Take(U"$")) {
      item.kind = Pattern::Item::kAtEnd;
      return item;
    }
    if (Take(U"(?:")) {
      item.kind = Pattern::Item::kGroup;
      item.group = Alternatives();
      if (!Take(U")")) Fail();
      if (Take(U"?")) item.least = 0;
      return item;
    }
    item.chars = Chars();
    if (Take(U"?")) {
      item.least = 0;
    } else if (Take(U"*")) {
      item.least = 0;
      item.most = Pattern::kNone;
    } else if (Take(U"+")) {
      item.most = Pattern::kNone;
    } else if (Take(U"{")) {
      item.least = item.most = Number();
      if (Take(U",")) item.most = Number();
      if (!Take(U"}")) Fail();
    }
    return item;
  }

  size_t Number() {
    size_t value = 0;
    if (Peek() < '0' || Peek() > '9') Fail();
    while (Peek() >= '0' && Peek() <= '9') value = value * 10 + (Next() - '0');
    return value;
  }

  int Chars() {
    std::vector<CharClass::Term> terms(1);
    if (Take(U"[")) {
      Class(&terms);
    } else {
      if (Peek() == '(' || Peek() == '.' || Peek() == '^') Fail();
      Member(&terms[0], false);
    }
    pattern_->classes_.emplace_back(std::move(terms));
    return static_cast<int>(pattern_->classes_.size()) - 1;
  }

  // After '[': members until ']', at most one && with another class.
  void Class(std::vector<CharClass::Term>* terms) {
    CharClass::Term& term = terms->back();
    term.negated = Take(U"^");
    while (!Take(U"]")) {
      if (Take(U"&&[")) {
        terms->emplace_back();
        Class(terms);
        if (!Take(U"]")) Fail();
        return;
      }
      Member(&term, true);
    }
  }

  // One character, range, escape or property.
  void Member(CharClass::Term* term, bool ranges) {
    char32_t first = Next();
    if (first == '\\') {
      first = Next();
      switch (first) {
        case 's': term->properties |= kSpace; return;
        case 'S': term->without_properties |= kSpace; return;
        case 'p': term->properties |= NamedProperty(); return;
        case 'x': first = HexNumber(); break;
        case 'r': first = '\r'; break;
        case 'n': first = '\n'; break;
        case 't': first = '\t'; break;
        default:
          if (first < 128 && (IsLetter(first) || IsNumber(first))) Fail();
      }
    }
    char32_t last = first;
    if (ranges && Peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
      ++at_;
      last = Next();
      if (last == '\\' && Take(U"x")) last = HexNumber();
    }
    term->ranges.emplace_back(first, last);
  }

  char32_t HexNumber() {  // {4E00}
    if (!Take(U"{")) Fail();
    char32_t value = 0;
    for (char32_t c = Next(); c != '}'; c = Next()) {
      if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F')) || value > 0xFFFF) Fail();
      value = value * 16 + (c <= '9' ? c - '0' : c - 'A' + 10);
    }
    return value;
  }

  uint16_t NamedProperty() {
    if (Take(U"{L}")) return kLetter;
    if (Take(U"{M}")) return kMark;
    if (Take(U"{N}")) return kNumber;
    if (Take(U"{P}")) return kPunctuation;
    if (Take(U"{S}")) return kSymbol;
    if (Take(U"{Lu}")) return kUpper;
    if (Take(U"{Ll}")) return kLower;
    Fail();
  }

  std::string_view source_;
  std::u32string text_;
  size_t at_ = 0;
  Pattern* pattern_;
};

Pattern Pattern::Compile(std::string_view source) {
  Pattern pattern;
  PatternParser(source, &pattern).Parse();
  for (const Alternative& alternative : pattern.alternatives_) {
    if (alternative.items.empty())
      throw Error(Code::kInternal, Cat("pattern ", Quote(source), ": an empty alternative"));
  }
  if (pattern.alternatives_.size() > kMostAlternatives) {
    throw Error(Code::kInternal, Cat("pattern ", Quote(source), ": more than ", kMostAlternatives, " alternatives"));
  }
  return pattern;
}

size_t Pattern::Match(const Alternative& alternative, size_t item, const PatternText& text, size_t at,
                      size_t end) const {
  const auto has = [&](const CharClass& chars, size_t i) { return chars.Has(text.chars[i], text.properties[i]); };
  for (; item < alternative.items.size(); ++item) {
    const Item& part = alternative.items[item];
    switch (part.kind) {
      case Item::kNotNext:
        if (at < end && has(classes_[part.chars], at)) return kNone;
        break;
      case Item::kAtEnd:
        if (at != end) return kNone;
        break;
      case Item::kGroup: {
        size_t found = kNone;
        for (size_t i = 0; found == kNone && i < part.group.size(); ++i) found = Match(part.group[i], 0, text, at, end);
        if (found != kNone) {
          at = found;
        } else if (part.least > 0) {
          return kNone;
        }
        break;
      }
      case Item::kChars: {
        const CharClass& chars = classes_[part.chars];
        const size_t most = std::min(part.most, end - at);
        size_t count = 0;
        while (count < most && has(chars, at + count)) ++count;
        if (count < part.least) return kNone;
        if (count == part.least || item + 1 == alternative.items.size()) {
          at += count;
          break;
        }
        for (size_t keep = count + 1; keep-- > part.least;) {
          const size_t found = Match(alternative, item + 1, text, at + keep, end);
          if (found != kNone) return found;
        }
        return kNone;
      }
    }
  }
  return at;
}

void Pattern::Split(const PatternText& text, size_t begin, size_t end, std::vector<size_t>* ends) const {
  // An alternative that begins with an unbounded loop and fails, fails from every later character of that loop's run as
  // well: it is not tried again before dead[i]. Without this, "\s+$" and "\s*[\r\n]+" are quadratic on long runs.
  size_t dead[kMostAlternatives] = {};
  size_t start = begin;  // of the stretch that no match took
  for (size_t at = begin; at < end;) {
    size_t found = kNone;
    for (size_t i = 0; found == kNone && i < alternatives_.size(); ++i) {
      if (at < dead[i]) continue;
      found = Match(alternatives_[i], 0, text, at, end);
      const Item& first = alternatives_[i].items[0];
      if (found != kNone || first.kind != Item::kChars || first.most != kNone) continue;
      size_t run = at;
      while (run < end && classes_[first.chars].Has(text.chars[run], text.properties[run])) ++run;
      dead[i] = run;
    }
    if (found == kNone || found == at) {
      ++at;
      continue;
    }
    if (at > start) ends->push_back(at);
    ends->push_back(found);
    at = start = found;
  }
  if (start < end) ends->push_back(end);
}

}  // namespace atelier::text
