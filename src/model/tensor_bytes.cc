#include "model/tensor_bytes.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::model {
namespace {

using artefact::ScalarType;

constexpr std::pair<torch::ScalarType, ScalarType> kTypes[] = {
    {torch::kFloat32, ScalarType::kF32}, {torch::kFloat64, ScalarType::kF64}, {torch::kBFloat16, ScalarType::kBf16},
    {torch::kInt64, ScalarType::kI64},   {torch::kUInt8, ScalarType::kU8},
};

}  // namespace

torch::Tensor ToTensor(const artefact::SafeTensor& tensor) {
  const auto* type =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.second == tensor.type; });
  if (type == std::end(kTypes)) {
    throw Error(Code::kCorrupt, Cat("tensor ", Quote(tensor.name), " is of a type no run writes"));
  }
  torch::Tensor copy = torch::empty(tensor.shape, type->first);
  if (!tensor.data.empty()) std::memcpy(copy.data_ptr(), tensor.data.data(), tensor.data.size());
  return copy;
}

void AddTensor(const std::string& name, const torch::Tensor& tensor, artefact::SafetensorsWriter* writer) {
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const auto& t) { return t.first == tensor.scalar_type(); });
  if (type == std::end(kTypes)) throw Error(Code::kInternal, Cat("tensor ", Quote(name), " is of a type no file has"));
  writer->Add(name, type->second, tensor.sizes().vec(), {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()});
}

}  // namespace atelier::model
