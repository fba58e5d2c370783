#include "runtime/convert_rows.h"

#include <algorithm>
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

std::string ConvertRows(const artefact::GgufFile& file, const artefact::TensorInfo& tensor, const Conversion& how,
                        ThreadPool* pool) {
  const Format from = FormatOf(tensor.type), to = how.to;
  const int64_t cols = tensor.dim(0), kept = how.cols.empty() ? cols : static_cast<int64_t>(how.cols.size());
  const int64_t rows = how.rows.empty() ? tensor.elements() / cols : static_cast<int64_t>(how.rows.size());
  const auto row_bytes = [](Format f, int64_t n) {
    return static_cast<size_t>(n / kernel::Info(f).block * kernel::Info(f).bytes);
  };
  const size_t in_bytes = row_bytes(from, cols), out_bytes = row_bytes(to, kept);
  const bool as_it_is = from == to && how.cols.empty() && !how.change;
  std::string out(static_cast<size_t>(rows) * out_bytes, '\0');
  std::atomic<int64_t> bad{-1};
  pool->Run([&](int thread) {
    std::vector<float> x(static_cast<size_t>(cols));
    const Span1 mine = SplitRange(rows, 1, thread, pool->size());
    for (int64_t i = mine.begin; i < mine.end; ++i) {
      const int64_t r = how.rows.empty() ? i : how.rows[static_cast<size_t>(i)];
      const uint8_t* source = tensor.data + static_cast<size_t>(r) * in_bytes;
      char* target = out.data() + static_cast<size_t>(i) * out_bytes;
      if (as_it_is) {
        std::copy_n(source, in_bytes, target);
        continue;
      }
      kernel::Dequantise(from, source, cols, x.data());
      for (size_t c = 0; c < how.cols.size(); ++c) x[c] = x[static_cast<size_t>(how.cols[c])];
      if (how.change) how.change(r, x.data());
      if (!kernel::QuantiseRow(to, x.data(), kept, how.importance == nullptr ? nullptr : how.importance->data(),
                               target)) {
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
