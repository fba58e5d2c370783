#include "kernel/packed.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>

namespace atelier::kernel {

Buffer::Buffer(size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  constexpr size_t kHuge = size_t{2} << 20;
  const size_t align = bytes >= kHuge ? kHuge : 64;
  data_ = static_cast<uint8_t*>(::operator new(bytes, std::align_val_t(align)));
  if (align == kHuge) ::madvise(data_, bytes, MADV_HUGEPAGE);  // a wish, not a need
  std::memset(data_, 0, bytes);
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  ::operator delete(data_, std::align_val_t(size_ >= (size_t{2} << 20) ? size_t{2} << 20 : size_t{64}));
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

PackedMatrix AllocatePacked(Format format, int64_t rows, int64_t cols) {
  PackedMatrix m;
  m.rows = rows;
  m.cols = cols;
  m.format = format;
  m.quantised = Info(format).block > 1;
  const size_t panels = static_cast<size_t>(m.panels());
  if (!m.quantised) {
    m.floats = Buffer(panels * static_cast<size_t>(cols) * kPanel * static_cast<size_t>(Info(format).bytes));
    return m;
  }
  m.stretch = StretchOf(format);
  while (m.stretch.zero >> m.zero_shift > 1) ++m.zero_shift;
  const size_t cells = panels * static_cast<size_t>(m.stretches());
  m.quants = Buffer(cells * m.quant_bytes());
  const size_t halves = cells * kPanel * static_cast<size_t>(kStretch / m.stretch.group);
  m.scales = Buffer(halves * 2);
  if (m.stretch.has_min) m.mins = Buffer(halves * 2);
  return m;
}

namespace {

void PackFloats(const uint8_t* blocks, int64_t begin, int64_t end, PackedMatrix* m) {
  const size_t width = static_cast<size_t>(Info(m->format).bytes);
  for (int64_t panel = begin; panel < end; ++panel) {
    uint8_t* to = m->floats.data() + static_cast<size_t>(panel * m->cols) * kPanel * width;
    for (int64_t r = 0; r < kPanel && panel * kPanel + r < m->rows; ++r) {
      const uint8_t* from = blocks + static_cast<size_t>((panel * kPanel + r) * m->cols) * width;
      for (int64_t k = 0; k < m->cols; ++k) {
        std::memcpy(to + static_cast<size_t>(k * kPanel + r) * width, from + static_cast<size_t>(k) * width, width);
      }
    }
  }
}

}  // namespace

void PackPanels(const uint8_t* blocks, int64_t begin, int64_t end, PackedMatrix* m) {
  if (!m->quantised) return PackFloats(blocks, begin, end, m);
  const FormatInfo& info = Info(m->format);
  const int64_t row_bytes = m->cols / info.block * info.bytes;
  const int groups = kStretch / m->stretch.group;
  for (int64_t panel = begin; panel < end; ++panel) {
    for (int64_t s = 0; s < m->stretches(); ++s) {
      const int64_t cell = panel * m->stretches() + s;
      uint8_t* quants = m->quants.data() + static_cast<size_t>(cell) * m->quant_bytes();
      auto* scales = reinterpret_cast<uint16_t*>(m->scales.data()) + cell * kPanel * groups;
      auto* mins = m->stretch.has_min ? reinterpret_cast<uint16_t*>(m->mins.data()) + cell * kPanel * groups : nullptr;
      for (int r = 0; r < kPanel && panel * kPanel + r < m->rows; ++r) {
        Stretch stretch;
        ReadStretch(m->format, blocks + (panel * kPanel + r) * row_bytes, s, &stretch);
        for (int g = 0; g < groups; ++g) {
          scales[g * kPanel + r] = FloatToHalf(stretch.scale[g]);
          if (mins != nullptr) mins[g * kPanel + r] = FloatToHalf(stretch.min[g]);
        }
        for (int k = 0; k < kStretch; ++k) {
          const int group = k / 4, at = r * 4 + k % 4;
          const uint8_t q = stretch.q[k];
          if (m->stretch.bits == 8) {
            quants[group * 64 + at] = q;
            continue;
          }
          quants[group % 4 * 64 + at] |= static_cast<uint8_t>((q & 15) << (group < 4 ? 0 : 4));
          if (m->stretch.bits == 5) quants[256 + at] |= static_cast<uint8_t>((q >> 4) << group);
          if (m->stretch.bits == 6)
            quants[256 + group / 4 * 64 + at] |= static_cast<uint8_t>((q >> 4) << group % 4 * 2);
        }
      }
    }
  }
}

}  // namespace atelier::kernel
