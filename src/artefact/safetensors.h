// safetensors, the format of Hugging Face: eight bytes of length, a JSON header, tensors one behind the other. Read as
// from an enemy; written in one atomic file. docs/formats/safetensors.md.
//
//   SafetensorsWriter writer;
//   writer.SetMetadata("format", "pt");
//   writer.Add("embedding.weight", ScalarType::kF32, {8192, 256}, bytes);
//   writer.Write("model.safetensors");
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/tensor_type.h"
#include "base/file.h"

namespace atelier::artefact {

enum class ScalarType { kF64, kF32, kF16, kBf16, kI64, kI32, kI16, kI8, kU8, kBool };

struct ScalarTypeInfo {
  ScalarType type;
  std::string_view name;  // as the header writes it: "BF16"
  int64_t bytes;
};
const ScalarTypeInfo& Info(ScalarType type);

// Numbers of F32, F16 or BF16 in f32. REQUIRES: one of them.
std::vector<float> ToFloats(std::string_view bytes, ScalarType type);

struct SafeTensor {
  std::string name;
  ScalarType type = ScalarType::kF32;
  std::vector<int64_t> shape;  // rows first, as PyTorch has it
  std::string_view data;       // valid as long as the file's object
};

// What GGUF calls a tensor's type: F32, F16 or BF16. Throws kUnsupported, beginning with `where` (the file), for
// others.
TensorType TypeOf(const SafeTensor& tensor, const std::string& where);

class SafetensorsFile {
 public:
  // Checks everything before it returns: types, sizes, that the tensors fill the file without gap or overlap. Throws
  // kCorrupt and kUnsupported that name the file and the tensor.
  static std::shared_ptr<const SafetensorsFile> Open(const std::string& path);
  // Of bytes that outlive the object; `name` is for messages.
  static std::shared_ptr<const SafetensorsFile> Parse(std::string_view bytes, const std::string& name);
  // Whether a file begins as one.
  static bool Recognise(std::string_view bytes);

  const std::string& path() const { return path_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::vector<SafeTensor>& tensors() const { return tensors_; }  // in the order of their bytes
  const SafeTensor* Find(std::string_view name) const;                 // null where there is none
  // Reads everything once more against the seal that SafetensorsWriter::Seal left; kCorrupt where it is another. A file
  // without a seal passes.
  void CheckSeal() const;

 private:
  std::string path_;
  std::shared_ptr<const MappedFile> map_;
  std::map<std::string, std::string> metadata_;
  std::vector<SafeTensor> tensors_;
  std::map<std::string, size_t, std::less<>> by_name_;
};

class SafetensorsWriter {
 public:
  void SetMetadata(const std::string& key, std::string value) { metadata_[key] = std::move(value); }
  // `data` (its length is checked) must stay valid until Write. A name twice throws kInvalidInput.
  void Add(std::string name, ScalarType type, std::vector<int64_t> shape, std::string_view data);
  // Adds a hash over all tensors and all metadata, so that a damaged file is told from a sound one.
  void Seal();
  void Write(const std::string& path) const;
  std::string ToBytes() const;

 private:
  std::string Header() const;
  std::map<std::string, std::string> metadata_;
  std::vector<SafeTensor> tensors_;
};

}  // namespace atelier::artefact
