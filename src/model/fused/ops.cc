#include "model/fused/ops.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <malloc.h>

#include <atomic>

#include "kernel/training/select.h"

namespace atelier::model::fused {
namespace {

std::atomic<bool> enabled{true};

// Buffers of megabytes come and go in every step. By default each would be mapped, cleared page by page and given back;
// so the allocator keeps them.
void KeepMemory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace

bool Enabled() {
  return enabled && at::autocast::is_autocast_enabled(at::kCPU) &&
         at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16;
}
void SetEnabled(bool on) { enabled = on; }

const kernel::TrainTable& Kernels() {
  static const kernel::TrainTable& table = [&]() -> const kernel::TrainTable& {
    KeepMemory();
    return kernel::BestTrainTable();
  }();
  return table;
}

torch::Tensor NewBrains(int64_t rows, int64_t cols) { return torch::empty({rows, cols}, torch::kBFloat16); }
torch::Tensor NewFloats(int64_t rows, int64_t cols) { return torch::empty({rows, cols}, torch::kFloat32); }

void InParallel(int64_t n, const std::function<void(int64_t, int64_t)>& body) {
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) { body(begin, end); });
}

Packed Pack(const torch::Tensor& weight, bool with_backward) {
  const torch::Tensor w = weight.detach().contiguous();
  Packed p{w.size(0), w.size(1), {}, {}};
  p.forward = NewBrains(1, kernel::PackedSize(p.outs, p.ins));
  if (with_backward) p.backward = NewBrains(1, kernel::PackedSize(p.ins, p.outs));
  InParallel(kernel::Panels(p.outs), [&](int64_t begin, int64_t end) {
    Kernels().pack_weights(w.data_ptr<float>(), p.ins, p.outs, p.ins, begin, end, Brains(p.forward),
                           with_backward ? Brains(p.backward) : nullptr);
  });
  return p;
}

void Multiply(const kernel::Product& product) {
  constexpr int64_t kGroup = kernel::kProductPanel;
  const int64_t groups = (product.rows + kGroup - 1) / kGroup, panels = kernel::Panels(product.cols);
  // Tiles of 64 by 64, group by group: whole groups go in one call, so that panels pass by as many rows as fit.
  InParallel(groups * panels, [&](int64_t begin, int64_t end) {
    const auto run = [&](int64_t group, int64_t group_end, int64_t panel, int64_t panel_end) {
      if (group < group_end && panel < panel_end) {
        Kernels().product(&product, group * kGroup, std::min(product.rows, group_end * kGroup), panel, panel_end);
      }
    };
    const int64_t first = (begin + panels - 1) / panels, last = end / panels;
    if (first > last) return run(first - 1, first, begin % panels, end % panels);  // within one group
    run(first - 1, first, begin - (first - 1) * panels, begin % panels == 0 ? 0 : panels);
    run(first, last, 0, panels);
    run(last, last + 1, 0, end - last * panels);
  });
}

kernel::Product RowsTimes(const uint16_t* x, int64_t rows, int64_t depth, int64_t stride, const torch::Tensor& b,
                          int64_t cols) {
  kernel::Product p;
  p.rows = rows, p.cols = cols, p.depth = depth;
  p.Rows(x, stride).b = Brains(b);
  return p;
}

torch::Tensor Zip(const uint16_t* x, int64_t rows, int64_t cols, int64_t stride, float* sums) {
  torch::Tensor out = NewBrains(1, kernel::PackedSize(cols, rows));
  InParallel(kernel::Panels(cols), [&](int64_t begin, int64_t end) {
    Kernels().interleave(x, stride, rows, cols, begin, end, Brains(out), sums);
  });
  return out;
}

void AddWeightGradient(const torch::Tensor& dy_zipped, const torch::Tensor& x_zipped, int64_t rows, int64_t outs,
                       int64_t ins, float* d_weight, int64_t stride) {
  if (d_weight == nullptr) return;
  kernel::Product p;
  p.rows = outs, p.cols = ins, p.depth = rows;
  p.Interleaved(Brains(dy_zipped)).b = Brains(x_zipped);
  p.out = d_weight, p.out_stride = stride ? stride : ins, p.accumulate = true;
  Multiply(p);
}

torch::Tensor Narrow(const torch::Tensor& x) {
  torch::Tensor out = torch::empty(x.sizes(), torch::kBFloat16);
  constexpr int64_t kPiece = 1 << 14;
  const int64_t n = x.numel();
  InParallel((n + kPiece - 1) / kPiece, [&](int64_t begin, int64_t end) {
    Kernels().narrow(Floats(x) + begin * kPiece, std::min(n, end * kPiece) - begin * kPiece,
                     Brains(out) + begin * kPiece);
  });
  return out;
}

void SumRows(const torch::Tensor& parts, float* sums) {
  if (sums == nullptr) return;
  Kernels().sum_rows(Floats(parts), parts.size(0), parts.size(1), 0, parts.size(1), sums);
}

void SumColumns(const uint16_t* x, int64_t rows, int64_t cols, int64_t stride, float* sums) {
  constexpr int64_t kCols = 128;
  InParallel((cols + kCols - 1) / kCols, [&](int64_t begin, int64_t end) {
    Kernels().column_sums(x, stride, rows, begin * kCols, std::min(cols, end * kCols), sums);
  });
}

void DropRows(const kernel::Dropout& how, const torch::Tensor& x) {
  if (how.rate == 0) return;
  constexpr int64_t kPiece = 64 * kernel::kDropoutChunk;
  const int64_t n = x.numel();
  InParallel((n + kPiece - 1) / kPiece, [&](int64_t begin, int64_t end) {
    uint16_t* at = Brains(x) + begin * kPiece;
    Kernels().drop16(&how, begin * kPiece, at, std::min(n, end * kPiece) - begin * kPiece, at);
  });
}

float* GradientOf(const torch::Tensor& parameter) {
  if (!parameter.defined() || !parameter.requires_grad()) return nullptr;
  if (!parameter.grad().defined()) parameter.mutable_grad() = torch::zeros_like(parameter.detach());
  return parameter.grad().data_ptr<float>();
}

uint64_t Draw() {
  const at::Generator& generator = at::detail::getDefaultCPUGenerator();
  auto* engine = at::get_generator_or_default<at::CPUGeneratorImpl>(generator, generator);
  const std::lock_guard<std::mutex> lock(engine->mutex_);
  return engine->random64();
}

}  // namespace atelier::model::fused
