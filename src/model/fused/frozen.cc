#include "model/fused/frozen.h"

#include "base/error.h"
#include "base/str.h"
#include "model/fused/ops.h"
#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

constexpr int64_t kBlockNumbers = 1 << 19;  // of a block: a megabyte in bf16

enum class Form { kForward, kBackward };  // contracts the columns (X W^T), or the rows (dY W)

// Rows [begin, end) of w.
void PackRows(const FrozenMatrix& w, int64_t begin, int64_t end, Form form, const torch::Tensor& out) {
  InParallel(kernel::Panels(end - begin), [&](int64_t from, int64_t to) {
    Kernels().pack_blocks(w.format(), w.row(begin), w.row_bytes(), end - begin, w.ins(), from, to,
                          form == Form::kForward ? Brains(out) : nullptr,
                          form == Form::kBackward ? Brains(out) : nullptr);
  });
}

// body(begin, end, packed) for all rows of w, block by block.
template <typename Body>
void ForBlocks(const FrozenMatrix& w, Form form, const Body& body) {
  const int64_t panels = std::max<int64_t>(1, kBlockNumbers / (w.ins() * kernel::kProductPanel));
  const int64_t most = std::min(panels * kernel::kProductPanel, w.outs());
  const bool forward = form == Form::kForward;
  const torch::Tensor packed =
      NewBrains(1, forward ? kernel::PackedSize(most, w.ins()) : kernel::PackedSize(w.ins(), most));
  for (int64_t begin = 0; begin < w.outs(); begin += most) {
    const int64_t end = std::min(w.outs(), begin + most);
    PackRows(w, begin, end, form, packed);
    body(begin, end, packed);
  }
}

// y = x W^T (+ bias), into bf16 or f32.
void MultiplyForward(const FrozenMatrix& w, const torch::Tensor& x, const torch::Tensor& bias, const torch::Tensor& y) {
  const int64_t rows = x.size(0), ins = w.ins(), outs = w.outs();
  ForBlocks(w, Form::kForward, [&](int64_t begin, int64_t end, const torch::Tensor& packed) {
    kernel::Product p = RowsTimes(Brains(x), rows, ins, ins, packed, end - begin);
    if (bias.defined()) p.bias = Floats(bias) + begin;
    if (y.scalar_type() == torch::kBFloat16) {
      p.out16 = Brains(y) + begin, p.out16_stride = outs;
    } else {
      p.out = Floats(y) + begin, p.out_stride = outs;
    }
    Multiply(p);
  });
}

// dx [rows, ins] f32 = (dx +) dy W.
void MultiplyBackward(const FrozenMatrix& w, const torch::Tensor& dy, bool accumulate, const torch::Tensor& dx) {
  const int64_t rows = dy.size(0), ins = w.ins(), outs = w.outs();
  ForBlocks(w, Form::kBackward, [&](int64_t begin, int64_t end, const torch::Tensor& packed) {
    kernel::Product p = RowsTimes(Brains(dy) + begin, rows, end - begin, outs, packed, ins);
    p.out = Floats(dx), p.out_stride = ins, p.accumulate = accumulate || begin > 0;
    Multiply(p);
  });
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

struct KeptLinear : torch::CustomClassHolder {
  FrozenMatrix w;  // holds the file
};

torch::Tensor Forward(KeptLinear* c, const torch::Tensor& x, bool) {
  const torch::Tensor in = AsRows(x);
  const bool narrow = x.scalar_type() == torch::kBFloat16;
  const torch::Tensor y = narrow ? NewBrains(in.size(0), c->w.outs()) : NewFloats(in.size(0), c->w.outs());
  MultiplyForward(c->w, in, {}, y);
  return y.view(WithLast(x, c->w.outs()));
}

torch::Tensor Backward(const KeptLinear& c, const torch::Tensor& d) {
  const torch::Tensor dy = AsRows(d), dx = NewFloats(dy.size(0), c.w.ins());
  MultiplyBackward(c.w, dy, false, dx);
  return (d.scalar_type() == torch::kBFloat16 ? Narrow(dx) : dx).view(WithLast(d, c.w.ins()));
}

struct KeptAdapted : torch::CustomClassHolder {
  FrozenMatrix w;
  torch::Tensor bias;
  LowRankWeights low;
  Packed a, b;
  torch::Tensor x, lowered;  // bf16: what came in, and scale x A^T

  int64_t rank() const { return low.a.size(0); }
};

// x A^T or dy B, times the scale.
torch::Tensor Lowered(const torch::Tensor& x, const torch::Tensor& packed, int64_t rank, double scale) {
  const torch::Tensor low = NewBrains(x.size(0), rank);
  kernel::Product p = RowsTimes(Brains(x), x.size(0), x.size(1), x.size(1), packed, rank);
  p.out16 = Brains(low), p.out16_stride = rank;
  Multiply(p);
  return scale == 1 ? low : low.mul_(scale);
}

torch::Tensor Forward(KeptAdapted* c, const torch::Tensor& x, bool training) {
  const int64_t rows = x.size(0), outs = c->w.outs();
  const torch::Tensor y = NewBrains(rows, outs);
  MultiplyForward(c->w, x, c->bias, y);
  if (!c->low.a.defined()) return y;
  c->a = Pack(c->low.a, training), c->b = Pack(c->low.b, training);
  c->x = x;
  c->lowered = Lowered(x, c->a.forward, c->rank(), c->low.scale);
  kernel::Product p = RowsTimes(Brains(c->lowered), rows, c->rank(), c->rank(), c->b.forward, outs);
  p.add16 = Brains(y), p.add16_stride = outs;
  p.out16 = Brains(y), p.out16_stride = outs;
  Multiply(p);
  return y;
}

torch::Tensor Backward(const KeptAdapted& c, const torch::Tensor& dy) {
  const int64_t rows = dy.size(0), ins = c.w.ins(), outs = c.w.outs();
  const torch::Tensor dx = NewFloats(rows, ins);
  const bool adapted = c.low.a.defined();
  if (adapted) {
    const int64_t rank = c.rank();
    AddWeightGradient(Zip(Brains(dy), rows, outs, outs, nullptr), Zip(Brains(c.lowered), rows, rank, rank, nullptr),
                      rows, outs, rank, GradientOf(c.low.b));
    const torch::Tensor d_low = Lowered(dy, c.b.backward, rank, c.low.scale);
    AddWeightGradient(Zip(Brains(d_low), rows, rank, rank, nullptr), Zip(Brains(c.x), rows, ins, ins, nullptr), rows,
                      rank, ins, GradientOf(c.low.a));
    kernel::Product p = RowsTimes(Brains(d_low), rows, rank, rank, c.a.backward, ins);
    p.out = Floats(dx), p.out_stride = ins;
    Multiply(p);
  }
  MultiplyBackward(c.w, dy, adapted, dx);
  return Narrow(dx);
}

struct KeptHead : torch::CustomClassHolder {
  FrozenMatrix w;
  torch::Tensor labels;
  double smoothing = 0;
  torch::Tensor d_x;  // [rows, width] f32, of each row's loss
};

constexpr int64_t kScoreBytes = 128 << 20;  // of the scores that are in memory at once

torch::Tensor Forward(KeptHead* c, const torch::Tensor& x, bool training) {
  const int64_t rows = x.size(0), width = c->w.ins(), words = c->w.outs();
  const int64_t panels = kernel::Panels(words), stride = panels * kernel::kProductPanel;
  const int64_t most = std::clamp<int64_t>(kScoreBytes / (2 * stride) / 64 * 64, 64, std::max<int64_t>(64, rows));
  const torch::Tensor loss = torch::empty({rows});
  if (training) c->d_x = NewFloats(rows, width);
  const torch::Tensor scores = NewBrains(most, stride), greatest = NewFloats(most, panels),
                      sums = NewFloats(most, panels), label_logit = NewFloats(1, most),
                      totals = c->smoothing > 0 ? NewFloats(most, panels) : torch::Tensor();
  for (int64_t first = 0; first < rows; first += most) {
    const int64_t count = std::min(most, rows - first);
    kernel::HeadLoss head;
    head.rows = count, head.vocabulary = words, head.depth = width;
    head.x = Brains(x) + first * width, head.x_stride = width;
    head.labels = c->labels.data_ptr<int64_t>() + first, head.smoothing = static_cast<float>(c->smoothing);
    head.scores = Brains(scores), head.greatest = Floats(greatest), head.sums = Floats(sums);
    head.totals = Floats(totals), head.label_logit = Floats(label_logit), head.loss = Floats(loss) + first;
    head.slopes = training;
    ForBlocks(c->w, Form::kForward, [&](int64_t begin, int64_t end, const torch::Tensor& packed) {
      head.w = Brains(packed), head.w_panel = begin / kernel::kProductPanel;
      InParallel(kernel::Panels(end - begin), [&](int64_t from, int64_t to) {
        Kernels().head_scores(&head, 0, count, head.w_panel + from, head.w_panel + to);
      });
    });
    InParallel((count + 1) / 2,
               [&](int64_t from, int64_t to) { Kernels().head_finish(&head, 2 * from, std::min(count, 2 * to)); });
    if (!training) continue;
    ForBlocks(c->w, Form::kBackward, [&](int64_t begin, int64_t end, const torch::Tensor& packed) {
      kernel::Product p = RowsTimes(head.scores + begin, count, end - begin, stride, packed, width);
      p.out = Floats(c->d_x) + first * width, p.out_stride = width, p.accumulate = begin > 0;
      Multiply(p);
    });
  }
  return loss;
}

torch::Tensor Backward(const KeptHead& c, const torch::Tensor& d) { return Narrow(c.d_x.mul(d.unsqueeze(1))); }

}  // namespace

torch::Tensor FrozenLinear(const torch::Tensor& x, const FrozenMatrix& w) {
  auto c = c10::make_intrusive<KeptLinear>();
  c->w = w;
  return RunStep(x, {}, c);
}

torch::Tensor AdaptedLinear(const torch::Tensor& x, const FrozenMatrix& w, const torch::Tensor& bias,
                            const LowRankWeights& low) {
  auto c = c10::make_intrusive<KeptAdapted>();
  c->w = w, c->bias = bias, c->low = low;
  return RunStep(x.contiguous(), {low.a, low.b}, c);
}

torch::Tensor FrozenHead(const torch::Tensor& x, const FrozenMatrix& w, const torch::Tensor& labels, double smoothing) {
  auto c = c10::make_intrusive<KeptHead>();
  c->w = w, c->labels = labels.contiguous(), c->smoothing = smoothing;
  const auto* label = c->labels.data_ptr<int64_t>();
  for (int64_t i = 0; i < c->labels.numel(); ++i) {
    if (label[i] < 0 || label[i] >= w.outs()) {
      throw Error(Code::kInvalidInput, Cat("target ", label[i], " is outside the vocabulary of ", w.outs()));
    }
  }
  return RunStep(x.contiguous(), {}, c);
}

}  // namespace atelier::model::fused
