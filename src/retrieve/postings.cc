#include "retrieve/postings.h"

#include <algorithm>
#include <bit>

namespace atelier::retrieve {
namespace {

constexpr size_t kHeaderBytes = 12;

template <typename T>
void Put(std::string* out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

void PutVarint(std::string* out, uint32_t value) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void Pack(const uint32_t* values, int bits, std::string* out) {
  uint64_t held = 0;
  int filled = 0;
  for (uint32_t i = 0; i < kBlock; ++i) {
    held |= static_cast<uint64_t>(values[i]) << filled;
    for (filled += bits; filled >= 8; filled -= 8, held >>= 8) out->push_back(static_cast<char>(held));
  }
}

// REQUIRES: 16 * bits bytes at `in`. 128 values of `bits` bits end on a byte.
void Unpack(const char* in, int bits, uint32_t* values) {
  if (bits == 0) {
    std::fill(values, values + kBlock, 0U);
    return;
  }
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  const size_t bytes = size_t{16} * static_cast<size_t>(bits);
  for (uint32_t i = 0; i < kBlock; ++i) {
    const size_t bit = size_t{i} * static_cast<size_t>(bits),
                 at = std::min(bit >> 3, bytes - std::min<size_t>(bytes, 8));
    uint64_t word = 0;
    std::memcpy(&word, in + at, std::min<size_t>(8, bytes));
    values[i] = static_cast<uint32_t>((word >> (bit - at * 8)) & mask);
  }
}

}  // namespace

void EncodePostings(std::span<const Posting> postings, std::span<const float> impacts, std::string* out) {
  const size_t full = postings.size() / kBlock;
  std::string data;
  uint32_t before = kNoChunk;  // so that the first gap is the chunk itself
  for (size_t block = 0; block < full; ++block) {
    uint32_t gaps[kBlock], counts[kBlock], most_gap = 0, most_count = 0;
    float impact = 0;
    const auto offset = static_cast<uint32_t>(data.size());
    for (size_t i = 0; i < kBlock; ++i) {
      const Posting& posting = postings[block * kBlock + i];
      gaps[i] = posting.chunk - before - 1;
      counts[i] = posting.count - 1;
      before = posting.chunk;
      most_gap = std::max(most_gap, gaps[i]);
      most_count = std::max(most_count, counts[i]);
      impact = std::max(impact, impacts[block * kBlock + i]);
    }
    const int gap_bits = std::bit_width(most_gap), count_bits = std::bit_width(most_count);
    data.push_back(static_cast<char>(gap_bits));
    data.push_back(static_cast<char>(count_bits));
    Pack(gaps, gap_bits, &data);
    Pack(counts, count_bits, &data);
    Put(out, before);
    Put(out, offset);
    Put(out, impact);
  }
  // The rest needs no header: where it begins follows from the last full block.
  for (size_t i = full * kBlock; i < postings.size(); ++i) {
    PutVarint(&data, postings[i].chunk - before - 1);
    PutVarint(&data, postings[i].count - 1);
    before = postings[i].chunk;
  }
  *out += data;
}

PostingsReader::PostingsReader(std::string_view bytes, uint32_t count, uint32_t chunks, float impact)
    : total_(count), limit_(chunks), full_(count / kBlock), impact_(impact) {
  const size_t headers = size_t{full_} * kHeaderBytes;
  if (headers > bytes.size()) {
    total_ = full_ = 0;
    return;
  }
  headers_ = bytes.data();
  data_ = bytes.substr(headers);
  if (full_ > 0) {
    const Header last = At(full_ - 1);
    if (last.offset + size_t{2} > data_.size()) {
      total_ = full_ = 0;
      return;
    }
    const auto gap_bits = static_cast<uint8_t>(data_[last.offset]);
    const auto count_bits = static_cast<uint8_t>(data_[last.offset + 1]);
    rest_at_ = last.offset + 2 + 16 * (uint32_t{gap_bits} + count_bits);
  }
}

float PostingsReader::ImpactIn(uint32_t from, uint32_t to) {
  while (look_ < full_ && At(look_).last < from) ++look_;
  float impact = 0;
  for (uint32_t block = look_; block < full_; ++block) {
    const Header header = At(block);
    impact = std::max(impact, header.impact);
    if (header.last >= to - 1) return impact;
  }
  // The window reaches into the rest, of which only the bound of the whole list is known.
  return total_ % kBlock != 0 ? std::max(impact, impact_) : impact;
}

bool PostingsReader::Load(uint32_t chunk) {
  while (next_ < full_ && At(next_).last < chunk) ++next_;
  while (next_ <= full_) {
    const uint32_t block = next_++;
    if (!Decode(block)) {
      next_ = full_ + 1;
      break;
    }
    if (chunk_[size_ - 1] >= chunk) return true;
  }
  size_ = 0;
  return false;
}

bool PostingsReader::Decode(uint32_t block) {
  uint32_t before = block == 0 ? kNoChunk : At(block - 1).last;
  if (block < full_) {
    const Header header = At(block);
    if (header.offset + size_t{2} > data_.size()) return false;
    const auto gap_bits = static_cast<uint8_t>(data_[header.offset]);
    const auto count_bits = static_cast<uint8_t>(data_[header.offset + 1]);
    if (gap_bits > 32 || count_bits > 32) return false;
    const size_t need = size_t{16} * (size_t{gap_bits} + count_bits);
    if (data_.size() - header.offset - 2 < need) return false;
    const char* at = data_.data() + header.offset + 2;
    Unpack(at, gap_bits, chunk_);
    Unpack(at + size_t{16} * gap_bits, count_bits, count_);
    for (uint32_t i = 0; i < kBlock; ++i) {
      const uint64_t chunk = uint64_t{chunk_[i]} + (before == kNoChunk ? 0 : uint64_t{before} + 1);
      if (chunk >= limit_) return false;
      before = chunk_[i] = static_cast<uint32_t>(chunk);
      ++count_[i];
    }
    size_ = kBlock;
    return chunk_[kBlock - 1] == header.last;  // else the next block could go back
  }
  const uint32_t rest = total_ % kBlock;
  size_t at = rest_at_;
  const auto varint = [&](uint32_t* value) {
    uint64_t sum = 0;
    for (int shift = 0; shift < 35 && at < data_.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(data_[at++]);
      sum |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) {
        *value = static_cast<uint32_t>(sum);
        return sum <= 0xFFFFFFFF;
      }
    }
    return false;
  };
  for (size_ = 0; size_ < rest; ++size_) {
    uint32_t gap = 0, count = 0;
    if (!varint(&gap) || !varint(&count)) break;
    const uint64_t chunk = uint64_t{gap} + (before == kNoChunk ? 0 : uint64_t{before} + 1);
    if (chunk >= limit_) break;
    before = chunk_[size_] = static_cast<uint32_t>(chunk);
    count_[size_] = count + 1;
  }
  return size_ > 0;
}

}  // namespace atelier::retrieve
