#include "evaluate/rouge_tokens.h"

#include <algorithm>
#include <array>

#include "text/porter.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kUnstemmed = 3;  // letters

// a-z and 0-9 as they are, A-Z in lower case, 0 for what separates.
constexpr std::array<char, 128> kFolded = [] {
  std::array<char, 128> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = static_cast<char>(c - 'A' + 'a');
  return table;
}();

char Folded(char32_t c) { return c < kFolded.size() ? kFolded[c] : '\0'; }

bool TokenByItself(char32_t c) {
  return text::IsHan(c) || (c >= 0x3041 && c <= 0x30FF && text::IsLetter(c)) ||  // kana
         (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xAC00 && c <= 0xD7A3);           // small kana, Hangul
}

}  // namespace

RougeTokenizer::RougeTokenizer(RougeUnits units, bool stem, std::shared_ptr<const text::Segmenter> segmenter)
    : units_(units), stem_(stem), segmenter_(std::move(segmenter)) {}

uint32_t RougeTokenizer::Token(std::string_view word, bool ascii) {
  const auto known = numbers_.find(word);
  if (known != numbers_.end()) return known->second;
  uint32_t number = next_;
  if (stem_ && ascii && word.size() > kUnstemmed) {
    number = stems_.emplace(text::NltkPorterStem(word), next_).first->second;
  } else {
    number = stems_.emplace(word, next_).first->second;  // short words and stems meet: "the"
  }
  if (number == next_) ++next_;
  numbers_.emplace(word, number);
  return number;
}

void RougeTokenizer::Tokenize(std::string_view text, RougeText* tokens) {
  tokens->tokens.clear();
  tokens->sentences.clear();
  while (true) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    switch (units_) {
      case RougeUnits::kWords: Words(line, tokens); break;
      case RougeUnits::kCharacters: Characters(line, tokens); break;
      case RougeUnits::kSegments: Segments(line, tokens); break;
    }
    tokens->sentences.push_back(tokens->tokens.size());
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void RougeTokenizer::Words(std::string_view text, RougeText* tokens) {
  word_.clear();
  const auto close = [&] {
    if (!word_.empty()) tokens->tokens.push_back(Token(word_, true));
    word_.clear();
  };
  for (size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      if (kFolded[c] != 0) {
        word_.push_back(kFolded[c]);
      } else {
        close();
      }
    } else if (text.substr(at, 3) == "\xE2\x84\xAA") {  // the Kelvin sign: its lower case is k
      word_.push_back('k');
      at += 2;
    } else if (text.substr(at, 2) == "\xC4\xB0") {  // I with a dot: i and a combining dot, which separates
      word_.push_back('i');
      close();
      ++at;
    } else {
      close();
    }
  }
  close();
}

void RougeTokenizer::Characters(std::string_view text, RougeText* tokens) {
  word_.clear();
  const auto close = [&] {
    if (!word_.empty()) tokens->tokens.push_back(Token(word_, true));
    word_.clear();
  };
  while (!text.empty()) {
    const text::DecodedChar d = text::DecodeChar(text);
    const char32_t c = d.c >= 0xFF01 && d.c <= 0xFF5E ? d.c - 0xFF01 + '!' : d.c;
    const std::string_view bytes = text.substr(0, d.length);
    text.remove_prefix(d.length);
    if (Folded(c) != 0) {
      word_.push_back(Folded(c));
    } else if (c == 0x212A) {
      word_.push_back('k');
    } else if (c == 0x130) {
      word_.push_back('i');
      close();
    } else {
      close();
      if (TokenByItself(c)) tokens->tokens.push_back(Token(bytes, false));
    }
  }
  close();
}

void RougeTokenizer::Segments(std::string_view line, RougeText* tokens) {
  words_.clear();
  segmenter_->Segment(line, &words_);
  for (const std::string_view word : words_) {
    word_ = text::ToLower(word);
    bool counts = false, ascii = true;
    for (std::string_view rest = word_; !rest.empty();) {
      const text::DecodedChar d = text::DecodeChar(rest);
      counts = counts || (d.valid && (text::Properties(d.c) & (text::kLetter | text::kNumber)) != 0);
      ascii = ascii && Folded(d.c) != 0;
      rest.remove_prefix(d.length);
    }
    if (counts) tokens->tokens.push_back(Token(word_, ascii));
  }
}

}  // namespace atelier::evaluate
