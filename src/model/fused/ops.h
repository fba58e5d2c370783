// The steps of which the fused layers are made: kernels of training (kernel/training) over torch's tensors, spread over
// torch's threads. Nothing here records gradients; every function says what it reads and writes.
//
// Rows of activations are bf16 [rows, cols] without gaps unless a stride is said; weights and their gradients are f32.
// How the work is cut changes no bit of a result.
#pragma once

#include <torch/torch.h>

#include "kernel/training/table.h"

namespace atelier::model::fused {

// Whether models take their fused form: in bf16 autocast on the processor, unless switched off. The plain form is the
// reference; the two differ by bf16's roundings.
bool Enabled();
void SetEnabled(bool on);  // for tests and comparisons

const kernel::TrainTable& Kernels();

inline uint16_t* Brains(const torch::Tensor& x) { return static_cast<uint16_t*>(x.data_ptr()); }
inline float* Floats(const torch::Tensor& x) { return x.defined() ? x.data_ptr<float>() : nullptr; }
torch::Tensor NewBrains(int64_t rows, int64_t cols);
torch::Tensor NewFloats(int64_t rows, int64_t cols);

// body(begin, end) over [0, n) in pieces. A thread takes one when it has done the one before: the cores of a shared
// machine are not equally quick.
void InParallel(int64_t n, const std::function<void(int64_t, int64_t)>& body);

// Work that can be done at once with other work: body(begin, end) over [0, n), each of which takes `cost`, in numbers
// multiplied or their like. REQUIRES: cost > 0.
struct Work {
  int64_t n = 0;
  double cost = 0;
  std::function<void(int64_t, int64_t)> body;
};
// All of it in one region, in pieces of about the same cost.
void InParallel(const std::vector<Work>& works);

// Packed matrices, one after the other, as the kernels convert them before they multiply (kernel/training/table.h): for
// what many products read. A row each; undefined where the kernels have no use for it.
torch::Tensor NewBlocks(int64_t matrices, int64_t cols, int64_t depth);
torch::Tensor TakeBlocks(const uint16_t* packed, int64_t cols, int64_t depth, int64_t matrices);
inline void* BlocksAt(const torch::Tensor& blocks, int64_t matrix = 0) {
  return blocks.defined() ? static_cast<char*>(blocks.data_ptr()) + matrix * blocks.size(1) : nullptr;
}

// W [outs, ins] in both forms (kernel/training/product.h).
struct Packed {
  int64_t outs = 0, ins = 0;
  torch::Tensor forward, backward;
  torch::Tensor forward_blocks, backward_blocks;  // of both; undefined where nobody asked
};
Packed Pack(const torch::Tensor& weight, bool with_backward);
Packed NewPacked(const torch::Tensor& weight, bool with_backward, bool with_blocks);  // its memory
Work PackWork(const torch::Tensor& weight, const Packed& packed);

// The packed forms of one weight, kept as long as it stays as it is. Whoever writes to a weight past torch's operators
// says so to its version counter, as train/arena.h does.
class KeptPack {
 public:
  // Adds to `works` what must be done before the forms are read.
  Packed Of(const torch::Tensor& weight, bool with_backward, std::vector<Work>* works);

 private:
  Packed packed_;
  bool with_backward_ = false;  // once wanted, always made
  const void* data_ = nullptr;
  int64_t version_ = 0;
};

// The whole product, over all threads.
void Multiply(const kernel::Product& product);
Work ProductWork(const kernel::Product& product);
// A product whose A is `x` [rows, depth] by stride and whose B is `b`.
kernel::Product RowsTimes(const uint16_t* x, int64_t rows, int64_t depth, int64_t stride, const torch::Tensor& b,
                          int64_t cols);

// x [rows, cols] by stride, zipped for a product over its rows. Adds the sums of its columns to `sums` where given.
torch::Tensor Zip(const uint16_t* x, int64_t rows, int64_t cols, int64_t stride, float* sums);
// Into `out`, and `blocks` where defined.
Work ZipWork(const uint16_t* x, int64_t rows, int64_t cols, int64_t stride, float* sums, const torch::Tensor& out,
             const torch::Tensor& blocks);
// d_weight [outs, ins] by stride (0: ins) += dy^T x, both zipped, of `rows` rows.
void AddWeightGradient(const torch::Tensor& dy_zipped, const torch::Tensor& x_zipped, int64_t rows, int64_t outs,
                       int64_t ins, float* d_weight, int64_t stride = 0);
Work WeightGradientWork(const torch::Tensor& dy_zipped, const torch::Tensor& x_zipped, const torch::Tensor& x_blocks,
                        int64_t rows, int64_t outs, int64_t ins, float* d_weight);

// f32 to bf16.
torch::Tensor Narrow(const torch::Tensor& x);
Work NarrowWork(const torch::Tensor& x, const torch::Tensor& out);
// sums[c] += over rows of parts[., c]; of x [rows, cols] by stride.
void SumRows(const torch::Tensor& parts, float* sums);
void SumColumns(const uint16_t* x, int64_t rows, int64_t cols, int64_t stride, float* sums);

// x, bf16, without what `how` drops; where its rate is 0, as it is.
void DropRows(const kernel::Dropout& how, const torch::Tensor& x);

// Where the gradient of a parameter is added up: its grad, made of zeros where it has none. Null for an undefined
// parameter and for one that wants no gradient. Fused layers add to it in their way back, without a tensor between.
float* GradientOf(const torch::Tensor& parameter);

// 64 random bits of torch's generator.
uint64_t Draw();

}  // namespace atelier::model::fused
