// How much each column of a decoder's matrices counts: the mean square of what it is multiplied with over a text
// (the diagonal of the product's second moments: LeCun et al. 1990, as AWQ and llama.cpp's "importance matrix" use it).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/gguf.h"
#include "base/progress.h"

namespace atelier::runtime {

// By a tensor's name, [cols]. The embedding and the head have none.
using Importance = std::map<std::string, std::vector<float>, std::less<>>;

// Runs the model over the text, in windows of `context` tokens (the last may be shorter). Throws kInvalidInput for a
// text of fewer than two tokens, kUnsupported for a model that is no decoder.
Importance MeasureImportance(std::shared_ptr<const artefact::GgufFile> file, std::string_view text, int64_t context,
                             int threads, const ProgressFn& progress = nullptr);

// A tensor's columns of it; null where there is no importance at all or none of this tensor. Throws kInvalidInput where
// they are not as many as the tensor has, or not numbers.
const std::vector<float>* ColumnsOf(const Importance* importance, const artefact::TensorInfo& tensor);

}  // namespace atelier::runtime
