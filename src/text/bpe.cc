#include "text/bpe.h"

#include <optional>
#include <queue>
#include <unordered_map>

#include "base/error.h"
#include "base/str.h"
#include "text/byte_map.h"
#include "text/fast_splitter.h"
#include "text/join_filter.h"
#include "text/pattern.h"
#include "text/pretokenizers.h"
#include "text/table_tokenizer.h"
#include "text/unicode.h"
#include "text/word_cache.h"

namespace atelier::text {
namespace {

// From a pair of symbols to what they merge into. Open addressing; the first rule for a pair is the one that counts.
class MergeTable {
 public:
  struct Merge {
    uint64_t pair = kEmpty;
    uint32_t rank = 0;
    int32_t result = -1;
  };
  void Reserve(size_t count) {
    size_t size = 16;
    while (size < count * 2) size *= 2;
    slots_.resize(size);
  }
  void Add(int32_t left, int32_t right, uint32_t rank, int32_t result) {
    Merge& slot = slots_[Place(Key(left, right))];
    if (slot.pair == kEmpty) slot = {Key(left, right), rank, result};
  }
  const Merge* Find(int32_t left, int32_t right) const {
    const Merge& slot = slots_[Place(Key(left, right))];
    return slot.pair == kEmpty ? nullptr : &slot;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static uint64_t Key(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  size_t Place(uint64_t key) const {
    uint64_t mixed = key * 0x9E3779B97F4A7C15u;
    size_t at = (mixed ^ mixed >> 32) & (slots_.size() - 1);
    while (slots_[at].pair != kEmpty && slots_[at].pair != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  std::vector<Merge> slots_;
};

class Bpe : public TableTokenizer {
 public:
  // `merges` as the specification has them, in order of rank.
  Bpe(TokenizerSpec spec, const std::vector<std::string>& merges, const PreTokenizer& rule)
      : TableTokenizer(std::move(spec)),
        whole_words_(rule.whole_words),
        splitter_(rule),
        fast_(FastSplitter::For(rule)) {
    // Symbols are all texts that merging can meet: the tokens, numbered as they are, then what only merges name.
    std::vector<std::string> others;
    std::unordered_map<std::string, int32_t> known;
    const auto symbol = [&](std::string text) {
      const int32_t id = table_.Find(text);
      if (id >= 0) return id;
      const auto [it, added] = known.try_emplace(std::move(text), table_.size() + static_cast<int32_t>(others.size()));
      if (added) others.push_back(it->first);
      return it->second;
    };
    for (int byte = 0; byte < 256; ++byte) {
      std::string text;
      AppendUtf8(&text, Bytes().of_byte[byte]);
      byte_symbols_[byte] = symbol(text);
    }
    merges_.Reserve(merges.size());
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      const std::string& line = merges[rank];
      const size_t space = line.find(' ', 1);
      if (space == std::string::npos || space + 1 == line.size()) continue;  // not a pair: never applies
      std::string left = line.substr(0, space), right = line.substr(space + 1);
      if (right.find(' ') != std::string::npos) continue;
      std::string both = left + right;
      AddJoins(both);
      const int32_t l = symbol(std::move(left)), r = symbol(std::move(right));
      merges_.Add(l, r, static_cast<uint32_t>(rank), symbol(std::move(both)));
    }
    // A symbol that is no token comes out as those of its printable characters that are tokens of one byte.
    spelled_.resize(others.size());
    for (size_t i = 0; i < others.size(); ++i) {
      for (char c : others[i]) {
        const TokenId id = table_.Find(std::string_view(&c, 1));
        if (id >= 0) spelled_[i].push_back(id);
      }
    }
  }

  std::vector<TokenId> Encode(std::string_view raw, const EncodeOptions& options) const override {
    if (raw.size() > kMostBytes) throw Error(Code::kResourceExhausted, "tokenizer: a text of more than 1 GiB");
    std::string clean;
    if (!IsValidUtf8(raw)) raw = clean = SanitizeUtf8(raw);
    std::vector<TokenId> ids;
    ids.reserve(raw.size() / 3 + 8);
    if (options.add_special && adds_bos()) ids.push_back(bos());
    Session session;
    size_t at = 0;
    for (const SpecialTokens::Match& match : table_.Specials(options.parse_special).Find(raw)) {
      EncodeText(raw.substr(at, match.begin - at), &session, &ids);
      ids.push_back(match.id);
      at = match.end;
    }
    EncodeText(raw.substr(at), &session, &ids);
    if (options.add_special && adds_eos()) ids.push_back(eos());
    return ids;
  }

 protected:
  std::string TextPiece(TokenId id) const override {
    const std::string& text = table_.Text(id);
    std::string bytes;
    for (size_t at = 0; at < text.size();) {
      const DecodedChar d = DecodeChar(std::string_view(text).substr(at));
      const int byte = d.valid && d.c < 0x180 ? Bytes().of_char[d.c] : -1;
      if (byte >= 0) {
        bytes.push_back(static_cast<char>(byte));
      } else {
        bytes.append(text, at, d.length);  // not in the alphabet: as it stands
      }
      at += d.length;
    }
    return bytes;
  }

 private:
  static constexpr size_t kMostBytes = size_t{1} << 30;
  static constexpr size_t kShortWord = 32;  // bytes; merged without a queue
  static constexpr uint32_t kNoRank = ~uint32_t{0};
  static constexpr size_t kUncutWord = 6;  // bytes; a word of other scripts is not cut below this

  struct Pair {
    uint64_t order;  // rank, then position: the smallest goes first
    int32_t left_symbol, right_symbol, result;
    bool operator<(const Pair& other) const { return order > other.order; }
  };
  struct Link {
    int32_t symbol, previous, next;
  };
  struct Session {
    WordCache* cache = &WordCache::OfThread();
    std::vector<int32_t> symbols;
    std::vector<Link> links;
    std::vector<Pair> heap;
  };

  // Borders between characters beyond ASCII that a merge's result lies across: up to two bytes on either side.
  void AddJoins(std::string_view shown) {
    bytes_of_join_.clear();
    for (size_t at = 0; at < shown.size();) {
      const DecodedChar d = DecodeChar(shown.substr(at));
      const int byte = d.valid && d.c < 0x180 ? Bytes().of_char[d.c] : -1;
      if (byte < 0) return;  // no text comes to this
      bytes_of_join_.push_back(static_cast<unsigned char>(byte));
      at += d.length;
    }
    const std::vector<unsigned char>& b = bytes_of_join_;
    for (size_t k = 1; k < b.size(); ++k) {
      if (b[k] < 0xC0 || b[k - 1] < 0x80) continue;
      joins_.Add(JoinKey(k > 1 ? b[k - 2] : 256, b[k - 1], b[k], k + 1 < b.size() ? b[k + 1] : 256));
    }
  }
  static uint64_t JoinKey(uint64_t a, uint64_t b, uint64_t c, uint64_t d) { return a << 27 | b << 18 | c << 9 | d; }

  // Whether a merge may lie across the border before the character at `at`.
  bool MayJoin(std::string_view text, size_t at) const {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const uint64_t a = at > 1 ? byte(at - 2) : 256, b = byte(at - 1), c = byte(at);
    const uint64_t d = at + 1 < text.size() ? byte(at + 1) : 256;
    return joins_.May(JoinKey(a, b, c, d)) || joins_.May(JoinKey(256, b, c, d)) || joins_.May(JoinKey(a, b, c, 256)) ||
           joins_.May(JoinKey(256, b, c, 256));
  }

  void EncodeText(std::string_view text, Session* session, std::vector<TokenId>* ids) const {
    if (text.empty()) return;
    if (fast_) {
      for (size_t at = 0; at < text.size();) {
        const size_t end = fast_->WordEnd(text, at);
        EncodeWord(text.substr(at, end - at), session, ids);
        at = end;
      }
      return;
    }
    const PatternText characters(DecodeUtf8(text));
    size_t begin = 0, first_char = 0;
    for (size_t end_char : splitter_.Split(characters)) {
      size_t bytes = 0;
      for (; first_char < end_char; ++first_char) {
        const char32_t c = characters.chars[first_char];
        bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      }
      EncodeWord(text.substr(begin, bytes), session, ids);
      begin += bytes;
    }
  }

  void EncodeWord(std::string_view word, Session* session, std::vector<TokenId>* ids) const {
    // Words of scripts that write no spaces are long and rarely the same; their parts are.
    const bool other =
        static_cast<unsigned char>(word[0]) >= 0xC0 || (word.size() > 1 && static_cast<unsigned char>(word[1]) >= 0xC0);
    if (other && word.size() > kUncutWord && !whole_words_) return EncodeParts(word, session, ids);
    session->cache->Append(word, owner_, ids, [&] { MergeWord(word, session, ids); });
  }

  void EncodeParts(std::string_view word, Session* session, std::vector<TokenId>* ids) const {
    size_t begin = 0;
    for (size_t at = 1; at <= word.size(); ++at) {
      if (at < word.size()) {
        if (static_cast<unsigned char>(word[at]) < 0xC0 || static_cast<unsigned char>(word[at - 1]) < 0x80) continue;
        if (MayJoin(word, at)) continue;
      }
      const std::string_view part = word.substr(begin, at - begin);
      begin = at;
      session->cache->Append(part, owner_ + 1, ids, [&] { MergeSymbols(part, session, ids); });
    }
  }

  void MergeWord(std::string_view word, Session* session, std::vector<TokenId>* ids) const {
    if (whole_words_ && word.size() <= table_.longest()) {
      std::string shown;
      for (unsigned char byte : word) AppendUtf8(&shown, Bytes().of_byte[byte]);
      const TokenId id = table_.Find(shown);
      if (id >= 0) {
        ids->push_back(id);
        return;
      }
    }
    EncodeParts(word, session, ids);
  }

  void MergeSymbols(std::string_view word, Session* session, std::vector<TokenId>* ids) const {
    std::vector<int32_t>& symbols = session->symbols;
    symbols.clear();
    for (unsigned char byte : word) symbols.push_back(byte_symbols_[byte]);
    if (symbols.size() <= kShortWord) {
      MergeShort(&symbols);
    } else {
      MergeLong(session);
    }
    for (int32_t symbol : symbols) {
      if (symbol < table_.size()) {
        ids->push_back(symbol);
      } else {
        const std::vector<TokenId>& spelled = spelled_[symbol - table_.size()];
        ids->insert(ids->end(), spelled.begin(), spelled.end());
      }
    }
  }

  void MergeShort(std::vector<int32_t>* symbols) const {
    // ranks[i], results[i]: of merging symbols i and i + 1.
    uint32_t ranks[kShortWord];
    int32_t results[kShortWord];
    int32_t* s = symbols->data();
    size_t n = symbols->size();
    const auto look = [&](size_t i) {
      const MergeTable::Merge* merge = merges_.Find(s[i], s[i + 1]);
      ranks[i] = merge != nullptr ? merge->rank : kNoRank;
      results[i] = merge != nullptr ? merge->result : -1;
    };
    for (size_t i = 0; i + 1 < n; ++i) look(i);
    while (n > 1) {
      size_t best = 0;
      for (size_t i = 1; i + 1 < n; ++i) {
        if (ranks[i] < ranks[best]) best = i;
      }
      if (ranks[best] == kNoRank) break;
      s[best] = results[best];
      for (size_t i = best + 1; i + 1 < n; ++i) s[i] = s[i + 1];
      for (size_t i = best + 1; i + 2 < n; ++i) {
        ranks[i] = ranks[i + 1];
        results[i] = results[i + 1];
      }
      --n;
      if (best + 1 < n) look(best);
      if (best > 0) look(best - 1);
    }
    symbols->resize(n);
  }

  void MergeLong(Session* session) const {
    std::vector<Link>& links = session->links;
    std::vector<Pair>& heap = session->heap;
    const auto count = static_cast<int32_t>(session->symbols.size());
    links.clear();
    heap.clear();
    for (int32_t i = 0; i < count; ++i) links.push_back({session->symbols[i], i - 1, i + 1 < count ? i + 1 : -1});
    const auto pair_at = [&](int32_t left, Pair* pair) {
      if (left < 0 || links[left].next < 0) return false;
      const int32_t l = links[left].symbol, r = links[links[left].next].symbol;
      const MergeTable::Merge* merge = merges_.Find(l, r);
      if (merge == nullptr) return false;
      *pair = {uint64_t{merge->rank} << 32 | static_cast<uint32_t>(left), l, r, merge->result};
      return true;
    };
    const auto push = [&](int32_t left) {
      Pair pair;
      if (!pair_at(left, &pair)) return;
      heap.push_back(pair);
      std::push_heap(heap.begin(), heap.end());
    };
    for (int32_t i = 0; i + 1 < count; ++i) {
      Pair pair;
      if (pair_at(i, &pair)) heap.push_back(pair);
    }
    std::make_heap(heap.begin(), heap.end());
    while (!heap.empty()) {
      const Pair pair = heap.front();
      std::pop_heap(heap.begin(), heap.end());
      heap.pop_back();
      const auto left = static_cast<int32_t>(pair.order & 0xFFFFFFFF);
      if (links[left].symbol != pair.left_symbol) continue;  // merged since
      const int32_t right = links[left].next;
      if (right < 0 || links[right].symbol != pair.right_symbol) continue;
      links[left].symbol = pair.result;
      links[right].symbol = -1;
      links[left].next = links[right].next;
      if (links[left].next >= 0) links[links[left].next].previous = left;
      push(links[left].previous);
      push(left);
    }
    session->symbols.clear();
    for (int32_t i = 0; i >= 0; i = links[i].next) session->symbols.push_back(links[i].symbol);
  }

  bool whole_words_;
  Splitter splitter_;
  std::optional<FastSplitter> fast_;
  JoinFilter joins_;
  std::vector<unsigned char> bytes_of_join_;
  uint32_t owner_ = WordCache::NewOwner();  // of whole words; parts of words are the number after it
  int32_t byte_symbols_[256];
  MergeTable merges_;
  std::vector<std::vector<TokenId>> spelled_;  // of the symbols that are no tokens
};

}  // namespace

std::unique_ptr<Tokenizer> MakeBpe(TokenizerSpec spec) {
  const PreTokenizer* rule = FindPreTokenizer(spec.pre);
  if (rule == nullptr) {
    throw Error(Code::kUnsupported, Cat("tokenizer: unknown pre-tokenizer ", Quote(spec.pre)),
                Cat("this build knows ", Join(PreTokenizerNames(), ", ")));
  }
  const std::vector<std::string> merges = std::move(spec.merges);
  return std::make_unique<Bpe>(std::move(spec), merges, *rule);
}

std::string ByteSymbol(uint8_t byte) {
  std::string text;
  AppendUtf8(&text, Bytes().of_byte[byte]);
  return text;
}

}  // namespace atelier::text
