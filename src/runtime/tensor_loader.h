// Tensors of a file as the engine computes with them: matrices packed for the kernels, vectors in f32. Everything is
// checked against the shape that the caller expects: kCorrupt or kUnsupported naming the tensor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "artefact/gguf.h"
#include "base/thread_pool.h"
#include "kernel/packed.h"

namespace atelier::runtime {

kernel::Format FormatOf(artefact::TensorType type);  // REQUIRES: a type that this build computes with

artefact::TensorType TypeOf(kernel::Format format);

class TensorLoader {
 public:
  TensorLoader(const artefact::GgufFile& file, ThreadPool* pool) : file_(file), pool_(pool) {}

  std::vector<float> Vector(const std::string& name, int64_t size, int64_t rows = 1);  // [rows, size]
  std::vector<float> OptionalVector(const std::string& name, int64_t size);            // empty where absent
  kernel::PackedMatrix Matrix(const std::string& name, int64_t rows, int64_t cols);
  // The tensor as the file has it, [first, second] with `first` contiguous.
  const artefact::TensorInfo& Shaped(const std::string& name, int64_t first, int64_t second);

  bool all_f32() const { return all_f32_; }  // no matrix so far was narrower
  size_t bytes() const { return bytes_; }    // of the packed matrices so far

 private:
  const artefact::GgufFile& file_;
  ThreadPool* pool_;
  bool all_f32_ = true;
  size_t bytes_ = 0;
};

}  // namespace atelier::runtime
