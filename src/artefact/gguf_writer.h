// Writes GGUF version 3: metadata in the order it was set, tensors in the order they were added, one atomic file.
//
//   GgufWriter writer;
//   writer.Set("general.architecture", "llama");
//   writer.AddTensor("token_embd.weight", TensorType::kF32, {64, 256}, bytes);
//   writer.Write("tiny.gguf");
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/gguf.h"
#include "artefact/tensor_type.h"

namespace atelier::artefact {

class GgufWriter {
 public:
  // A power of two from 8 to 65536; 32 is the format's default and is not written down.
  explicit GgufWriter(uint32_t alignment = 32);

  // Scalars. A key set twice throws kInvalidInput.
  void Set(std::string_view key, std::string_view value);
  void Set(std::string_view key, const char* value) { Set(key, std::string_view(value)); }
  void Set(std::string_view key, bool value);
  void Set(std::string_view key, uint32_t value);
  void Set(std::string_view key, int32_t value);
  void Set(std::string_view key, uint64_t value);
  void Set(std::string_view key, int64_t value);
  void Set(std::string_view key, float value);
  void Set(std::string_view key, double value);
  // Arrays.
  void Set(std::string_view key, const std::vector<std::string>& values);
  void Set(std::string_view key, const std::vector<float>& values);
  void Set(std::string_view key, const std::vector<int32_t>& values);
  void Set(std::string_view key, const std::vector<uint32_t>& values);
  // A value that is already encoded, of any type: what copies metadata from file to file, and what tests lie with.
  void SetRaw(std::string_view key, GgufType type, std::string_view encoded);
  // Another file's keys as they are, but for its alignment and those of `except`.
  void CopyKeys(const GgufFile& file, const std::vector<std::string_view>& except = {});

  // `data` holds the tensor's bytes (its length is checked) and must stay valid until Write or ToBytes.
  void AddTensor(std::string_view name, TensorType type, std::vector<int64_t> shape, std::string_view data);
  // The same for what need not all be in memory at once: `make` is called when its turn comes to be written, and gives
  // exactly the tensor's bytes; what it throws ends the writing, and no file is left.
  void AddTensor(std::string_view name, TensorType type, std::vector<int64_t> shape, std::function<std::string()> make);
  // Another file's tensor as it is; that file must stay open until Write or ToBytes.
  void CopyTensor(const TensorInfo& tensor);

  void Write(const std::string& path) const;
  std::string ToBytes() const;

 private:
  struct Tensor {
    std::string name;
    TensorType type;
    std::vector<int64_t> shape;
    uint64_t bytes;
    std::string_view data;
    std::function<std::string()> make;  // where it is set, `data` is not
  };
  void Add(std::string_view name, TensorType type, std::vector<int64_t> shape, Tensor tensor);
  void Emit(const std::function<void(std::string_view)>& sink) const;

  uint32_t alignment_;
  std::vector<std::string> keys_;
  std::string metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace atelier::artefact
