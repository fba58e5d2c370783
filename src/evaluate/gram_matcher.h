// How many n-grams two texts share: the one loop of BLEU and chrF, over integers only.
//
// A text is a sequence of symbols (code points, or words numbered by SymbolTable). An n-gram is the number of the (n -
// 1)-gram that it begins with and one more symbol, 64 bits, so that equal keys are equal n-grams and no text is
// compared twice. What is not shared at one length is left out at the next.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

inline constexpr uint64_t kGoldenSpread = 0x9e3779b97f4a7c15ull;  // 2^64 by the golden ratio (Knuth)

// Sets of 64-bit keys that number them 0, 1, 2 ...; a new set takes the memory of the one before, in constant time.
class KeyTable {
 public:
  struct Slot {
    uint64_t key = 0;
    uint32_t turn = 0;  // of the set it belongs to
    uint32_t number = 0;
  };
  // A value of its own, so that loops keep it in registers; it lives until the next Begin().
  struct Set {
    Slot* slots;
    size_t mask;
    int shift;
    uint32_t turn, size = 0;

    // The number of `key`; `size` grows where it is new.
    uint32_t Add(uint64_t key);
    // ~0 for one that is not there.
    uint32_t Find(uint64_t key) const;
  };
  Set Begin(size_t most);  // for at most `most` keys

 private:
  std::vector<Slot> slots_;
  uint32_t turn_ = 0;
};

inline uint32_t KeyTable::Set::Add(uint64_t key) {
  for (size_t i = static_cast<size_t>((key * kGoldenSpread) >> shift);; i = (i + 1) & mask) {
    Slot& slot = slots[i];
    if (slot.turn != turn) {
      slot = {key, turn, size};
      return size++;
    }
    if (slot.key == key) return slot.number;
  }
}

inline uint32_t KeyTable::Set::Find(uint64_t key) const {
  for (size_t i = static_cast<size_t>((key * kGoldenSpread) >> shift);; i = (i + 1) & mask) {
    const Slot& slot = slots[i];
    if (slot.turn != turn) return ~0u;
    if (slot.key == key) return slot.number;
  }
}

// Words to numbers, equal where their bytes are.
class SymbolTable {
 public:
  void Reset(size_t most);  // words to come
  // The words live as long as they are compared with.
  uint32_t Add(std::string_view word);

 private:
  struct Slot {
    uint64_t head = 0, tail = 0;  // the first and the last bytes: all of them in a word of up to 16
    const char* data = nullptr;
    uint32_t length = 0, turn = 0, number = 0;
  };
  std::vector<Slot> slots_;
  int shift_ = 64;
  uint32_t turn_ = 0, size_ = 0;
};

class GramMatcher {
 public:
  using Text = std::span<const uint32_t>;
  // matches[n - 1]: over the distinct n-grams of `hypothesis`, how often it holds one, at most as often as the
  // reference that holds it most often; n from 1 to `order`.
  void Match(Text hypothesis, std::span<const Text> references, size_t order, int64_t* matches);

 private:
  struct Place {
    uint32_t at, gram;  // where an n-gram begins, its number
  };
  struct Pair {
    uint32_t at, other;  // where an n-gram of the hypothesis begins, and the only one of the references that equals it
  };

  struct Gram {
    uint32_t count = 0, first = 0;  // in all references: how often, and where first
    uint32_t most = 0;              // how many may still be matched: those in the reference that has most
    uint32_t seen = 0, last = 0;    // in the reference seen last: how often, and which that is
    uint32_t shared = 0;            // 1: the hypothesis has it
  };

  KeyTable table_;
  std::vector<uint32_t> given_text_, wanted_text_;  // the hypothesis and all references, each with an end behind it
  std::vector<uint32_t> reference_of_;              // by symbol of wanted_text_, where there are several references
  std::vector<Place> given_, wanted_;               // of both
  std::vector<Pair> pairs_;                         // those of the hypothesis that need no table any more
  std::vector<uint32_t> taken_;  // by symbol of wanted_text_: the last n that a pair has counted for it
  std::vector<Gram> grams_;
};

}  // namespace atelier::evaluate
