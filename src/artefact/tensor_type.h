// How the numbers of a tensor are stored. The values are GGUF's own type ids; blocks run along the first dimension.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace atelier::artefact {

enum class TensorType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
  // Others have an entry in the table (so that their size can be checked and their name said) but no enumerator.
};

struct TypeInfo {
  TensorType type;
  std::string_view name;  // "Q4_K"
  int64_t block_size;     // elements in a block
  int64_t block_bytes;    // bytes of a block
  bool supported;         // whether this build computes with it
};

// Every type whose layout is known, supported or not.
std::span<const TypeInfo> AllTypes();
// nullptr for an id that is not known.
const TypeInfo* FindType(uint32_t id);
// REQUIRES: a type of the table, as every tensor of a GgufFile has.
const TypeInfo& Info(TensorType type);
std::string_view Name(TensorType type);

// Bytes of one row of `elements`. REQUIRES: a multiple of the block size.
inline int64_t RowBytes(TensorType type, int64_t elements) {
  const TypeInfo& info = Info(type);
  return elements / info.block_size * info.block_bytes;
}

}  // namespace atelier::artefact
