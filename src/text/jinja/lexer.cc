#include "text/jinja/lexer.h"

#include <charconv>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "base/str.h"
#include "text/jinja/unicode.h"

namespace atelier::text::jinja {
namespace {

// LF line ends, valid UTF-8, without the last line end.
std::string Normal(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 < source.size() && source[i + 1] == '\n') continue;
      text += '\n';
    } else {
      text += source[i];
    }
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return Repair(text);
}

bool IsDecimalDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDecimalDigit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(Normal(source)) {}

  std::vector<Token> Run() {
    while (pos_ < text_.size()) Root();
    Add(Tok::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void Bad(const std::string& why) const { throw Error(Code::kInvalidInput, Cat(line_, ": ", why)); }

  Token& Add(Tok type, std::string text) {
    Token& token = tokens_.emplace_back();
    token.type = type;
    token.line = line_;
    token.text = std::move(text);
    return token;
  }

  // Moves to `to`, counting lines.
  void Go(size_t to) {
    for (; pos_ < to; ++pos_) line_ += text_[pos_] == '\n';
  }
  bool At(std::string_view what, size_t pos) const {
    return pos <= text_.size() && std::string_view(text_).substr(pos, what.size()) == what;
  }
  size_t SkipSpace(size_t pos) const {
    while (pos < text_.size()) {
      size_t next = pos;
      if (!IsSpace(DecodeAt(text_, &next))) break;
      pos = next;
    }
    return pos;
  }
  char SignAt(size_t pos) const {
    return pos < text_.size() && (text_[pos] == '-' || text_[pos] == '+') ? text_[pos] : '\0';
  }

  // Text up to a tag at `end`, less what the tag's sign, or lstrip_blocks, takes away from its end.
  void Data(size_t end, char sign, bool variable) {
    std::string data = text_.substr(pos_, end - pos_);
    if (sign == '-') {
      size_t keep = 0;
      for (size_t i = 0; i < data.size();) {
        if (!IsSpace(DecodeAt(data, &i))) keep = i;
      }
      data.resize(keep);
    } else if (sign != '+' && !variable) {
      const size_t newline = data.rfind('\n');
      const size_t start = newline == std::string::npos ? 0 : newline + 1;
      const bool line_start = start > 0 || pos_ == 0 || text_[pos_ - 1] == '\n';
      if (line_start && SkipSpace(pos_ + start) >= end) data.resize(start);
    }
    if (!data.empty()) Add(Tok::kData, std::move(data));
    Go(end);
  }

  void Root() {
    size_t tag = pos_;
    for (;; ++tag) {
      tag = text_.find('{', tag);
      if (tag == std::string::npos) {
        Add(Tok::kData, text_.substr(pos_));
        return Go(text_.size());
      }
      const char next = tag + 1 < text_.size() ? text_[tag + 1] : '\0';
      if (next == '%' || next == '{' || next == '#') break;
    }
    const char type = text_[tag + 1];
    const char sign = SignAt(tag + 2);
    const size_t inside = tag + 2 + (sign != '\0');
    Data(tag, sign, type == '{');
    if (type == '%') {
      const size_t raw = RawBegin(inside);
      if (raw != 0) {
        Go(raw);
        return Raw();
      }
    }
    Go(inside);
    if (type == '#') return Comment();
    Add(type == '%' ? Tok::kBlockBegin : Tok::kVariableBegin, "");
    Inside(type == '%');
  }

  // The offset behind "raw %}", or 0 when it is another tag.
  size_t RawBegin(size_t pos) const {
    pos = SkipSpace(pos);
    if (!At("raw", pos)) return 0;
    pos = SkipSpace(pos + 3);
    if (At("-%}", pos)) return SkipSpace(pos + 3);
    return At("%}", pos) ? pos + 2 : 0;
  }

  // The offset behind a closing `end` at pos with what its sign or trim_blocks takes away; 0 when there is none.
  size_t Close(std::string_view end, size_t pos, bool block) const {
    if (At("-", pos) && At(end, pos + 1)) return SkipSpace(pos + 1 + end.size());
    if (block && At("+", pos) && At(end, pos + 1)) return pos + 1 + end.size();
    if (!At(end, pos)) return 0;
    pos += end.size();
    return block && At("\n", pos) ? pos + 1 : pos;
  }

  void Comment() {
    size_t end = text_.find("#}", pos_);
    if (end == std::string::npos) Bad("a comment {# is not closed by #}");
    if (end > pos_ && SignAt(end - 1) != '\0') --end;
    Go(Close("#}", end, true));
  }

  void Raw() {
    for (size_t tag = pos_;; ++tag) {
      tag = text_.find("{%", tag);
      if (tag == std::string::npos) Bad("{% raw %} is not closed by {% endraw %}");
      const char sign = SignAt(tag + 2);
      size_t pos = SkipSpace(tag + 2 + (sign != '\0'));
      if (!At("endraw", pos)) continue;
      const size_t behind = Close("%}", SkipSpace(pos + 6), true);
      if (behind == 0) continue;
      Data(tag, sign, false);
      return Go(behind);
    }
  }

  void Inside(bool block) {
    std::string open;  // brackets
    while (true) {
      if (open.empty()) {
        const size_t behind = Close(block ? "%}" : "}}", pos_, block);
        if (behind != 0) {
          Add(block ? Tok::kBlockEnd : Tok::kVariableEnd, "");
          return Go(behind);
        }
      }
      if (pos_ >= text_.size()) {
        Add(Tok::kEnd, "");  // the parser says what is missing
        return;
      }
      const size_t after_space = SkipSpace(pos_);
      if (after_space != pos_) {
        Go(after_space);
      } else if (IsDecimalDigit(text_[pos_])) {
        Number();
      } else if (text_[pos_] == '\'' || text_[pos_] == '"') {
        String();
      } else if (!Name()) {
        Operator(&open);
      }
    }
  }

  // Digits that may be grouped by single underscores; the offset behind them, or pos when there is none.
  template <typename IsDigit>
  size_t Digits(size_t pos, IsDigit is_digit) const {
    size_t end = pos;
    while (pos < text_.size()) {
      if (is_digit(text_[pos])) {
        end = ++pos;
      } else if (text_[pos] == '_' && pos == end && pos + 1 < text_.size() && is_digit(text_[pos + 1])) {
        ++pos;
      } else {
        break;
      }
    }
    return end;
  }

  std::string Plain(size_t from, size_t to) const { return ReplaceAll(text_.substr(from, to - from), "_", ""); }

  bool Float() {
    if (pos_ > 0 && text_[pos_ - 1] == '.') return false;
    size_t end = Digits(pos_, IsDecimalDigit);
    bool is_float = false;
    if (At(".", end) && Digits(end + 1, IsDecimalDigit) > end + 1) {
      end = Digits(end + 1, IsDecimalDigit);
      is_float = true;
    }
    if (At("e", end) || At("E", end)) {
      const size_t digits = end + 1 + (SignAt(end + 1) != '\0');
      if (Digits(digits, IsDecimalDigit) > digits) {
        end = Digits(digits, IsDecimalDigit);
        is_float = true;
      }
    }
    if (!is_float) return false;
    const std::string plain = Plain(pos_, end);
    Add(Tok::kFloat, plain).real = std::strtod(plain.c_str(), nullptr);
    Go(end);
    return true;
  }

  void Number() {
    if (Float()) return;
    int base = 10;
    size_t from = pos_, end = pos_;
    if (text_[pos_] == '0') {
      const char mark = pos_ + 1 < text_.size() ? static_cast<char>(text_[pos_ + 1] | 32) : '\0';
      auto binary = [](char c) { return c == '0' || c == '1'; };
      auto octal = [](char c) { return c >= '0' && c <= '7'; };
      const size_t digits = At("_", pos_ + 2) ? pos_ + 3 : pos_ + 2;
      if (mark == 'b' && (end = Digits(digits, binary)) > digits) {
        base = 2;
      } else if (mark == 'o' && (end = Digits(digits, octal)) > digits) {
        base = 8;
      } else if (mark == 'x' && (end = Digits(digits, IsHexDigit)) > digits) {
        base = 16;
      } else {
        end = Digits(pos_, [](char c) { return c == '0'; });
      }
      if (base != 10) from = digits;
    } else {
      end = Digits(pos_, IsDecimalDigit);
    }
    const std::string plain = Plain(from, end);
    int64_t value = 0;
    const auto result = std::from_chars(plain.data(), plain.data() + plain.size(), value, base);
    if (result.ec != std::errc()) Bad(Cat("the number ", Quote(plain), " is beyond 64 bits"));
    Add(Tok::kInt, plain).integer = value;
    Go(end);
  }

  bool Name() {
    size_t end = pos_;
    bool identifier = true;
    while (end < text_.size()) {
      size_t next = end;
      const char32_t c = DecodeAt(text_, &next);
      if (!IsWord(c)) break;
      identifier = identifier && (end == pos_ ? IsNameStart(c) : IsNamePart(c));
      end = next;
    }
    if (end == pos_) return false;
    if (!identifier) Bad(Cat("invalid character in the name ", Quote(text_.substr(pos_, end - pos_))));
    Add(Tok::kName, text_.substr(pos_, end - pos_));
    Go(end);
    return true;
  }

  void String() {
    const char quote = text_[pos_];
    std::string value;
    size_t i = pos_ + 1;
    while (true) {
      if (i >= text_.size()) Bad("a string is not closed");
      const char c = text_[i++];
      if (c == quote) break;
      if (c == '\\') {
        if (i >= text_.size()) Bad("a string is not closed");
        Escape(&i, &value);
      } else {
        value += c;
      }
    }
    Add(Tok::kString, std::move(value));
    Go(i);
  }

  // Behind a backslash, with Python's escapes; unknown ones stand for themselves.
  void Escape(size_t* i, std::string* value) {
    const char c = text_[(*i)++];
    static constexpr std::string_view kNames = "abfnrtv\\'\"", kValues = "\a\b\f\n\r\t\v\\'\"";
    const size_t known = kNames.find(c);
    if (known != std::string_view::npos) {
      *value += kValues[known];
    } else if (c == '\n') {
      // a line continued
    } else if (c >= '0' && c <= '7') {
      char32_t point = static_cast<char32_t>(c - '0');
      for (int n = 1; n < 3 && text_[*i] >= '0' && text_[*i] <= '7'; ++n) {
        point = point * 8 + static_cast<char32_t>(text_[(*i)++] - '0');
      }
      AppendPoint(value, point);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      uint32_t point = 0;
      for (size_t n = 0; n < count; ++n, ++*i) {
        if (*i >= text_.size() || !IsHexDigit(text_[*i])) Bad(Cat("truncated \\", c, " escape in a string"));
        const char h = text_[*i];
        point = point * 16 + static_cast<uint32_t>(IsDecimalDigit(h) ? h - '0' : (h | 32) - 'a' + 10);
      }
      if (point > 0x10FFFF) Bad("an escape beyond the last code point in a string");
      AppendPoint(value, point);
    } else if (c == 'N') {
      Bad("named \\N{...} escapes are not supported; write the character itself");
    } else {
      *value += '\\';
      *value += c;
    }
  }

  void Operator(std::string* open) {
    static constexpr std::string_view kTwo[] = {"//", "**", "==", "!=", ">=", "<="};
    static constexpr std::string_view kOne = "+-/*%~[](){}<>=.:|,;";
    for (std::string_view op : kTwo) {
      if (At(op, pos_)) {
        Add(Tok::kOp, std::string(op));
        return Go(pos_ + 2);
      }
    }
    const char c = text_[pos_];
    if (kOne.find(c) == std::string_view::npos) {
      size_t next = pos_;
      DecodeAt(text_, &next);
      Bad(Cat("unexpected character ", Quote(text_.substr(pos_, next - pos_))));
    }
    if (c == '(' || c == '[' || c == '{') {
      *open += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      if (open->empty() || open->back() != c) Bad(Cat("unexpected '", c, "'"));
      open->pop_back();
    }
    Add(Tok::kOp, std::string(1, c));
    Go(pos_ + 1);
  }

  const std::string text_;
  size_t pos_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> Tokenize(std::string_view source) { return Lexer(source).Run(); }

}  // namespace atelier::text::jinja
