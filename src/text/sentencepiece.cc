#include "text/sentencepiece.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/str.h"
#include "text/token_table.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

// A float as a number whose order, smallest first, is the float's, largest first. NaN goes last.
uint32_t Descending(float score) {
  if (std::isnan(score)) return 0xFFFFFFFF;
  uint32_t bits;
  std::memcpy(&bits, &score, sizeof(bits));
  if (score == 0) bits = 0;  // -0 equals 0
  return ~(bits & 0x80000000 ? ~bits : bits | 0x80000000);
}

// "<0x41>" is the byte 0x41; -1 for other texts.
int ByteOf(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  int value = 0;
  for (char c : text.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

class SentencePiece : public Tokenizer {
 public:
  explicit SentencePiece(TokenizerSpec spec) : table_(std::move(spec)) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; ++byte) {
      TokenId id = table_.Find(std::string{'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'});
      const char raw = static_cast<char>(byte);
      if (id < 0) id = table_.Find(std::string_view(&raw, 1));
      byte_tokens_[byte] = id >= 0 ? id : table_.spec().unknown;
    }
  }

  std::vector<TokenId> Encode(std::string_view raw, const EncodeOptions& options) const override {
    if (raw.size() > kMostBytes) throw Error(Code::kResourceExhausted, "tokenizer: a text of more than 256 MiB");
    std::string clean;
    if (!IsValidUtf8(raw)) raw = clean = SanitizeUtf8(raw);
    std::vector<TokenId> ids;
    if (options.add_special && adds_bos()) ids.push_back(bos());
    Session session;
    bool at_start = true;  // also after a special token: where a word may begin without a written space
    size_t at = 0;
    for (const SpecialTokens::Match& match : table_.Specials(options.parse_special).Find(raw)) {
      if (match.begin > at) EncodeText(raw.substr(at, match.begin - at), at_start, &session, &ids);
      ids.push_back(match.id);
      at_start = true;
      at = match.end;
    }
    if (at < raw.size()) EncodeText(raw.substr(at), at_start, &session, &ids);
    if (options.add_special && table_.spec().add_eos && eos() >= 0) ids.push_back(eos());
    return ids;
  }

  std::string Piece(TokenId id, bool special) const override {
    if (!table_.Has(id)) return "";
    const std::string& text = table_.Text(id);
    switch (table_.Type(id)) {
      case TokenType::kControl:
      case TokenType::kUnknown: return special ? text : "";
      case TokenType::kUserDefined: return text;
      case TokenType::kByte:
        if (const int byte = ByteOf(text); byte >= 0) return std::string(1, static_cast<char>(byte));
        return text;
      default: return ReplaceAll(text, kSpaceMark, " ");
    }
  }

  TokenId vocab_size() const override { return table_.size(); }
  TokenId bos() const override { return table_.spec().bos; }
  TokenId eos() const override { return table_.spec().eos; }
  bool adds_bos() const override { return table_.spec().add_bos && bos() >= 0; }
  bool IsControl(TokenId id) const override { return table_.IsControl(id); }
  bool EndsGeneration(TokenId id) const override { return table_.EndsGeneration(id); }
  TokenId Find(std::string_view token) const override { return table_.Find(token); }

 private:
  static constexpr size_t kMostBytes = size_t{1} << 28;

  // A stretch of the text that will not be cut again: [begin, begin + size). size 0: merged into the one before.
  struct Symbol {
    uint32_t begin, size;
    int32_t previous, next;
  };
  struct Pair {
    uint64_t order;  // score (descending), then position: the smallest goes first
    int32_t right;
    uint32_t size;  // of both together; tells whether either has changed since
    bool operator<(const Pair& other) const { return order > other.order; }
  };
  struct Session {
    std::string text;
    std::vector<Symbol> symbols;
    std::vector<Pair> heap;
  };

  void EncodeText(std::string_view raw, bool at_start, Session* session, std::vector<TokenId>* ids) const {
    std::string& text = session->text;
    text.clear();
    if (at_start && table_.spec().add_space_prefix) text += kSpaceMark;
    for (char c : raw) {
      if (c == ' ') {
        text += kSpaceMark;
      } else {
        text += c;
      }
    }
    std::vector<Symbol>& symbols = session->symbols;
    symbols.clear();
    for (size_t at = 0; at < text.size();) {
      const DecodedChar d = DecodeChar(std::string_view(text).substr(at));
      const auto index = static_cast<int32_t>(symbols.size());
      const bool last = at + d.length == text.size();
      symbols.push_back({static_cast<uint32_t>(at), d.length, index - 1, last ? -1 : index + 1});
      at += d.length;
    }
    Merge(session);
    for (int32_t i = symbols.empty() ? -1 : 0; i >= 0; i = symbols[i].next) {
      const std::string_view piece = std::string_view(text).substr(symbols[i].begin, symbols[i].size);
      const TokenId id = table_.Find(piece);
      if (id >= 0) {
        ids->push_back(id);
        continue;
      }
      for (unsigned char byte : piece) {
        if (byte_tokens_[byte] >= 0) ids->push_back(byte_tokens_[byte]);
      }
    }
  }

  void Merge(Session* session) const {
    std::vector<Symbol>& symbols = session->symbols;
    std::vector<Pair>& heap = session->heap;
    const std::string_view text = session->text;
    heap.clear();
    const auto pair_at = [&](int32_t left, Pair* pair) {
      if (left < 0 || symbols[left].next < 0) return false;
      const int32_t right = symbols[left].next;
      const uint32_t size = symbols[left].size + symbols[right].size;
      if (size > table_.longest()) return false;
      const TokenId id = table_.Find(text.substr(symbols[left].begin, size));
      if (id < 0) return false;
      *pair = {uint64_t{Descending(table_.Score(id))} << 32 | static_cast<uint32_t>(left), right, size};
      return true;
    };
    const auto push = [&](int32_t left) {
      Pair pair;
      if (!pair_at(left, &pair)) return;
      heap.push_back(pair);
      std::push_heap(heap.begin(), heap.end());
    };
    for (int32_t i = 0; i + 1 < static_cast<int32_t>(symbols.size()); ++i) {
      Pair pair;
      if (pair_at(i, &pair)) heap.push_back(pair);
    }
    std::make_heap(heap.begin(), heap.end());
    while (!heap.empty()) {
      const Pair pair = heap.front();
      std::pop_heap(heap.begin(), heap.end());
      heap.pop_back();
      Symbol& left = symbols[pair.order & 0xFFFFFFFF];
      Symbol& right = symbols[pair.right];
      if (left.size == 0 || right.size == 0 || left.size + right.size != pair.size) continue;  // changed since
      left.size = pair.size;
      right.size = 0;
      left.next = right.next;
      const auto index = static_cast<int32_t>(pair.order & 0xFFFFFFFF);
      if (left.next >= 0) symbols[left.next].previous = index;
      push(left.previous);
      push(index);
    }
  }

  TokenTable table_;
  TokenId byte_tokens_[256];
};

}  // namespace

std::unique_ptr<Tokenizer> MakeSentencePiece(TokenizerSpec spec) {
  return std::make_unique<SentencePiece>(std::move(spec));
}

}  // namespace atelier::text
