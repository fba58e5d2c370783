#include "text/sentencepiece.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/str.h"
#include "text/join_filter.h"
#include "text/space_mark.h"
#include "text/table_tokenizer.h"
#include "text/unicode.h"
#include "text/word_cache.h"

namespace atelier::text {
namespace {

constexpr char32_t kSpaceCode = 0x2581;

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

class SentencePiece : public TableTokenizer {
 public:
  explicit SentencePiece(TokenizerSpec spec) : TableTokenizer(std::move(spec)) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; ++byte) {
      TokenId id = table_.Find(std::string{'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'});
      const char raw = static_cast<char>(byte);
      if (id < 0) id = table_.Find(std::string_view(&raw, 1));
      byte_tokens_[byte] = id >= 0 ? id : table_.spec().unknown;
    }
    for (TokenId id = 0; id < table_.size(); ++id) {
      const std::string& token = table_.Text(id);
      AddJoins(token);
      if (token.empty() || token.size() > 3) continue;
      const DecodedChar d = DecodeChar(token);
      if (d.valid && d.length == token.size() && basic_ids_[d.c] < 0) basic_ids_[d.c] = id;
    }
  }

  std::vector<TokenId> Encode(std::string_view raw, const EncodeOptions& options) const override {
    if (raw.size() > kMostBytes) throw Error(Code::kResourceExhausted, "tokenizer: a text of more than 256 MiB");
    std::string clean;
    if (!IsValidUtf8(raw)) raw = clean = SanitizeUtf8(raw);
    std::vector<TokenId> ids;
    ids.reserve(raw.size() / 3 + 8);
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
    if (options.add_special && adds_eos()) ids.push_back(eos());
    return ids;
  }

 protected:
  std::string TextPiece(TokenId id) const override {
    const std::string& text = table_.Text(id);
    if (table_.Type(id) != TokenType::kByte) return ReplaceAll(text, kSpaceMark, " ");
    const int byte = ByteOf(text);
    return byte >= 0 ? std::string(1, static_cast<char>(byte)) : text;
  }

 private:
  static constexpr size_t kMostBytes = size_t{1} << 28;
  static constexpr size_t kShortWord = 32;  // characters; merged without a queue
  static constexpr uint64_t kNever = ~uint64_t{0};

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
    WordCache* cache = &WordCache::OfThread();
    std::string raw, text;
    std::vector<Symbol> symbols;
    std::vector<Pair> heap;
  };

  // Neighbours within a token. A space counts as itself where it stands for the mark.
  void AddJoins(std::string_view token) {
    char32_t before = 0;
    bool first = true;
    for (size_t at = 0; at < token.size();) {
      const DecodedChar d = DecodeChar(token.substr(at, 4));
      if (!d.valid) return;  // no text comes to this
      if (!first) {
        joins_.Add(JoinKey(before, d.c));
        const char32_t left = before == kSpaceCode ? U' ' : before, right = d.c == kSpaceCode ? U' ' : d.c;
        if (left < 128 && right < 128) ascii_joins_[left][right >> 6] |= uint64_t{1} << (right & 63);
      }
      first = false;
      before = d.c;
      at += d.length;
    }
  }
  static uint64_t JoinKey(char32_t left, char32_t right) { return static_cast<uint64_t>(left) << 21 | right; }

  void EncodeText(std::string_view raw, bool at_start, Session* session, std::vector<TokenId>* ids) const {
    if (at_start && table_.spec().add_space_prefix) {
      session->raw = ' ';
      session->raw += raw;
      raw = session->raw;
    }
    // Cut where no token joins the neighbours: merges never cross such a border.
    size_t word = 0;
    char32_t before = 0;
    for (size_t at = 0; at < raw.size();) {
      const auto lead = static_cast<unsigned char>(raw[at]);
      char32_t c = lead;
      size_t length = 1;
      bool joins;
      if (lead < 0x80 && before < 0x80) {
        joins = ascii_joins_[before][lead >> 6] >> (lead & 63) & 1;
      } else {
        if (lead >= 0xF0) {
          c = (lead & 7u) << 18 | Trail(raw, at + 1) << 12 | Trail(raw, at + 2) << 6 | Trail(raw, at + 3);
          length = 4;
        } else if (lead >= 0xE0) {
          c = (lead & 15u) << 12 | Trail(raw, at + 1) << 6 | Trail(raw, at + 2);
          length = 3;
        } else if (lead >= 0xC0) {
          c = (lead & 31u) << 6 | Trail(raw, at + 1);
          length = 2;
        }
        joins = joins_.May(JoinKey(before == ' ' ? kSpaceCode : before, c == ' ' ? kSpaceCode : c));
      }
      if (!joins && at > word) {
        EncodeWord(raw.substr(word, at - word), session, ids);
        word = at;
      }
      before = c;
      at += length;
    }
    EncodeWord(raw.substr(word), session, ids);
  }

  static uint32_t Trail(std::string_view text, size_t at) { return static_cast<unsigned char>(text[at]) & 0x3Fu; }

  void EncodeWord(std::string_view word, Session* session, std::vector<TokenId>* ids) const {
    if (word.empty()) return;
    session->cache->Append(word, owner_, ids, [&] { MergeWord(word, session, ids); });
  }

  void MergeWord(std::string_view word, Session* session, std::vector<TokenId>* ids) const {
    std::string& text = session->text;
    text.clear();
    for (char c : word) {
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
    if (symbols.size() <= kShortWord) return MergeShort(session, ids);
    Merge(session);
    for (int32_t i = symbols.empty() ? -1 : 0; i >= 0; i = symbols[i].next) {
      const std::string_view piece = std::string_view(text).substr(symbols[i].begin, symbols[i].size);
      Emit(piece, table_.Find(piece), ids);
    }
  }

  void Emit(std::string_view piece, TokenId id, std::vector<TokenId>* ids) const {
    if (id >= 0) {
      ids->push_back(id);
      return;
    }
    for (unsigned char byte : piece) {
      if (byte_tokens_[byte] >= 0) ids->push_back(byte_tokens_[byte]);
    }
  }

  // The same as Merge, without a queue: the best of a few is found by looking at all.
  void MergeShort(Session* session, std::vector<TokenId>* ids) const {
    std::vector<Symbol>& symbols = session->symbols;
    const std::string_view text = session->text;
    uint64_t orders[kShortWord];  // of joining symbol i with its next; by score, then place
    TokenId own[kShortWord], joined[kShortWord];
    const auto look = [&](int32_t left) {
      orders[left] = kNever;
      const int32_t right = symbols[left].next;
      if (right < 0) return;
      const uint32_t size = symbols[left].size + symbols[right].size;
      if (size > table_.longest()) return;
      TokenId id;
      if (own[left] >= 0 && own[right] >= 0) {
        WordCache::PairEntry& entry = session->cache->FindPair(own[left], own[right], owner_);
        const uint64_t pair = WordCache::PairKey(own[left], own[right]);
        if (entry.owner != owner_ || entry.pair != pair) {
          entry = {pair, owner_, table_.Find(text.substr(symbols[left].begin, size))};
        }
        id = entry.joined;
      } else {
        id = table_.Find(text.substr(symbols[left].begin, size));
      }
      joined[left] = id;
      if (id >= 0) orders[left] = uint64_t{Descending(table_.Score(id))} << 32 | static_cast<uint32_t>(left);
    };
    const auto count = static_cast<int32_t>(symbols.size());
    for (int32_t i = 0; i < count; ++i) {
      const std::string_view one = text.substr(symbols[i].begin, symbols[i].size);
      const char32_t c = DecodeChar(one).c;
      own[i] = c < 0x10000 ? basic_ids_[c] : table_.Find(one);
    }
    for (int32_t i = 0; i < count; ++i) look(i);
    for (;;) {
      int32_t best = 0;
      for (int32_t i = 1; i < count; ++i) {
        if (orders[i] < orders[best]) best = i;
      }
      if (orders[best] == kNever) break;
      Symbol& left = symbols[best];
      Symbol& right = symbols[left.next];
      own[best] = joined[best];
      orders[left.next] = kNever;
      left.size += right.size;
      right.size = 0;
      left.next = right.next;
      if (left.next >= 0) symbols[left.next].previous = best;
      look(best);
      if (left.previous >= 0) look(left.previous);
    }
    for (int32_t i = 0; i >= 0; i = symbols[i].next) {
      Emit(text.substr(symbols[i].begin, symbols[i].size), own[i], ids);
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

  TokenId byte_tokens_[256];
  // [0x10000]: ids of characters by themselves, -1 where the vocabulary lacks one.
  std::vector<TokenId> basic_ids_ = std::vector<TokenId>(0x10000, -1);
  JoinFilter joins_;
  uint64_t ascii_joins_[128][2] = {};  // [left][right's bit]
  uint32_t owner_ = WordCache::NewOwner();
};

}  // namespace

std::unique_ptr<Tokenizer> MakeSentencePiece(TokenizerSpec spec) {
  return std::make_unique<SentencePiece>(std::move(spec));
}

}  // namespace atelier::text
