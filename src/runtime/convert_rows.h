// A tensor's rows in another format.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "artefact/gguf.h"
#include "base/thread_pool.h"
#include "kernel/format.h"
#include "runtime/tensor_loader.h"

namespace atelier::runtime {

// What rows of `cols` numbers can be stored in, as near to `format` as there is: superblocks want multiples of 256,
// blocks of 32 (Q4_K becomes Q5_0, Q5_K Q5_1, Q6_K Q8_0, and the last resort is F16).
kernel::Format FittingFormat(kernel::Format format, int64_t cols);

struct Conversion {
  kernel::Format to = kernel::Format::kF32;
  // [cols that stay], as QuantiseRow has it, or null.
  const std::vector<float>* importance = nullptr;
  // Changes a row, of the columns that stay. Called from several threads.
  std::function<void(int64_t row, float* x)> change = nullptr;
  std::span<const int64_t> rows = {}, cols = {};  // those that stay, ascending; empty: all
};

// The rows of a tensor, each expanded, changed and stored anew; what nothing happens to is copied as it is. Throws
// kInvalidInput naming tensor and row where a number does not fit. Threads change no bit.
std::string ConvertRows(const artefact::GgufFile& file, const artefact::TensorInfo& tensor, const Conversion& how,
                        ThreadPool* pool);

}  // namespace atelier::runtime
