// Where a term occurs: chunks in ascending order with their counts, in blocks of 128 that are packed to the bit.
//
// Layout of one list of `count` postings, little-endian:
//   full blocks:  count / 128 headers {last u32, offset u32, impact f32}, offset from the end of the headers
//                 each block: bits of gaps u8, bits of counts u8, 128 gaps, 128 counts less one, each packed to bytes
//   the rest:     gap and count less one as LEB128 pairs
// A gap is the distance to the posting before, less one. `impact` is the greatest tf/(tf + K) of the block, K as in
// bm25.h: what no posting of the block exceeds.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace atelier::retrieve {

inline constexpr uint32_t kBlock = 128;
inline constexpr uint32_t kNoChunk = 0xFFFFFFFF;

struct Posting {
  uint32_t chunk, count;
};

// REQUIRES: chunks ascend, counts are at least 1, impacts[i] belongs to postings[i]. Appends to `out`.
void EncodePostings(std::span<const Posting> postings, std::span<const float> impacts, std::string* out);

// Walks one list. Whatever the bytes are, it reads nothing outside of them and gives no chunk twice or backwards; a
// list that ends early ends.
class PostingsReader {
 public:
  PostingsReader() = default;
  // `count` postings at the beginning of `bytes`, of chunks below `chunks`; `impact` bounds the whole list.
  PostingsReader(std::string_view bytes, uint32_t count, uint32_t chunks, float impact);

  // Decodes the next block with a chunk of at least `chunk` in it; false at the end.
  bool Load(uint32_t chunk);
  // The block that was loaded.
  uint32_t size() const { return size_; }
  const uint32_t* chunks() const { return chunk_; }
  const uint32_t* counts() const { return count_; }
  // The greatest impact of blocks that may hold chunks of [from, to), without decoding them.
  float ImpactIn(uint32_t from, uint32_t to);
  uint32_t count() const { return total_; }

 private:
  struct Header {
    uint32_t last, offset;
    float impact;
  };
  Header At(uint32_t block) const {
    Header header;
    std::memcpy(&header, headers_ + size_t{block} * sizeof(Header), sizeof(header));
    return header;
  }
  bool Decode(uint32_t block);

  const char* headers_ = nullptr;
  std::string_view data_;
  uint32_t total_ = 0, limit_ = 0, full_ = 0, next_ = 0, look_ = 0, size_ = 0;
  uint32_t rest_at_ = 0;
  float impact_ = 0;
  uint32_t chunk_[kBlock], count_[kBlock];
};

}  // namespace atelier::retrieve
