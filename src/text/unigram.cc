#include "text/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/str.h"
#include "text/charsmap.h"
#include "text/double_array.h"
#include "text/space_mark.h"
#include "text/table_tokenizer.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

constexpr float kUnknownPenalty = 10;  // below the least likely token, as SentencePiece has it

// Bytes of the character that begins with `lead`, in valid UTF-8.
size_t CharBytes(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

class Unigram : public TableTokenizer {
 public:
  explicit Unigram(TokenizerSpec spec) : TableTokenizer(std::move(spec)), charsmap_(table_.spec().charsmap) {
    if (table_.spec().scores.empty()) throw Error(Code::kCorrupt, "tokenizer: a unigram model without scores");
    if (table_.spec().unknown < 0) throw Error(Code::kCorrupt, "tokenizer: a unigram model without an unknown token");
    std::vector<DoubleArray::Key> keys;
    float least = std::numeric_limits<float>::max();
    for (TokenId id = 0; id < table_.size(); ++id) {
      const TokenType type = table_.Type(id);
      if (type != TokenType::kNormal && type != TokenType::kUserDefined) continue;
      const std::string& token = table_.Text(id);
      const float score = table_.Score(id);
      if (!std::isfinite(score))
        throw Error(Code::kCorrupt, Cat("tokenizer: the score of token ", id, " is no number"));
      if (type == TokenType::kNormal) least = std::min(least, score);
      if (token.empty() || token.find('\0') != std::string::npos || !IsValidUtf8(token)) continue;  // in no text
      if (token.size() > DoubleArray::kLongestKey) {
        throw Error(Code::kCorrupt, Cat("tokenizer: token ", id, " has ", token.size(), " bytes"));
      }
      keys.emplace_back(token, static_cast<uint32_t>(id));
    }
    unknown_score_ = (least == std::numeric_limits<float>::max() ? 0 : least) - kUnknownPenalty;
    trie_ = DoubleArray::Of(std::move(keys));
  }

  std::vector<TokenId> Encode(std::string_view raw, const EncodeOptions& options) const override {
    if (raw.size() > kMostBytes) throw Error(Code::kResourceExhausted, "tokenizer: a text of more than 64 MiB");
    std::string clean;
    if (!IsValidUtf8(raw)) raw = clean = SanitizeUtf8(raw);
    std::vector<TokenId> ids;
    if (options.add_special && adds_bos()) ids.push_back(bos());
    Session session;
    size_t at = 0;
    // Tokens of the user's own are looked for by the search below; only control tokens cut the text.
    if (options.parse_special) {
      for (const SpecialTokens::Match& match : table_.Specials(true).Find(raw)) {
        EncodeText(raw.substr(at, match.begin - at), &session, &ids);
        ids.push_back(match.id);
        at = match.end;
      }
    }
    EncodeText(raw.substr(at), &session, &ids);
    if (options.add_special && adds_eos()) ids.push_back(eos());
    return ids;
  }

 protected:
  std::string TextPiece(TokenId id) const override { return ReplaceAll(table_.Text(id), kSpaceMark, " "); }

 private:
  static constexpr size_t kMostBytes = size_t{64} << 20;

  // The best way to cut the text up to a byte: its last token, where that begins, and the sum of scores.
  struct Cut {
    double score;
    TokenId token;
    uint32_t from;
  };
  struct Session {
    std::string text;
    std::vector<Cut> cuts;
  };

  void Normalise(std::string_view raw, std::string* out) const {
    const bool merge = table_.spec().merge_spaces, prefix = table_.spec().add_space_prefix;
    out->clear();
    bool in_word = false, begun = false;
    const auto put = [&](std::string_view piece) {
      for (const char c : piece) {
        if (c != ' ') {
          if (!in_word) {
            in_word = true;
            if (merge || (prefix && !begun)) out->append(kSpaceMark);
            begun = true;
          }
          out->push_back(c);
        } else {
          in_word = false;
          if (!merge) out->append(kSpaceMark);
        }
      }
    };
    for (size_t at = 0; at < raw.size();) {
      const auto lead = static_cast<unsigned char>(raw[at]);
      std::string_view replacement;
      const size_t matched = charsmap_.Begins(lead) ? charsmap_.Match(raw.substr(at), &replacement) : 0;
      if (matched > 0) {
        put(replacement);
        at += matched;
      } else {
        const size_t size = CharBytes(lead);
        put(raw.substr(at, size));
        at += size;
      }
    }
  }

  void EncodeText(std::string_view raw, Session* session, std::vector<TokenId>* ids) const {
    std::string& text = session->text;
    Normalise(raw, &text);
    if (!IsValidUtf8(text)) text = SanitizeUtf8(text);  // a charsmap may write anything
    std::vector<Cut>& cuts = session->cuts;
    constexpr double kNever = -std::numeric_limits<double>::infinity();
    cuts.assign(text.size() + 1, {kNever, -1, 0});
    cuts[0].score = 0;
    const std::vector<float>& scores = table_.spec().scores;
    for (size_t at = 0; at < text.size();) {
      const size_t size = CharBytes(static_cast<unsigned char>(text[at]));
      const double sum = cuts[at].score;
      bool single = false;  // the character alone is a token
      trie_.Prefixes(std::string_view(text).substr(at), [&](size_t length, uint32_t id) {
        single = single || length == size;
        const double score =
            sum + (table_.Type(static_cast<TokenId>(id)) == TokenType::kUserDefined ? 0.0f : scores[id]);
        Cut& cut = cuts[at + length];
        if (score > cut.score) cut = {score, static_cast<TokenId>(id), static_cast<uint32_t>(at)};
      });
      if (!single) {
        Cut& cut = cuts[at + size];
        const double score = sum + unknown_score_;
        if (score > cut.score) cut = {score, table_.spec().unknown, static_cast<uint32_t>(at)};
      }
      at += size;
    }
    const size_t begin = ids->size();
    const TokenId unknown = table_.spec().unknown;
    for (size_t at = text.size(); at > 0; at = cuts[at].from) {
      if (cuts[at].token == unknown && ids->size() > begin && ids->back() == unknown) continue;
      ids->push_back(cuts[at].token);
    }
    std::reverse(ids->begin() + static_cast<int64_t>(begin), ids->end());
  }

  Charsmap charsmap_;
  DoubleArray trie_;
  double unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<Tokenizer> MakeUnigram(TokenizerSpec spec) { return std::make_unique<Unigram>(std::move(spec)); }

}  // namespace atelier::text
