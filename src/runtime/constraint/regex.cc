#include "runtime/constraint/regex.h"

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

constexpr size_t kMostPattern = 4096;
constexpr int kMostGroups = 200;
constexpr int kMostCount = 10000;

// What a pattern says, before anchors are resolved.
struct Expression {
  enum class Kind { kChars, kBegin, kEnd, kSequence, kAlternatives, kRepeat };
  Kind kind = Kind::kSequence;
  CharSet chars = {};
  std::vector<Expression> parts = {};
  int least = 0, most = 0;
  size_t at = 0;         // byte
  bool anchors = false;  // there is ^ or $ inside
};

class Parser {
 public:
  Parser(std::string_view pattern, bool wide) : pattern_(pattern), wide_(wide) {}

  Expression Parse() {
    if (pattern_.size() > kMostPattern) {
      throw Error(Code::kUnsupported, Cat("the pattern has ", pattern_.size(), " bytes"), "at most 4096");
    }
    if (!text::IsValidUtf8(pattern_)) throw Error(Code::kInvalidInput, "the pattern is not UTF-8");
    Expression all = Alternatives(0);
    if (!done()) Wrong("a ) without its (");
    return all;
  }

 private:
  bool done() const { return at_ >= pattern_.size(); }
  char peek() const { return done() ? '\0' : pattern_[at_]; }
  bool Take(std::string_view text) {
    if (!pattern_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  [[noreturn]] void Wrong(std::string_view what) const {
    throw Error(Code::kInvalidInput, Cat("pattern ", Quote(pattern_), ", byte ", at_, ": ", what));
  }
  [[noreturn]] void Refuse(std::string_view what) const {
    throw Error(Code::kUnsupported, Cat("pattern ", Quote(pattern_), ", byte ", at_, ": ", what, " is not supported"));
  }

  Expression Alternatives(int depth) {
    if (depth > kMostGroups) Refuse(Cat("more than ", kMostGroups, " nested groups"));
    Expression out{.kind = Expression::Kind::kAlternatives, .at = at_};
    do {
      out.parts.push_back(Sequence(depth));
      out.anchors |= out.parts.back().anchors;
    } while (Take("|"));
    if (out.parts.size() == 1) {
      Expression only = std::move(out.parts[0]);
      return only;
    }
    return out;
  }

  Expression Sequence(int depth) {
    Expression out{.kind = Expression::Kind::kSequence, .at = at_};
    while (!done() && peek() != '|' && peek() != ')') {
      Expression atom = Atom(depth);
      Quantify(&atom);
      out.anchors |= atom.anchors;
      out.parts.push_back(std::move(atom));
    }
    return out;
  }

  void Quantify(Expression* atom) {
    const size_t start = at_;
    int least = 0, most = Regulars::kNoLimit;
    if (Take("?")) {
      most = 1;
    } else if (Take("+")) {
      least = 1;
    } else if (!Take("*")) {
      if (peek() != '{' || !Counts(&least, &most)) return;
    }
    if (atom->anchors) {
      at_ = start;
      Refuse("a repeated anchor");
    }
    Take("?");  // lazy: the same texts
    if (peek() == '+') Refuse("a possessive loop");
    if (peek() == '*' || peek() == '?') Wrong("nothing to repeat");
    if (size_t look = at_; peek() == '{') {
      int ignored;
      if (Counts(&ignored, &ignored)) {
        at_ = look;
        Wrong("nothing to repeat");
      }
    }
    Expression inner = std::move(*atom);
    *atom = {.kind = Expression::Kind::kRepeat, .least = least, .most = most, .at = start};
    atom->parts.push_back(std::move(inner));
  }

  // {n} {n,} {n,m}; anything else is a brace.
  bool Counts(int* least, int* most) {
    const size_t start = at_;
    const auto number = [&]() -> std::optional<int> {
      int value = 0;
      const size_t from = at_;
      while (peek() >= '0' && peek() <= '9') {
        value = std::min(value * 10 + (peek() - '0'), kMostCount + 1);
        ++at_;
      }
      if (at_ == from) return std::nullopt;
      if (value > kMostCount) Refuse(Cat("a count above ", kMostCount));
      return value;
    };
    ++at_;
    const auto first = number();
    if (!first) {
      at_ = start;
      return false;
    }
    *least = *most = *first;
    if (Take(",")) *most = number().value_or(Regulars::kNoLimit);
    if (!Take("}")) {
      at_ = start;
      return false;
    }
    if (*most != Regulars::kNoLimit && *least > *most) Wrong("{n,m} with n above m");
    return true;
  }

  Expression Chars(CharSet set) { return {.kind = Expression::Kind::kChars, .chars = std::move(set), .at = at_}; }

  Expression Atom(int depth) {
    switch (peek()) {
      case '(': return Group(depth);
      case '[': return Class();
      case '\\': return Chars(Escape(false));
      case '.': ++at_; return Chars(CharSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}.Negated());
      case '^':
      case '$': {
        const bool begin = peek() == '^';
        Expression out{.kind = begin ? Expression::Kind::kBegin : Expression::Kind::kEnd, .at = at_, .anchors = true};
        ++at_;
        return out;
      }
      case '*':
      case '+':
      case '?': Wrong("nothing to repeat");
      default: {
        const char32_t c = Character();
        return Chars({{c, c}});
      }
    }
  }

  char32_t Character() {
    const text::DecodedChar d = text::DecodeChar(pattern_.substr(at_));
    at_ += d.length;
    return d.c;
  }

  Expression Group(int depth) {
    const size_t start = at_++;
    if (Take("?")) {
      if (Take("=") || Take("!") || Take("<=") || Take("<!")) {
        at_ = start;
        Refuse("look-around");
      }
      if (Take("<") || Take("P<")) {
        while (!done() && peek() != '>') ++at_;
        if (!Take(">")) Wrong("a group's name without its >");
      } else if (!Take(":")) {
        at_ = start;
        Refuse("this kind of group");
      }
    }
    Expression out = Alternatives(depth + 1);
    if (!Take(")")) {
      at_ = start;
      Wrong("a ( without its )");
    }
    return out;
  }

  int Hex(int least, int most) {
    int value = 0, digits = 0;
    while (digits < most && std::string_view("0123456789abcdefABCDEF").find(peek()) != std::string_view::npos &&
           !done()) {
      const char c = peek();
      value = value * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
      ++digits;
      ++at_;
    }
    if (digits < least) Wrong("a hexadecimal digit is missing");
    return value;
  }

  CharSet Escape(bool in_class) {
    ++at_;
    if (done()) Wrong("a backslash at the end");
    const size_t start = at_;
    const char32_t c = Character();
    const bool wide = wide_ != negated_;
    static const CharSet digits{{'0', '9'}}, word{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    switch (c) {
      case 'd': return digits;
      case 'D': return wide ? digits.Negated() : digits.Or(*PropertySet("N")).Negated();
      case 'w': return word;
      case 'W':
        return wide ? word.Negated() : word.Or(*PropertySet("L")).Or(*PropertySet("N")).Or(*PropertySet("M")).Negated();
      case 's':
        return wide ? WhiteSpace().Or({{0x1C, 0x1F}, {0xFEFF, 0xFEFF}})
                    : WhiteSpace().And(CharSet{{0x85, 0x85}}.Negated());
      case 'S':
        return wide ? WhiteSpace().And(CharSet{{0x85, 0x85}}.Negated()).Negated()
                    : WhiteSpace().Or({{0x1C, 0x1F}, {0xFEFF, 0xFEFF}}).Negated();
      case 'p':
      case 'P': {
        if (!Take("{")) Refuse("a property without braces");
        const size_t end = pattern_.find('}', at_);
        if (end == std::string_view::npos) Wrong("a property's name without its }");
        const auto set = PropertySet(pattern_.substr(at_, end - at_));
        if (!set) Refuse(Cat("the property ", Quote(pattern_.substr(at_, end - at_))));
        at_ = end + 1;
        return c == 'P' ? set->Negated() : *set;
      }
      case 't': return {{'\t', '\t'}};
      case 'n': return {{'\n', '\n'}};
      case 'v': return {{'\v', '\v'}};
      case 'f': return {{'\f', '\f'}};
      case 'r': return {{'\r', '\r'}};
      case 'b':
        if (in_class) return {{'\b', '\b'}};
        break;
      case 'x': {
        const auto value = static_cast<char32_t>(Hex(2, 2));
        return {{value, value}};
      }
      case 'c': {
        const char letter = peek();
        if ((letter | 32) < 'a' || (letter | 32) > 'z') Wrong("\\c without a letter");
        ++at_;
        return {{static_cast<char32_t>(letter & 31), static_cast<char32_t>(letter & 31)}};
      }
      case 'u': {
        char32_t value;
        if (Take("{")) {
          value = static_cast<char32_t>(Hex(1, 6));
          if (!Take("}")) Wrong("\\u{...} without its }");
        } else {
          value = static_cast<char32_t>(Hex(4, 4));
          if (value >= 0xD800 && value < 0xDC00 && Take("\\u")) {
            const auto low = static_cast<char32_t>(Hex(4, 4));
            if (low < 0xDC00 || low > 0xDFFF) Wrong("half a surrogate pair");
            value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
          }
        }
        if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) Wrong("no character has this number");
        return {{value, value}};
      }
      case '0':
        if (peek() < '0' || peek() > '9') return {{0, 0}};
        break;
      default: break;
    }
    const bool plain = c < 128 && ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'));
    if (plain) {
      at_ = start;
      if (c >= '1' && c <= '9') Refuse("a back-reference");
      Refuse(Cat("\\", static_cast<char>(c)));
    }
    return {{c, c}};
  }

  Expression Class() {
    const size_t start = at_++;
    negated_ = Take("^");
    CharSet set;
    const auto single = [](const CharSet& s) {
      return s.ranges().size() == 1 && s.ranges()[0].first == s.ranges()[0].last;
    };
    const auto item = [&]() -> CharSet {
      if (peek() == '\\') return Escape(true);
      if (pattern_.substr(at_).starts_with("[:")) Refuse("a POSIX class");
      const char32_t c = Character();
      return {{c, c}};
    };
    while (!done() && peek() != ']') {
      CharSet from = item();
      if (peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        const CharSet to = item();
        if (!single(from) || !single(to)) Wrong("a range between classes");
        const CharRange range{from.ranges()[0].first, to.ranges()[0].first};
        if (range.first > range.last) Wrong("a range that runs backwards");
        from = {range};
      }
      set = set.Or(from);
    }
    if (!Take("]")) {
      at_ = start;
      Wrong("a [ without its ]");
    }
    if (negated_) set = set.Negated();
    negated_ = false;
    return Chars(std::move(set));
  }

  std::string_view pattern_;
  const bool wide_;
  bool negated_ = false;  // inside [^...], where a wider item makes a narrower class
  size_t at_ = 0;
};

// Resolves anchors. At an edge of the pattern that no anchor holds, any text may stand.
class Builder {
 public:
  Builder(Regulars* regulars, std::string_view pattern) : r_(*regulars), pattern_(pattern) {}

  // `begin`: this starts the pattern; `begun`: and it has been anchored. The same for the end.
  struct Edges {
    bool begin = false, begun = false, end = false, ended = false;
  };

  Regulars::Id Build(const Expression& e, Edges edges) {
    switch (e.kind) {
      case Expression::Kind::kBegin:
        if (!edges.begin) Refuse(e);
        return Pad(Regulars::kEmpty, {.end = edges.end, .ended = edges.ended});
      case Expression::Kind::kEnd:
        if (!edges.end) Refuse(e);
        return Pad(Regulars::kEmpty, {.begin = edges.begin, .begun = edges.begun});
      case Expression::Kind::kChars: return Pad(r_.Set(e.chars), edges);
      case Expression::Kind::kRepeat: return Pad(r_.Repeat(Build(e.parts[0], {}), e.least, e.most), edges);
      case Expression::Kind::kAlternatives: {
        std::vector<Regulars::Id> parts;
        for (const Expression& part : e.parts) parts.push_back(Build(part, edges));
        return r_.Either(std::move(parts));
      }
      case Expression::Kind::kSequence: return Sequence(e, edges);
    }
    return Regulars::kNothing;
  }

 private:
  [[noreturn]] void Refuse(const Expression& e) const {
    throw Error(Code::kUnsupported,
                Cat("pattern ", Quote(pattern_), ", byte ", e.at, ": an anchor in the middle is not supported"));
  }
  Regulars::Id Pad(Regulars::Id id, Edges edges) {
    if (edges.begin && !edges.begun) id = r_.Then(r_.AnyText(), id);
    if (edges.end && !edges.ended) id = r_.Then(id, r_.AnyText());
    return id;
  }
  Regulars::Id Sequence(const Expression& e, Edges edges) {
    size_t first = 0, last = e.parts.size();
    while (first < last && e.parts[first].kind == Expression::Kind::kBegin) {
      if (!edges.begin) Refuse(e.parts[first]);
      edges.begun = true;
      ++first;
    }
    while (last > first && e.parts[last - 1].kind == Expression::Kind::kEnd) {
      if (!edges.end) Refuse(e.parts[last - 1]);
      edges.ended = true;
      --last;
    }
    if (first == last) return Pad(Regulars::kEmpty, edges);
    std::vector<Regulars::Id> parts;
    for (size_t i = first; i < last; ++i) {
      Edges own;
      if (i == first) own.begin = edges.begin, own.begun = edges.begun;
      if (i + 1 == last) own.end = edges.end, own.ended = edges.ended;
      parts.push_back(Build(e.parts[i], own));
    }
    return r_.Then(parts);
  }

  Regulars& r_;
  std::string_view pattern_;
};

}  // namespace

Regulars::Id ParseRegex(Regulars* regulars, std::string_view pattern, const RegexOptions& options) {
  const Expression parsed = Parser(pattern, options.wide).Parse();
  return Builder(regulars, pattern)
      .Build(parsed, {.begin = true, .begun = options.anchored, .end = true, .ended = options.anchored});
}

}  // namespace atelier::runtime
