#include "model/fused/ops.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernel/training/select.h"

namespace atelier::model::fused {
namespace {

std::atomic<bool> enabled{true};

// What moving a number costs, in numbers multiplied.
constexpr double kMoved = 16;

// Pieces for each thread, and what one has to be worth, in numbers multiplied.
constexpr int64_t kPieces = 8;
constexpr double kPiece = 1 << 18;

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

// Past the dispatcher, which takes longer than the memory: a small model's step has a hundred of them.
torch::Tensor NewBrains(int64_t rows, int64_t cols) {
  return torch::Tensor(at::detail::empty_cpu({rows, cols}, torch::kBFloat16));
}
torch::Tensor NewFloats(int64_t rows, int64_t cols) {
  return torch::Tensor(at::detail::empty_cpu({rows, cols}, torch::kFloat32));
}

void InParallel(int64_t n, const std::function<void(int64_t, int64_t)>& body) {
  const int64_t threads = at::in_parallel_region() ? 1 : std::min<int64_t>(n, at::get_num_threads());
  if (threads <= 1) {
    if (n > 0) body(0, n);
    return;
  }
  const int64_t pieces = std::min(n, kPieces * threads);
  std::atomic<int64_t> next{0};
  at::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < pieces;) {
      body(n * i / pieces, n * (i + 1) / pieces);
    }
  });
}

void InParallel(const std::vector<Work>& works) {
  double total = 0;
  for (const Work& work : works) total += static_cast<double>(work.n) * work.cost;
  if (total == 0) return;
  const auto pieces = std::clamp(static_cast<int64_t>(total / kPiece), int64_t{1}, kPieces * at::get_num_threads());
  const auto run = [&](int64_t piece) {
    const double from = total * static_cast<double>(piece) / static_cast<double>(pieces);
    const double to = total * static_cast<double>(piece + 1) / static_cast<double>(pieces);
    double offset = 0;
    for (const Work& work : works) {
      if (work.n == 0) continue;
      // Both neighbours of a cut round it alike; the last cut is the end.
      const auto place = [&](double cut) {
        return std::clamp(static_cast<int64_t>(std::llround((cut - offset) / work.cost)), int64_t{0}, work.n);
      };
      const int64_t begin = piece == 0 ? 0 : place(from), end = piece + 1 == pieces ? work.n : place(to);
      if (begin < end) work.body(begin, end);
      offset += static_cast<double>(work.n) * work.cost;
    }
  };
  InParallel(pieces, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) run(piece);
  });
}

torch::Tensor NewBlocks(int64_t matrices, int64_t cols, int64_t depth) {
  if (Kernels().take_blocks == nullptr) return {};
  return torch::Tensor(at::detail::empty_cpu({matrices, Kernels().blocks_bytes(cols, depth)}, torch::kUInt8));
}

torch::Tensor TakeBlocks(const uint16_t* packed, int64_t cols, int64_t depth, int64_t matrices) {
  const torch::Tensor blocks = NewBlocks(matrices, cols, depth);
  if (!blocks.defined()) return blocks;
  const int64_t panels = kernel::Panels(cols), size = kernel::PackedSize(cols, depth);
  InParallel(matrices * panels, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t matrix = i / panels, panel = i % panels;
      Kernels().take_blocks(packed + matrix * size, cols, depth, panel, panel + 1, 0, depth, BlocksAt(blocks, matrix));
    }
  });
  return blocks;
}

Packed NewPacked(const torch::Tensor& weight, bool with_backward, bool with_blocks) {
  Packed p;
  p.outs = weight.size(0), p.ins = weight.size(1);
  p.forward = NewBrains(1, kernel::PackedSize(p.outs, p.ins));
  if (with_backward) p.backward = NewBrains(1, kernel::PackedSize(p.ins, p.outs));
  if (with_blocks) p.forward_blocks = NewBlocks(1, p.outs, p.ins);
  if (with_blocks && with_backward) p.backward_blocks = NewBlocks(1, p.ins, p.outs);
  return p;
}

Work PackWork(const torch::Tensor& weight, const Packed& p) {
  constexpr int64_t kRows = 2 * kernel::kProductPanel;  // a block's of the way back
  const double moved = static_cast<double>(kRows * p.ins) * (p.backward.defined() ? 2 : 1);
  return {(p.outs + kRows - 1) / kRows, kMoved * moved,
          [w = weight.detach().contiguous(), p](int64_t begin, int64_t end) {
            const int64_t panels = std::min(kernel::Panels(p.outs), 2 * end), last = std::min(p.outs, end * kRows);
            Kernels().pack_weights(w.data_ptr<float>(), p.ins, p.outs, p.ins, 2 * begin, panels, Brains(p.forward),
                                   p.backward.defined() ? Brains(p.backward) : nullptr);
            if (void* blocks = BlocksAt(p.forward_blocks))
              Kernels().take_blocks(Brains(p.forward), p.outs, p.ins, 2 * begin, panels, 0, p.ins, blocks);
            if (void* blocks = BlocksAt(p.backward_blocks)) {
              Kernels().take_blocks(Brains(p.backward), p.ins, p.outs, 0, kernel::Panels(p.ins), begin * kRows, last,
                                    blocks);
            }
          }};
}

Packed Pack(const torch::Tensor& weight, bool with_backward) {
  const Packed p = NewPacked(weight, with_backward, false);
  const Work work = PackWork(weight, p);
  InParallel({work});
  return p;
}

Packed KeptPack::Of(const torch::Tensor& weight, bool with_backward, std::vector<Work>* works) {
  const bool fresh = data_ == weight.data_ptr() && version_ == weight._version();
  if (fresh && (!with_backward || packed_.backward.defined())) return packed_;
  with_backward_ |= with_backward;
  data_ = weight.data_ptr(), version_ = weight._version();
  packed_ = NewPacked(weight, with_backward_, true);  // a way back may still read the one before
  works->push_back(PackWork(weight, packed_));
  return packed_;
}

Work ProductWork(const kernel::Product& product) {
  constexpr int64_t kGroup = kernel::kProductPanel;
  const int64_t groups = (product.rows + kGroup - 1) / kGroup, panels = kernel::Panels(product.cols);
  const double tile = static_cast<double>(std::min(product.rows, kGroup) * std::min(product.cols, kGroup));
  // Tiles of 64 by 64, group by group: whole groups go in one call, so that panels pass by as many rows as fit.
  return {groups * panels, tile * static_cast<double>(product.depth + 16), [=](int64_t begin, int64_t end) {
            const auto run = [&](int64_t group, int64_t group_end, int64_t panel, int64_t panel_end) {
              if (group < group_end && panel < panel_end) {
                Kernels().product(&product, group * kGroup, std::min(product.rows, group_end * kGroup), panel,
                                  panel_end);
              }
            };
            const int64_t first = (begin + panels - 1) / panels, last = end / panels;
            if (first > last) return run(first - 1, first, begin % panels, end % panels);  // within one group
            run(first - 1, first, begin - (first - 1) * panels, begin % panels == 0 ? 0 : panels);
            run(first, last, 0, panels);
            run(last, last + 1, 0, end - last * panels);
          }};
}

void Multiply(const kernel::Product& product) {
  constexpr int64_t kRepeats = 2;  // groups of rows from which on it is worth to convert what all read once
  kernel::Product p = product;
  torch::Tensor blocks;
  if (p.blocks == nullptr && p.rows > kRepeats * kernel::kProductPanel) {
    blocks = TakeBlocks(p.b, p.cols, p.depth, 1);
    p.blocks = BlocksAt(blocks);
  }
  const Work work = ProductWork(p);
  InParallel({work});
}

kernel::Product RowsTimes(const uint16_t* x, int64_t rows, int64_t depth, int64_t stride, const torch::Tensor& b,
                          int64_t cols) {
  kernel::Product p;
  p.rows = rows, p.cols = cols, p.depth = depth;
  p.Rows(x, stride).b = Brains(b);
  return p;
}

Work ZipWork(const uint16_t* x, int64_t rows, int64_t cols, int64_t stride, float* sums, const torch::Tensor& out,
             const torch::Tensor& blocks) {
  return {kernel::Panels(cols), kMoved * static_cast<double>(kernel::kProductPanel * rows),
          [=](int64_t begin, int64_t end) {
            Kernels().interleave(x, stride, rows, cols, begin, end, Brains(out), sums);
            if (void* at = BlocksAt(blocks)) {
              Kernels().take_blocks(Brains(out), cols, rows, begin, end, 0, rows, at);
            }
          }};
}

torch::Tensor Zip(const uint16_t* x, int64_t rows, int64_t cols, int64_t stride, float* sums) {
  torch::Tensor out = NewBrains(1, kernel::PackedSize(cols, rows));
  const Work work = ZipWork(x, rows, cols, stride, sums, out, {});
  InParallel({work});
  return out;
}

namespace {

kernel::Product WeightGradient(const torch::Tensor& dy_zipped, const torch::Tensor& x_zipped, int64_t rows,
                               int64_t outs, int64_t ins, float* d_weight, int64_t stride) {
  kernel::Product p;
  p.rows = outs, p.cols = ins, p.depth = rows;
  p.Interleaved(Brains(dy_zipped)).b = Brains(x_zipped);
  p.out = d_weight, p.out_stride = stride ? stride : ins, p.accumulate = true;
  return p;
}

}  // namespace

Work WeightGradientWork(const torch::Tensor& dy_zipped, const torch::Tensor& x_zipped, const torch::Tensor& x_blocks,
                        int64_t rows, int64_t outs, int64_t ins, float* d_weight) {
  kernel::Product p = WeightGradient(dy_zipped, x_zipped, rows, outs, ins, d_weight, 0);
  p.blocks = BlocksAt(x_blocks);
  Work work = ProductWork(p);
  work.body = [body = std::move(work.body), dy_zipped, x_zipped, x_blocks](int64_t begin, int64_t end) {
    body(begin, end);
  };
  return work;
}

void AddWeightGradient(const torch::Tensor& dy_zipped, const torch::Tensor& x_zipped, int64_t rows, int64_t outs,
                       int64_t ins, float* d_weight, int64_t stride) {
  if (d_weight != nullptr) Multiply(WeightGradient(dy_zipped, x_zipped, rows, outs, ins, d_weight, stride));
}

Work NarrowWork(const torch::Tensor& x, const torch::Tensor& out) {
  constexpr int64_t kPiece = 1 << 12;
  const int64_t n = x.numel();
  return {(n + kPiece - 1) / kPiece, kMoved * kPiece, [=](int64_t begin, int64_t end) {
            Kernels().narrow(Floats(x) + begin * kPiece, std::min(n, end * kPiece) - begin * kPiece,
                             Brains(out) + begin * kPiece);
          }};
}

torch::Tensor Narrow(const torch::Tensor& x) {
  torch::Tensor out(at::detail::empty_cpu(x.sizes(), torch::kBFloat16));
  const Work work = NarrowWork(x, out);
  InParallel({work});
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
