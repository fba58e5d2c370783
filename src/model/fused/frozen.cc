#include "model/fused/frozen.h"

#include "model/fused/ops.h"
#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

constexpr int64_t kBlockNumbers = 1 << 19;  // of a block: a megabyte in bf16

int64_t BlockRows(const FrozenMatrix& w) {
  const int64_t panels = std::max<int64_t>(1, kBlockNumbers / (w.ins() * kernel::kProductPanel));
  return std::min(panels * kernel::kProductPanel, w.outs());
}

// The shape of x with another last axis.
std::vector<int64_t> WithLast(const torch::Tensor& x, int64_t last) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = last;
  return shape;
}

torch::Tensor AsRows(const torch::Tensor& x) {
  const torch::Tensor rows = x.reshape({-1, x.size(-1)}).contiguous();
  return rows.scalar_type() == torch::kBFloat16 ? rows : Narrow(rows.to(torch::kFloat32));
}

// Rows [begin, end) of w in the form that contracts its columns (X W^T), or its rows (dY W).
void PackRows(const FrozenMatrix& w, int64_t begin, int64_t end, bool rows, const torch::Tensor& wide,
              const torch::Tensor& out) {
  const int64_t ins = w.ins(), panels = kernel::Panels(end - begin);
  InParallel(panels, [&](int64_t from, int64_t to) {
    const int64_t last = std::min(end - begin, to * kernel::kProductPanel);
    for (int64_t i = from * kernel::kProductPanel; i < last; ++i) {
      kernel::Dequantise(w.format(), w.row(begin + i), ins, Floats(wide) + i * ins);
    }
    Kernels().pack_weights(Floats(wide), ins, end - begin, ins, from, to, rows ? nullptr : Brains(out),
                           rows ? Brains(out) : nullptr);
  });
}

struct Kept : torch::CustomClassHolder {
  FrozenMatrix w;  // holds the file
};

torch::Tensor Forward(Kept* c, const torch::Tensor& x, bool) {
  const FrozenMatrix& w = c->w;
  const torch::Tensor in = AsRows(x);
  const int64_t rows = in.size(0), ins = w.ins(), outs = w.outs(), most = BlockRows(w);
  const bool narrow = x.scalar_type() == torch::kBFloat16;
  torch::Tensor y = narrow ? NewBrains(rows, outs) : NewFloats(rows, outs);
  const torch::Tensor wide = NewFloats(most, ins), packed = NewBrains(1, kernel::PackedSize(most, ins));
  for (int64_t begin = 0; begin < outs; begin += most) {
    const int64_t end = std::min(outs, begin + most);
    PackRows(w, begin, end, false, wide, packed);
    kernel::Product p = RowsTimes(Brains(in), rows, ins, ins, packed, end - begin);
    if (narrow) {
      p.out16 = Brains(y) + begin, p.out16_stride = outs;
    } else {
      p.out = Floats(y) + begin, p.out_stride = outs;
    }
    Multiply(p);
  }
  return y.view(WithLast(x, outs));
}

torch::Tensor Backward(const Kept& c, const torch::Tensor& d) {
  const FrozenMatrix& w = c.w;
  const torch::Tensor dy = AsRows(d);
  const int64_t rows = dy.size(0), ins = w.ins(), outs = w.outs(), most = BlockRows(w);
  torch::Tensor dx = NewFloats(rows, ins);
  const torch::Tensor wide = NewFloats(most, ins), packed = NewBrains(1, kernel::PackedSize(ins, most));
  for (int64_t begin = 0; begin < outs; begin += most) {
    const int64_t end = std::min(outs, begin + most);
    PackRows(w, begin, end, true, wide, packed);
    kernel::Product p = RowsTimes(Brains(dy) + begin, rows, end - begin, outs, packed, ins);
    p.out = Floats(dx), p.out_stride = ins, p.accumulate = begin > 0;
    Multiply(p);
  }
  return (d.scalar_type() == torch::kBFloat16 ? Narrow(dx) : dx).view(WithLast(d, ins));
}

}  // namespace

torch::Tensor FrozenLinear(const torch::Tensor& x, const FrozenMatrix& w) {
  auto c = c10::make_intrusive<Kept>();
  c->w = w;
  return RunStep(x, {}, c);
}

}  // namespace atelier::model::fused
