#include "runtime/convert_rows.h"

#include <atomic>

#include "base/error.h"
#include "base/str.h"
#include "kernel/quantise.h"

namespace atelier::runtime {

using kernel::Format;

Format FittingFormat(Format format, int64_t cols) {
  if (kernel::Info(format).block == 256 && cols % 256 != 0) {
    format = format == Format::kQ4_K ? Format::kQ5_0 : format == Format::kQ5_K ? Format::kQ5_1 : Format::kQ8_0;
  }
  return cols % kernel::Info(format).block == 0 ? format : Format::kF16;
}

std::string ConvertRows(const artefact::GgufFile& file, const artefact::TensorInfo& tensor, Format to,
                        const std::vector<float>* importance, const std::function<void(int64_t row, float* x)>& change,
                        ThreadPool* pool) {
  const Format from = FormatOf(tensor.type);
  const int64_t cols = tensor.dim(0), rows = tensor.elements() / cols;
  const auto row_bytes = [&](Format f) {
    return static_cast<size_t>(cols / kernel::Info(f).block * kernel::Info(f).bytes);
  };
  std::string out(static_cast<size_t>(rows) * row_bytes(to), '\0');
  std::atomic<int64_t> bad{-1};
  pool->Run([&](int thread) {
    std::vector<float> x(static_cast<size_t>(cols));
    const Span1 mine = SplitRange(rows, 1, thread, pool->size());
    for (int64_t r = mine.begin; r < mine.end; ++r) {
      kernel::Dequantise(from, tensor.data + static_cast<size_t>(r) * row_bytes(from), cols, x.data());
      if (change) change(r, x.data());
      if (!kernel::QuantiseRow(to, x.data(), cols, importance == nullptr ? nullptr : importance->data(),
                               out.data() + static_cast<size_t>(r) * row_bytes(to))) {
        bad.store(r);
        return;
      }
    }
  });
  if (bad.load() >= 0) {
    throw Error(Code::kInvalidInput,
                Cat(file.path(), ": row ", bad.load(), " of the tensor ", Quote(tensor.name), " has a number that ",
                    kernel::Info(to).name, " cannot store"),
                "the model is damaged, or wants bf16");
  }
  return out;
}

}  // namespace atelier::runtime
