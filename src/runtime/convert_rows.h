// A tensor's rows in another format.
#pragma once

#include <functional>
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

// All rows, each expanded, changed by `change` where that is given, and stored as `to`. `importance` [cols] as
// QuantiseRow has it, or null. Throws kInvalidInput naming tensor and row where a number does not fit. Threads change
// no bit.
std::string ConvertRows(const artefact::GgufFile& file, const artefact::TensorInfo& tensor, kernel::Format to,
                        const std::vector<float>* importance, const std::function<void(int64_t row, float* x)>& change,
                        ThreadPool* pool);

}  // namespace atelier::runtime
