#include "runtime/tensor_loader.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {

using artefact::TensorInfo;
using artefact::TensorType;
using kernel::Format;

Format FormatOf(TensorType type) {
  switch (type) {
    case TensorType::kF16: return Format::kF16;
    case TensorType::kBF16: return Format::kBF16;
    case TensorType::kQ4_0: return Format::kQ4_0;
    case TensorType::kQ4_1: return Format::kQ4_1;
    case TensorType::kQ5_0: return Format::kQ5_0;
    case TensorType::kQ5_1: return Format::kQ5_1;
    case TensorType::kQ8_0: return Format::kQ8_0;
    case TensorType::kQ4_K: return Format::kQ4_K;
    case TensorType::kQ5_K: return Format::kQ5_K;
    case TensorType::kQ6_K: return Format::kQ6_K;
    default: return Format::kF32;
  }
}

TensorType TypeOf(Format format) {
  for (const artefact::TypeInfo& info : artefact::AllTypes()) {
    if (info.name == kernel::Info(format).name) return info.type;
  }
  throw Error(Code::kInternal, Cat("the format ", kernel::Info(format).name, " has no type in files"));
}

std::vector<float> TensorLoader::Vector(const std::string& name, int64_t size, int64_t rows) {
  const TensorInfo& tensor = Shaped(name, size, rows);
  std::vector<float> out(static_cast<size_t>(size * rows));
  kernel::Dequantise(FormatOf(tensor.type), tensor.data, size * rows, out.data());
  return out;
}

std::vector<float> TensorLoader::OptionalVector(const std::string& name, int64_t size) {
  return file_.Find(name) == nullptr ? std::vector<float>() : Vector(name, size);
}

kernel::PackedMatrix TensorLoader::Matrix(const std::string& name, int64_t rows, int64_t cols) {
  const TensorInfo& tensor = Shaped(name, cols, rows);
  const Format format = FormatOf(tensor.type);
  kernel::PackedMatrix matrix = kernel::AllocatePacked(format, rows, cols);
  pool_->Run([&](int thread) {
    const Span1 part = SplitRange(matrix.panels(), 1, thread, pool_->size());
    kernel::PackPanels(tensor.data, part.begin, part.end, &matrix);
  });
  all_f32_ = all_f32_ && format == Format::kF32;
  bytes_ += matrix.bytes();
  return matrix;
}

const TensorInfo& TensorLoader::Shaped(const std::string& name, int64_t first, int64_t second) {
  const TensorInfo& tensor = file_.Require(name);
  if (tensor.dim(0) != first || tensor.dim(1) != second || tensor.dim(2) != 1 || tensor.dim(3) != 1) {
    throw Error(Code::kCorrupt, Cat(file_.path(), ": the tensor ", Quote(name), " is [", tensor.dim(0), ", ",
                                    tensor.dim(1), "], where the metadata needs [", first, ", ", second, "]"));
  }
  return tensor;
}

}  // namespace atelier::runtime
