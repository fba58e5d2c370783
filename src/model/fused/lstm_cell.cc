#include "model/fused/lstm_cell.h"

#include <algorithm>

namespace atelier::model::fused {

using kernel::Product;

Packed PackGates(const torch::Tensor& weight, bool with_backward) {
  const torch::Tensor w = weight.detach().contiguous();
  Packed p;
  p.outs = w.size(0), p.ins = w.size(1);
  const int64_t hidden = p.outs / kGates, panels = kernel::Panels(hidden), size = kernel::PackedSize(hidden, p.ins);
  p.forward = NewBrains(kGates, size);
  InParallel(kGates * panels, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t gate = i / panels, panel = i % panels;
      Kernels().pack_weights(Floats(w) + gate * hidden * p.ins, p.ins, hidden, p.ins, panel, panel + 1,
                             Brains(p.forward) + gate * size, nullptr);
    }
  });
  p.forward_blocks = TakeBlocks(Brains(p.forward), hidden, p.ins, kGates);
  if (!with_backward) return p;
  p.backward = NewBrains(1, kernel::PackedSize(p.ins, p.outs));
  InParallel(kernel::Panels(p.outs), [&](int64_t begin, int64_t end) {
    Kernels().pack_weights(Floats(w), p.ins, p.outs, p.ins, begin, end, nullptr, Brains(p.backward));
  });
  p.backward_blocks = TakeBlocks(Brains(p.backward), p.ins, p.outs, 1);
  return p;
}

void MultiplyGates(const uint16_t* x, int64_t rows, const Packed& w, const uint16_t* add, float* gates, int64_t begin,
                   int64_t end) {
  const int64_t hidden = w.outs / kGates, size = kernel::PackedSize(hidden, w.ins);
  for (int64_t gate = 0; gate < kGates; ++gate) {
    Product p;
    p.rows = rows, p.cols = hidden, p.depth = x ? w.ins : 0;
    p.Rows(x ? x : add, w.ins).b = Brains(w.forward) + gate * size;
    p.blocks = x ? BlocksAt(w.forward_blocks, gate) : nullptr;
    p.accumulate = add == nullptr;
    p.add16 = add ? add + gate * hidden : nullptr, p.add16_stride = w.outs;
    p.out = gates + gate * hidden, p.out_stride = w.outs;
    Kernels().product(&p, 0, rows, begin, end);
  }
}

void MultiplyBack(const uint16_t* d, int64_t rows, const Packed& w, const uint16_t* add, bool accumulate, float* dx,
                  int64_t begin, int64_t end) {
  Product p = RowsTimes(d, rows, w.outs, w.outs, w.backward, w.ins);
  p.blocks = BlocksAt(w.backward_blocks);
  p.add16 = add, p.add16_stride = w.ins;
  p.accumulate = accumulate;
  p.out = dx, p.out_stride = w.ins;
  Kernels().product(&p, 0, rows, begin, end);
}

void CellsForward(const kernel::LstmCell& cell, int64_t begin, int64_t end) {
  Kernels().lstm_forward(&cell, begin * kernel::kProductPanel, std::min(cell.hidden, end * kernel::kProductPanel));
}
void CellsBackward(const kernel::LstmCell& cell, int64_t begin, int64_t end) {
  Kernels().lstm_backward(&cell, begin * kernel::kProductPanel, std::min(cell.hidden, end * kernel::kProductPanel));
}

}  // namespace atelier::model::fused
