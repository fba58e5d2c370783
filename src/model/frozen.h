// Matrices of a model's file that do not learn. They stay as the file has them, quantised or not: what needs their
// numbers expands them as it goes, so that no second copy of the model is ever in memory.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>

#include "artefact/gguf.h"
#include "kernel/format.h"

namespace atelier::model {

class FrozenMatrix {
 public:
  FrozenMatrix() = default;
  // Throws kCorrupt or kUnsupported naming the tensor where it is not [outs, ins] of a type that this build knows.
  FrozenMatrix(std::shared_ptr<const artefact::GgufFile> file, const std::string& name, int64_t outs, int64_t ins);

  int64_t outs() const { return outs_; }
  int64_t ins() const { return ins_; }
  kernel::Format format() const { return format_; }
  int64_t row_bytes() const { return static_cast<int64_t>(row_bytes_); }
  const uint8_t* row(int64_t i) const { return blocks_ + static_cast<size_t>(i) * row_bytes_; }

  torch::Tensor Expanded() const;                      // [outs, ins] f32
  torch::Tensor Rows(const torch::Tensor& ids) const;  // of an embedding: ids [...] int64 -> [..., ins] f32

 private:
  std::shared_ptr<const artefact::GgufFile> file_;
  const uint8_t* blocks_ = nullptr;
  size_t row_bytes_ = 0;
  int64_t outs_ = 0, ins_ = 0;
  kernel::Format format_ = kernel::Format::kF32;
};

// A vector of the file as f32 [size]. Throws where it is missing or of another size.
torch::Tensor FrozenVector(const artefact::GgufFile& file, const std::string& name, int64_t size);

// x W^T in x's type; x [..., ins] -> [..., outs]. The gradient reaches x alone.
torch::Tensor FrozenLinear(const torch::Tensor& x, const FrozenMatrix& w);

}  // namespace atelier::model
