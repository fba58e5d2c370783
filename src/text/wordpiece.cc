#include "text/wordpiece.h"

#include "base/error.h"
#include "base/str.h"
#include "text/double_array.h"
#include "text/table_tokenizer.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

constexpr std::string_view kWordMark = "\xE2\x96\x81";  // U+2581
constexpr std::string_view kInside = "##";              // in vocab.txt
constexpr size_t kMostWordChars = 100;

// The blocks that BERT's own code names; kana and hangul are not among them. It begins extension E at U+2B920, as
// Hugging Face's does.
bool IsBertHan(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// A token that goes on with U+2581 itself keeps its ##, or it would seem to begin a word.
bool IsMarkInside(std::string_view token) {
  return token.starts_with(kInside) && token.substr(kInside.size()).starts_with(kWordMark);
}

class WordPiece : public TableTokenizer {
 public:
  explicit WordPiece(TokenizerSpec spec) : TableTokenizer(std::move(spec)), cased_(table_.spec().pre == kCased) {
    if (table_.spec().unknown < 0) throw Error(Code::kCorrupt, "tokenizer: a WordPiece model without an unknown token");
    std::vector<DoubleArray::Key> begin, inside;
    for (TokenId id = 0; id < table_.size(); ++id) {
      std::string_view token = table_.Text(id);
      const bool begins = token.starts_with(kWordMark);
      if (begins) {
        token.remove_prefix(kWordMark.size());
      } else if (IsMarkInside(token)) {
        token.remove_prefix(kInside.size());
      }
      if (table_.Type(id) != TokenType::kNormal || token.empty() || token.size() > DoubleArray::kLongestKey ||
          token.find('\0') != std::string_view::npos || !IsValidUtf8(token)) {
        continue;  // in no word
      }
      (begins ? begin : inside).emplace_back(token, static_cast<uint32_t>(id));
    }
    begin_ = DoubleArray::Of(std::move(begin));
    inside_ = DoubleArray::Of(std::move(inside));
  }

  std::vector<TokenId> Encode(std::string_view raw, const EncodeOptions& options) const override {
    if (raw.size() > kMostBytes) throw Error(Code::kResourceExhausted, "tokenizer: a text of more than 64 MiB");
    std::string clean;
    if (!IsValidUtf8(raw)) raw = clean = SanitizeUtf8(raw);
    std::vector<TokenId> ids;
    if (options.add_special && adds_bos()) ids.push_back(bos());
    size_t at = 0;
    for (const SpecialTokens::Match& match : table_.Specials(options.parse_special).Find(raw)) {
      EncodeText(raw.substr(at, match.begin - at), &ids);
      ids.push_back(match.id);
      at = match.end;
    }
    EncodeText(raw.substr(at), &ids);
    if (options.add_special && adds_eos()) ids.push_back(eos());
    return ids;
  }

 protected:
  std::string TextPiece(TokenId id) const override {
    const std::string& text = table_.Text(id);
    if (IsMarkInside(text)) return text.substr(kInside.size());
    return text.starts_with(kWordMark) ? Cat(" ", text.substr(kWordMark.size())) : text;
  }

 private:
  static constexpr size_t kMostBytes = size_t{64} << 20;

  struct Word {
    std::string text;
    size_t chars = 0;
  };

  void EncodeText(std::string_view raw, std::vector<TokenId>* ids) const {
    Word word;
    for (size_t at = 0; at < raw.size();) {
      const DecodedChar d = DecodeChar(raw.substr(at));
      const std::string_view bytes = raw.substr(at, d.length);
      at += d.length;
      const bool line = d.c == '\t' || d.c == '\n' || d.c == '\r';
      if (d.c == kReplacement || (!line && Properties(d.c) & kControlChar)) continue;  // of them U+0085, though a space
      if (IsSpace(d.c)) {
        End(&word, ids);
      } else if (IsBertHan(d.c)) {
        End(&word, ids);
        Fold(d.c, bytes, &word, ids);
        End(&word, ids);
      } else {
        Fold(d.c, bytes, &word, ids);
      }
    }
    End(&word, ids);
  }

  // The character as the vocabulary has it, onto the word.
  void Fold(char32_t c, std::string_view bytes, Word* word, std::vector<TokenId>* ids) const {
    if (c < 0x80) return Put(!cased_ && c >= 'A' && c <= 'Z' ? c + 32 : c, word, ids);
    if (cased_ || (c >= 0x4E00 && c <= 0x9FFF)) return Put(c, word, ids);
    for (const char32_t part : DecodeUtf8(Nfd(bytes))) {
      if (IsNonspacingMark(part)) continue;
      std::string one;
      AppendUtf8(&one, part);
      for (const char32_t small : DecodeUtf8(ToLower(one))) Put(small, word, ids);
    }
  }

  void Put(char32_t c, Word* word, std::vector<TokenId>* ids) const {
    const bool alone = IsAsciiPunctuation(c) || IsPunctuation(c);
    if (alone) End(word, ids);
    AppendUtf8(&word->text, c);
    ++word->chars;
    if (alone) End(word, ids);
  }

  void End(Word* word, std::vector<TokenId>* ids) const {
    const std::string_view text = word->text;
    const size_t begin = ids->size();
    bool whole = word->chars <= kMostWordChars;
    for (size_t at = 0; whole && at < text.size();) {
      size_t longest = 0;
      uint32_t token = 0;
      (at == 0 ? begin_ : inside_).Prefixes(text.substr(at), [&](size_t length, uint32_t id) {
        longest = length, token = id;
      });
      whole = longest > 0;
      if (whole) ids->push_back(static_cast<TokenId>(token));
      at += longest;
    }
    if (!whole) {
      ids->resize(begin);
      ids->push_back(table_.spec().unknown);
    }
    word->text.clear();
    word->chars = 0;
  }

  const bool cased_;
  DoubleArray begin_, inside_;
};

}  // namespace

std::string SpellWordPiece(std::string_view token) {
  if (IsMarkInside(token)) return std::string(token);
  if (token.size() > kInside.size() && token.starts_with(kInside)) return std::string(token.substr(kInside.size()));
  return Cat(kWordMark, token);
}

std::string UnspellWordPiece(std::string_view token) {
  if (IsMarkInside(token)) return std::string(token);
  if (token.starts_with(kWordMark)) return std::string(token.substr(kWordMark.size()));
  return Cat(kInside, token);
}

std::unique_ptr<Tokenizer> MakeWordPiece(TokenizerSpec spec) { return std::make_unique<WordPiece>(std::move(spec)); }

}  // namespace atelier::text
