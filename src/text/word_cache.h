// Ids of words that came before: most words of a text are few different ones. One table per thread, shared by all
// tokenizers of the process (each word carries its tokenizer's number), direct-mapped: what collides is overwritten.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace atelier::text {

class WordCache {
 public:
  static constexpr size_t kMostBytes = 32, kMostIds = 6;  // of a word that is kept

  struct alignas(64) Entry {
    uint32_t owner = 0;  // 0: empty
    uint8_t bytes = 0, count = 0;
    char word[kMostBytes];
    TokenId ids[kMostIds];
  };
  static_assert(sizeof(Entry) == 64 || kMostIds != 6);

  // What two tokens side by side are together: the id of the token with their joined text, or -1.
  struct PairEntry {
    uint64_t pair = 0;
    uint32_t owner = 0;  // 0: empty
    TokenId joined = -1;
  };
  PairEntry& FindPair(TokenId left, TokenId right, uint32_t owner) {
    const uint64_t pair = PairKey(left, right);
    return pairs_[(pair ^ owner) * 0x9E3779B97F4A7C15u >> 50];
  }
  static uint64_t PairKey(TokenId left, TokenId right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }

  static WordCache& OfThread() {
    thread_local WordCache cache;
    return cache;
  }
  // A number for a tokenizer, and the one after it for a second kind of words. Never 0, never given again.
  static uint32_t NewOwner();

  // Appends the word's ids: those that are kept, or those that `make` appends, which are kept then where they are few.
  // REQUIRES: 0 < word.size().
  template <typename Make>
  void Append(std::string_view word, uint32_t owner, std::vector<TokenId>* ids, const Make& make) {
    if (word.size() > kMostBytes) return make();
    Entry& entry = Find(word, owner);
    if (Holds(entry, word, owner)) {
      ids->insert(ids->end(), entry.ids, entry.ids + entry.count);
      return;
    }
    const size_t before = ids->size();
    make();
    // `make` may have kept a part of the word in this place; that is as well.
    Store(entry, word, owner, ids->data() + before, ids->size() - before);
  }

 private:
  // The place of the word; it holds the word's ids if Holds() says so. REQUIRES: 0 < word.size() <= kMostBytes.
  Entry& Find(std::string_view word, uint32_t owner) { return entries_[Hash(word, owner) & (kSize - 1)]; }
  static bool Holds(const Entry& entry, std::string_view word, uint32_t owner) {
    return entry.owner == owner && entry.bytes == word.size() && Equal(entry.word, word);
  }
  static void Store(Entry& entry, std::string_view word, uint32_t owner, const TokenId* ids, size_t count) {
    if (count > kMostIds) return;
    entry.owner = owner;
    entry.bytes = static_cast<uint8_t>(word.size());
    entry.count = static_cast<uint8_t>(count);
    std::memcpy(entry.word, word.data(), word.size());
    std::memcpy(entry.ids, ids, count * sizeof(TokenId));
  }

  static constexpr size_t kSize = 1 << 15;

  WordCache() : entries_(new Entry[kSize]), pairs_(new PairEntry[size_t{1} << 14]) {}

  static uint64_t Load8(const char* at) {
    uint64_t value;
    std::memcpy(&value, at, 8);
    return value;
  }
  static uint64_t Load4(const char* at) {
    uint32_t value;
    std::memcpy(&value, at, 4);
    return value;
  }
  // The word's bytes in at most four numbers; short words overlap themselves.
  static void Numbers(const char* at, size_t size, uint64_t* out) {
    if (size >= 16) {
      out[0] = Load8(at), out[1] = Load8(at + size - 8);
      out[2] = Load8(at + 8), out[3] = Load8(at + size - 16);
    } else if (size >= 8) {
      out[0] = Load8(at), out[1] = Load8(at + size - 8);
      out[2] = out[3] = 0;
    } else if (size >= 4) {
      out[0] = Load4(at) | Load4(at + size - 4) << 32;
      out[1] = out[2] = out[3] = 0;
    } else {
      out[0] = static_cast<unsigned char>(at[0]) |
               static_cast<uint64_t>(static_cast<unsigned char>(at[size / 2])) << 8 |
               static_cast<uint64_t>(static_cast<unsigned char>(at[size - 1])) << 16;
      out[1] = out[2] = out[3] = 0;
    }
  }
  static size_t Hash(std::string_view word, uint32_t owner) {
    uint64_t n[4];
    Numbers(word.data(), word.size(), n);
    uint64_t hash = (n[0] ^ owner * 0x9E3779B97F4A7C15u) * 0x9FB21C651E98DF25u;
    hash = (hash ^ hash >> 29 ^ n[1] ^ word.size()) * 0xA24BAED4963EE407u;
    hash = (hash ^ n[2] ^ n[3] << 7) * 0x9E3779B97F4A7C15u;
    return hash >> 40;
  }
  static bool Equal(const char* stored, std::string_view word) {
    uint64_t a[4], b[4];
    Numbers(stored, word.size(), a);
    Numbers(word.data(), word.size(), b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == 0;
  }

  std::unique_ptr<Entry[]> entries_;
  std::unique_ptr<PairEntry[]> pairs_;
};

}  // namespace atelier::text
