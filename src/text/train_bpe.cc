#include "text/train_bpe.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "text/byte_map.h"
#include "text/fast_splitter.h"
#include "text/pattern.h"
#include "text/pretokenizers.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

class BpeCutter : public WordCutter {
 public:
  explicit BpeCutter(const PreTokenizer& rule) : splitter_(rule), fast_(FastSplitter::For(rule)) {}

  void Cut(std::string_view text, WordCounts* words) const override {
    if (fast_) {
      for (size_t at = 0; at < text.size();) {
        const size_t end = fast_->WordEnd(text, at);
        words->Add(text.substr(at, end - at));
        at = end;
      }
      return;
    }
    const PatternText characters(DecodeUtf8(text));
    size_t begin = 0, character = 0;
    for (const size_t end : splitter_.Split(characters)) {
      size_t bytes = 0;
      for (; character < end; ++character) {
        const char32_t c = characters.chars[character];
        bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      }
      words->Add(text.substr(begin, bytes));
      begin += bytes;
    }
  }

 private:
  Splitter splitter_;
  std::optional<FastSplitter> fast_;
};

using Symbol = uint32_t;
constexpr uint64_t PairOf(Symbol left, Symbol right) { return uint64_t{left} << 32 | right; }

// How often each pair of neighbours occurs that may still become a token. Counts only fall, so what is rarer than the
// least is never put in. Open addressing.
class PairCounts {
 public:
  PairCounts() : slots_(size_t{1} << 16) {}

  // REQUIRES: it is not there yet
  void Add(uint64_t pair, uint64_t count) {
    if (size_ * 2 >= slots_.size()) Grow();
    slots_[Place(pair)] = {pair, count};
    ++size_;
  }
  void Lower(uint64_t pair, uint64_t by) {
    Slot& slot = slots_[Place(pair)];
    if (slot.pair != kNone) slot.count -= by;
  }
  uint64_t Of(uint64_t pair) const { return slots_[Place(pair)].count; }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};
  struct Slot {
    uint64_t pair = kNone;
    uint64_t count = 0;
  };
  size_t Place(uint64_t pair) const {
    const uint64_t mixed = pair * 0x9E3779B97F4A7C15u;
    size_t at = (mixed ^ mixed >> 32) & (slots_.size() - 1);
    while (slots_[at].pair != kNone && slots_[at].pair != pair) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.pair != kNone) slots_[Place(slot.pair)] = slot;
    }
  }
  std::vector<Slot> slots_;
  size_t size_ = 0;
};

// The corpus as symbols. Every different word stands once, between marks of its ends. A token of several bytes covers
// their places: the first and the last of them hold its number, the others anything that is never asked for. So the
// neighbours of a token are one step away on either side, and merging moves nothing.
constexpr Symbol kWordEnd = 0xFFFFFFFF, kCovered = 0xFFFFFFFE;

// A place in the corpus and how often its word occurs.
struct Occurrence {
  uint32_t at, count;
};
struct List {  // ascending by place
  std::unique_ptr<Occurrence[]> places;
  uint32_t size = 0;
};

// Merges the commonest pair until the vocabulary is full. A token's text arises from one pair only: wherever it stands,
// the same merges in the same order made it of the same bytes. So a pair's places all arise in one merge, in which the
// later of its two tokens is made, and its list is complete from then on.
class Merger {
 public:
  Merger(const WordCounts& counts, uint64_t least) : least_(least) {
    for (int c = 0; c < 0x180; ++c) {  // in the order of the stand-ins
      const int16_t byte = Bytes().of_char[c];
      if (byte < 0) continue;
      symbol_of_byte_[byte] = static_cast<Symbol>(texts_.size());
      Learn(std::string(1, static_cast<char>(byte)));
    }
    Lay(counts);
    FirstPairs();
  }

  // Until there are `vocab` texts or no pair is common enough; progress counts from `first`.
  void Run(size_t vocab, const ProgressFn& progress, size_t first) {
    while (texts_.size() < vocab && !heap_.empty()) {
      Entry top = heap_.front();
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
      const uint64_t count = pairs_.Of(top.pair);
      if (count != top.count) {  // some of its places are gone
        top.count = count;
        if (count >= least_) {
          Push(top);
        } else {
          FreeList(top.list);
        }
        continue;
      }
      const auto left = static_cast<Symbol>(top.pair >> 32), right = static_cast<Symbol>(top.pair);
      const auto result = static_cast<Symbol>(texts_.size());
      Learn(texts_[left] + texts_[right]);
      merges_.push_back({left, right});
      Merge(left, right, result, top.list);
      Account(left, right, result);
      if (progress && merges_.size() % 64 == 0) progress(texts_.size() + first, vocab + first, "merging");
    }
  }

  const std::vector<std::string>& texts() const { return texts_; }  // as bytes
  const std::vector<std::pair<Symbol, Symbol>>& merges() const { return merges_; }

 private:
  struct Entry {
    uint64_t count, pair;
    uint32_t list;
    bool operator<(const Entry& other) const { return count != other.count ? count < other.count : pair > other.pair; }
  };
  static constexpr uint32_t kRare = ~uint32_t{0};
  // What one merge meets of a symbol on one side.
  struct Near {
    uint64_t sum = 0;     // of its places' counts
    uint32_t places = 0;  // how many
    uint32_t list = 0;    // 0: not looked at yet; kRare; else 1 + the new pair's list
  };
  struct Neighbour {
    Symbol symbol;
    Occurrence occurrence;  // of the new pair
  };

  void Learn(std::string text) {
    lengths_.push_back(static_cast<uint32_t>(text.size()));
    texts_.push_back(std::move(text));
    before_of_.emplace_back();
    after_of_.emplace_back();
  }

  void Lay(const WordCounts& counts) {
    uint64_t size = 1;
    for (const WordCounts::Word& word : counts.words()) size += word.size < 2 ? 0 : word.size + 1;
    if (size >= kCovered) {
      throw Error(Code::kResourceExhausted, "tokenizer: the corpus has more than 4 GiB of different words",
                  "train on a part of it");
    }
    symbols_.reserve(size);
    symbols_.push_back(kWordEnd);
    for (const WordCounts::Word& word : counts.words()) {
      if (word.size < 2) continue;
      if (word.count > 0xFFFFFFFF) {
        throw Error(Code::kResourceExhausted, "tokenizer: a word occurs more than 4294967295 times",
                    "train on a part of the corpus");
      }
      word_counts_.push_back(static_cast<uint32_t>(word.count));
      for (const char byte : counts.Text(word)) symbols_.push_back(symbol_of_byte_[static_cast<unsigned char>(byte)]);
      symbols_.push_back(kWordEnd);
    }
  }

  void FirstPairs() {
    constexpr size_t kSymbols = 256;
    std::vector<uint64_t> sums(kSymbols * kSymbols);
    std::vector<uint32_t> places(kSymbols * kSymbols), lists(kSymbols * kSymbols);
    const auto each = [&](const auto& fn) {
      size_t word = 0;
      for (size_t i = 1; i < symbols_.size(); ++i) {
        if (symbols_[i] == kWordEnd) {
          ++word;
        } else if (symbols_[i + 1] != kWordEnd) {
          fn(symbols_[i] * kSymbols + symbols_[i + 1], static_cast<uint32_t>(i), word_counts_[word]);
        }
      }
    };
    each([&](size_t pair, uint32_t, uint32_t count) {
      sums[pair] += count;
      ++places[pair];
    });
    for (size_t pair = 0; pair < sums.size(); ++pair) {
      if (sums[pair] < least_) continue;
      lists[pair] = 1 + NewList(places[pair]);
      const uint64_t key = PairOf(static_cast<Symbol>(pair / kSymbols), static_cast<Symbol>(pair % kSymbols));
      pairs_.Add(key, sums[pair]);
      heap_.push_back({sums[pair], key, lists[pair] - 1});
    }
    each([&](size_t pair, uint32_t at, uint32_t count) {
      if (lists[pair] == 0) return;
      List& list = lists_[lists[pair] - 1];
      list.places[list.size++] = {at, count};
    });
    std::make_heap(heap_.begin(), heap_.end());
    word_counts_ = {};
  }

  uint32_t NewList(uint32_t places) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(lists_.size()));
      lists_.emplace_back();
    }
    const uint32_t list = free_.back();
    free_.pop_back();
    lists_[list].places = std::make_unique_for_overwrite<Occurrence[]>(places);
    return list;
  }
  void FreeList(uint32_t list) {
    lists_[list] = List();
    free_.push_back(list);
  }

  void Push(const Entry& entry) {
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end());
  }

  // Replaces the pair at all its places, each word's from left to right.
  void Merge(Symbol left, Symbol right, Symbol result, uint32_t list_number) {
    const List list = std::move(lists_[list_number]);
    FreeList(list_number);
    before_.clear();
    after_.clear();
    const uint32_t left_length = lengths_[left], right_length = lengths_[right];
    for (uint32_t i = 0; i < list.size; ++i) {
      const auto [at, count] = list.places[i];
      if (symbols_[at] != left) continue;
      const size_t middle = at + left_length;
      if (symbols_[middle] != right) continue;
      const size_t end = middle + right_length;
      if (const Symbol symbol = symbols_[at - 1]; symbol != kWordEnd) {
        Meet(symbol, {at - lengths_[symbol], count}, &before_of_[symbol], &before_);
      }
      if (const Symbol symbol = symbols_[end]; symbol != kWordEnd) {
        Meet(symbol, {at, count}, &after_of_[symbol], &after_);
      }
      symbols_[middle] = kCovered;
      symbols_[at] = symbols_[end - 1] = result;
    }
  }

  static void Meet(Symbol symbol, Occurrence occurrence, Near* near, std::vector<Neighbour>* neighbours) {
    near->sum += occurrence.count;
    ++near->places;
    neighbours->push_back({symbol, occurrence});
  }

  // Counts what went and what came, and puts the new pairs into the queue.
  void Account(Symbol left, Symbol right, Symbol result) {
    const auto add = [&](const Neighbour& n, uint64_t pair, Near* near) {
      if (near->list == 0 && near->sum >= least_) {
        near->list = 1 + NewList(near->places);
        pairs_.Add(pair, near->sum);
        Push({near->sum, pair, near->list - 1});
      } else if (near->list == 0) {
        near->list = kRare;
      }
      if (near->list == kRare) return;
      List& list = lists_[near->list - 1];
      list.places[list.size++] = n.occurrence;
    };
    for (const Neighbour& n : before_) {
      Near& near = before_of_[n.symbol];
      if (near.list == 0 && n.symbol != result) pairs_.Lower(PairOf(n.symbol, left), near.sum);
      add(n, PairOf(n.symbol, result), &near);
    }
    // Where the result stood before the pair, it came together with `left` for a moment only.
    const uint64_t moments = before_of_[result].sum;
    for (const Neighbour& n : after_) {
      Near& near = after_of_[n.symbol];
      if (near.list == 0) {
        pairs_.Lower(PairOf(right, n.symbol), near.sum);
        if (n.symbol == left) near.sum -= moments;
      }
      add(n, PairOf(result, n.symbol), &near);
    }
    for (const Neighbour& n : before_) before_of_[n.symbol] = Near();
    for (const Neighbour& n : after_) after_of_[n.symbol] = Near();
  }

  const uint64_t least_;  // at least 1
  Symbol symbol_of_byte_[256];
  std::vector<std::string> texts_;  // [symbols]
  std::vector<uint32_t> lengths_;   // [symbols], of their texts
  std::vector<std::pair<Symbol, Symbol>> merges_;
  std::vector<Symbol> symbols_;        // [places]
  std::vector<uint32_t> word_counts_;  // [words], until the first pairs are counted
  PairCounts pairs_;
  std::vector<List> lists_;
  std::vector<uint32_t> free_;
  std::vector<Entry> heap_;
  std::vector<Near> before_of_, after_of_;  // [symbols], empty between merges
  std::vector<Neighbour> before_, after_;
};

}  // namespace

TokenizerSpec TrainBpe(const TextPull& next, const TrainBpeOptions& options, const ProgressFn& progress,
                       TrainingNotes* notes) {
  const PreTokenizer* rule = FindPreTokenizer(options.pre);
  if (rule == nullptr) {
    throw Error(Code::kUnsupported, Cat("tokenizer: unknown pre-tokenizer ", Quote(options.pre)),
                Cat("this build knows ", Join(PreTokenizerNames(), ", ")));
  }
  CheckSpecials(options.special);
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = options.pre;
  spec.merge_spaces = spec.add_space_prefix = false;
  AddSpecials(options.special, &spec);
  const size_t first = spec.tokens.size();
  const auto least_vocab = static_cast<int64_t>(first + 256);
  if (options.vocab_size < least_vocab) {
    throw Error(Code::kInvalidInput,
                Cat("tokenizer: a vocabulary of ", options.vocab_size, " has no room for 256 bytes and ", first,
                    " special tokens"),
                Cat("ask for ", least_vocab, " or more"));
  }
  if (options.vocab_size > 16'000'000) {
    throw Error(Code::kInvalidInput, Cat("tokenizer: a vocabulary of ", options.vocab_size, " tokens"),
                "ask for 16000000 or fewer");
  }
  const int threads = options.threads > 0 ? options.threads : ThreadPool::DefaultThreads();
  CorpusSize size;
  WordCounts words = CountWords(next, BpeCutter(*rule), threads, progress, &size);
  if (words.words().empty()) {
    throw Error(Code::kInvalidInput, "tokenizer: the corpus is empty", "give texts to learn from");
  }
  if (notes != nullptr) *notes = {size.texts, size.bytes, words.words().size()};
  const auto least = static_cast<uint64_t>(std::max<int64_t>(1, options.min_frequency));
  Merger merger(words, least);
  words = WordCounts();
  merger.Run(static_cast<size_t>(options.vocab_size) - first, progress, first);
  std::unordered_set<std::string> special(spec.tokens.begin(), spec.tokens.end());
  for (const std::string& bytes : merger.texts()) {
    std::string shown = ShownBytes(bytes);
    if (special.contains(shown)) {
      throw Error(Code::kInvalidInput,
                  Cat("tokenizer: the special token ", Quote(shown), " is also a token of the texts"),
                  "give it a text that nobody writes, like <|name|>");
    }
    spec.tokens.push_back(std::move(shown));
    spec.types.push_back(static_cast<uint8_t>(TokenType::kNormal));
  }
  for (const auto& [left, right] : merger.merges()) {
    spec.merges.push_back(Cat(spec.tokens[first + left], " ", spec.tokens[first + right]));
  }
  return spec;
}

}  // namespace atelier::text
