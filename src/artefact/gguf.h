// Reads GGUF model files (version 2 and 3) over a memory map. docs/formats/gguf.md says what is read and what is
// refused.
//
// Goals: nothing in the file is believed before it is checked; opening costs the header, never the weights; look-ups
// hand out views into the map. Not here: what the metadata means (runtime/), writing (gguf_writer.h).
//
// A GgufFile is immutable and may be shared by threads; every view and pointer it hands out lives as long as it does.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "artefact/tensor_type.h"
#include "base/file.h"
#include "base/json.h"

namespace atelier::artefact {

enum class GgufType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};
std::string_view Name(GgufType type);  // "uint32", "string" ...

struct TensorInfo {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<int64_t> shape;     // [ne0, ne1, ...]: the first dimension is the one that is contiguous; 1 to 4 of them
  uint64_t offset = 0;            // from the start of the tensor data, as the file says it
  const uint8_t* data = nullptr;  // into the map, aligned as the file's alignment says
  uint64_t bytes = 0;

  int64_t elements() const {
    int64_t n = 1;
    for (int64_t dim : shape) n *= dim;
    return n;
  }
  // shape[i], or 1 beyond the last.
  int64_t dim(size_t i) const { return i < shape.size() ? shape[i] : 1; }
};

class GgufFile {
 public:
  // Throws kCorrupt ("FILE: what at byte N") for a damaged or lying file, kUnsupported for a version or a tensor type
  // whose layout is not known, and what MappedFile::Open throws.
  static std::shared_ptr<const GgufFile> Open(const std::string& path);

  const std::string& path() const { return map_->path(); }
  uint32_t version() const { return version_; }
  uint64_t alignment() const { return alignment_; }
  uint64_t file_bytes() const { return map_->size(); }

  // --- metadata
  bool Has(std::string_view key) const { return Lookup(key) != nullptr; }
  std::span<const std::string> Keys() const { return keys_; }  // in the file's order
  GgufType Type(std::string_view key) const;                   // throws when absent
  // Elements of an array; 1 for a scalar; 0 when absent.
  uint64_t Count(std::string_view key) const;

  // Absent (without a default) or of another type is kCorrupt, naming the file and the key. Strings are the file's
  // bytes; nobody has checked that they are UTF-8.
  std::string_view String(std::string_view key) const;
  std::string_view StringOr(std::string_view key, std::string_view otherwise) const;
  // Any integer type of the file; outside [least, most] is kCorrupt.
  int64_t Int(std::string_view key, int64_t least = std::numeric_limits<int64_t>::min(),
              int64_t most = std::numeric_limits<int64_t>::max()) const;
  int64_t IntOr(std::string_view key, int64_t otherwise, int64_t least = std::numeric_limits<int64_t>::min(),
                int64_t most = std::numeric_limits<int64_t>::max()) const;
  double Float(std::string_view key) const;  // float32 or float64; not a number or infinite is kCorrupt
  double FloatOr(std::string_view key, double otherwise) const;
  bool Bool(std::string_view key) const;
  bool BoolOr(std::string_view key, bool otherwise) const;
  // Arrays; a scalar of the right kind counts as an array of one (per-layer values may be written either way).
  std::vector<std::string_view> Strings(std::string_view key) const;
  std::vector<int64_t> Ints(std::string_view key) const;
  std::vector<float> Floats(std::string_view key) const;
  std::vector<bool> Bools(std::string_view key) const;
  // Any value for people to read: arrays longer than `most_elements` become {"array": TYPE, "count": N}, longer strings
  // than `most_bytes` are cut with an ellipsis.
  Json ToJson(std::string_view key, uint64_t most_elements = 16, size_t most_bytes = 400) const;
  // The value's bytes, as GgufWriter::SetRaw takes them.
  std::string_view Encoded(std::string_view key) const;

  // --- tensors
  std::span<const TensorInfo> tensors() const { return tensors_; }
  const TensorInfo* Find(std::string_view name) const;  // nullptr when there is none
  // The tensor, which must be there and of a type that this build computes with: else kCorrupt or kUnsupported.
  const TensorInfo& Require(std::string_view name) const;
  // Throws kUnsupported, naming the first tensor of a type that this build does not compute with.
  void RequireSupportedTypes() const;

 private:
  struct Value {
    GgufType type;
    GgufType element;             // for arrays
    uint64_t count = 1;           // elements
    uint64_t at = 0;              // byte in the file where the (first) element starts
    uint64_t begin = 0, end = 0;  // of the whole value, an array's head included
  };
  friend class GgufParser;

  GgufFile() = default;
  const Value* Lookup(std::string_view key) const;
  const Value& RequireValue(std::string_view key) const;
  [[noreturn]] void RefuseType(std::string_view key, const Value& value, std::string_view wanted) const;
  // Reads one scalar integer at `*at` and moves behind it.
  int64_t ReadInt(std::string_view key, GgufType type, uint64_t* at) const;
  std::string_view ReadString(uint64_t* at) const;
  Json ValueToJson(GgufType type, GgufType element, uint64_t count, uint64_t* at, uint64_t most_elements,
                   size_t most_bytes) const;

  std::shared_ptr<const MappedFile> map_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 32;
  std::vector<std::string> keys_;
  std::vector<Value> values_;
  std::vector<TensorInfo> tensors_;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename V>
  using NameMap = std::unordered_map<std::string, V, Hash, std::equal_to<>>;
  NameMap<size_t> key_index_, tensor_index_;
};

}  // namespace atelier::artefact
