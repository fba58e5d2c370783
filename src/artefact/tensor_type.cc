#include "artefact/tensor_type.h"

#include <iterator>

namespace atelier::artefact {
namespace {

constexpr TypeInfo Known(uint32_t id, std::string_view name, int64_t block_size, int64_t block_bytes) {
  return {static_cast<TensorType>(id), name, block_size, block_bytes, false};
}

// id order. docs/formats/gguf.md holds the same table.
constexpr TypeInfo kTable[] = {
    {TensorType::kF32, "F32", 1, 4, true},
    {TensorType::kF16, "F16", 1, 2, true},
    {TensorType::kQ4_0, "Q4_0", 32, 18, true},
    {TensorType::kQ4_1, "Q4_1", 32, 20, true},
    {TensorType::kQ5_0, "Q5_0", 32, 22, true},
    {TensorType::kQ5_1, "Q5_1", 32, 24, true},
    {TensorType::kQ8_0, "Q8_0", 32, 34, true},
    Known(9, "Q8_1", 32, 36),
    Known(10, "Q2_K", 256, 84),
    Known(11, "Q3_K", 256, 110),
    {TensorType::kQ4_K, "Q4_K", 256, 144, true},
    {TensorType::kQ5_K, "Q5_K", 256, 176, true},
    {TensorType::kQ6_K, "Q6_K", 256, 210, true},
    Known(15, "Q8_K", 256, 292),
    Known(16, "IQ2_XXS", 256, 66),
    Known(17, "IQ2_XS", 256, 74),
    Known(18, "IQ3_XXS", 256, 98),
    Known(19, "IQ1_S", 256, 50),
    Known(20, "IQ4_NL", 32, 18),
    Known(21, "IQ3_S", 256, 110),
    Known(22, "IQ2_S", 256, 82),
    Known(23, "IQ4_XS", 256, 136),
    Known(24, "I8", 1, 1),
    Known(25, "I16", 1, 2),
    Known(26, "I32", 1, 4),
    Known(27, "I64", 1, 8),
    Known(28, "F64", 1, 8),
    Known(29, "IQ1_M", 256, 56),
    {TensorType::kBF16, "BF16", 1, 2, true},
    Known(34, "TQ1_0", 256, 54),
    Known(35, "TQ2_0", 256, 66),
    Known(39, "MXFP4", 32, 17),
};

}  // namespace

std::span<const TypeInfo> AllTypes() { return kTable; }

const TypeInfo* FindType(uint32_t id) {
  for (const TypeInfo& info : kTable) {
    if (static_cast<uint32_t>(info.type) == id) return &info;
  }
  return nullptr;
}

const TypeInfo& Info(TensorType type) {
  const TypeInfo* found = FindType(static_cast<uint32_t>(type));
  return found != nullptr ? *found : kTable[0];
}

std::string_view Name(TensorType type) { return Info(type).name; }

}  // namespace atelier::artefact
