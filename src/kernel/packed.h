// Weight matrices as the kernels read them, made once at load.
//
// Rows (outputs) come in panels of 16, one per 32-bit lane of a 512-bit register; K (inputs) in stretches of 32, each
// as eight groups of 4 k-values, so that one 64-byte load is 16 rows x 4 k and feeds one vpdpbusd with the activation
// broadcast folded in. Weights are the unsigned operand.
//
// Streams, each [panel][stretch][...], 64-byte aligned:
//   quants  4 bits: 4 x 64 bytes; byte (row*4 + j) of load i holds group i in its low nibble, group i+4 in the high one
//           5 bits: the same, then 64 bytes whose bit g is the fifth bit of group g
//           6 bits: the 4-bit part, then 2 x 64 bytes whose bit pairs p are the top bits of groups 4*load + p
//           8 bits: 8 x 64 bytes, group i in load i
//   scales  binary16, 16 rows per group of 32 weights (two of 16 for 16-weight groups)
//   mins    binary16, the same shape; only where the format has minimums
//   floats  for F32/F16/BF16: [panel][k][16 rows] in the file's own type
// Missing rows of the last panel are zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel/format.h"

namespace atelier::kernel {

constexpr int kPanel = 16;    // rows per panel
constexpr int kStretch = 32;  // weights per stretch
constexpr int kKeys = 16;     // keys per group of the key cache

// Memory for streams: 64-byte aligned, on huge pages where the system has them.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

struct PackedMatrix {
  int64_t rows = 0, cols = 0;
  Format format = Format::kF32;  // of the file
  bool quantised = false;
  StretchInfo stretch{};  // when quantised
  int zero_shift = 0;     // log2 of the zero point
  Buffer quants, scales, mins, floats;

  int64_t panels() const { return (rows + kPanel - 1) / kPanel; }
  int64_t stretches() const { return cols / kStretch; }
  size_t quant_bytes() const { return static_cast<size_t>(stretch.bits) * 64; }  // per panel and stretch
  size_t bytes() const { return quants.size() + scales.size() + mins.size() + floats.size(); }
};

// A matrix of the right shape with empty streams; then panels [begin, end) from row-major blocks (threads may share the
// panels out). REQUIRES: cols a multiple of the format's block, and rows*cols blocks at `blocks`.
PackedMatrix AllocatePacked(Format format, int64_t rows, int64_t cols);
void PackPanels(const uint8_t* blocks, int64_t begin, int64_t end, PackedMatrix* matrix);

// Activations of `tokens` rows, quantised per stretch: x = scale * q, q in [-127, 127].
struct QuantisedRows {
  int64_t tokens = 0, cols = 0;
  int8_t* q = nullptr;          // [tokens, cols]
  float* scale = nullptr;       // [tokens, cols/32]
  int32_t* neg_sum = nullptr;   // [tokens, cols/16] minus the sum of 16 q's
  float* scaled_sum = nullptr;  // [tokens, cols/32] minus scale times the sum of the stretch's q's
};

}  // namespace atelier::kernel
