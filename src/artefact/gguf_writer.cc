#include "artefact/gguf_writer.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

template <typename T>
void Put(std::string* out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

void PutString(std::string* out, std::string_view text) {
  Put<uint64_t>(out, text.size());
  out->append(text);
}

template <typename T>
std::string Encoded(T value) {
  std::string out;
  Put(&out, value);
  return out;
}

std::string ArrayHead(GgufType element, size_t count) {
  std::string out;
  Put(&out, static_cast<uint32_t>(element));
  Put<uint64_t>(&out, count);
  return out;
}

template <typename T>
std::string EncodedArray(GgufType element, const std::vector<T>& values) {
  std::string out = ArrayHead(element, values.size());
  for (const T& value : values) Put(&out, value);
  return out;
}

}  // namespace

GgufWriter::GgufWriter(uint32_t alignment) : alignment_(alignment) {
  if (alignment < 8 || alignment > 65536 || (alignment & (alignment - 1)) != 0) {
    throw Error(Code::kInvalidInput, Cat("a GGUF alignment of ", alignment, " is not a power of two from 8 to 65536"));
  }
  if (alignment != 32) Set("general.alignment", alignment);
}

void GgufWriter::SetRaw(std::string_view key, GgufType type, std::string_view encoded) {
  if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) {
    throw Error(Code::kInvalidInput, Cat("the metadata key ", Quote(key), " is set twice"));
  }
  keys_.emplace_back(key);
  PutString(&metadata_, key);
  Put(&metadata_, static_cast<uint32_t>(type));
  metadata_.append(encoded);
}

void GgufWriter::Set(std::string_view key, std::string_view value) {
  std::string out;
  PutString(&out, value);
  SetRaw(key, GgufType::kString, out);
}
void GgufWriter::Set(std::string_view key, bool value) {
  SetRaw(key, GgufType::kBool, value ? "\1" : std::string(1, '\0'));
}
void GgufWriter::Set(std::string_view key, uint32_t value) { SetRaw(key, GgufType::kUint32, Encoded(value)); }
void GgufWriter::Set(std::string_view key, int32_t value) { SetRaw(key, GgufType::kInt32, Encoded(value)); }
void GgufWriter::Set(std::string_view key, uint64_t value) { SetRaw(key, GgufType::kUint64, Encoded(value)); }
void GgufWriter::Set(std::string_view key, int64_t value) { SetRaw(key, GgufType::kInt64, Encoded(value)); }
void GgufWriter::Set(std::string_view key, float value) { SetRaw(key, GgufType::kFloat32, Encoded(value)); }
void GgufWriter::Set(std::string_view key, double value) { SetRaw(key, GgufType::kFloat64, Encoded(value)); }

void GgufWriter::Set(std::string_view key, const std::vector<std::string>& values) {
  std::string out = ArrayHead(GgufType::kString, values.size());
  for (const std::string& value : values) PutString(&out, value);
  SetRaw(key, GgufType::kArray, out);
}
void GgufWriter::Set(std::string_view key, const std::vector<float>& values) {
  SetRaw(key, GgufType::kArray, EncodedArray(GgufType::kFloat32, values));
}
void GgufWriter::Set(std::string_view key, const std::vector<int32_t>& values) {
  SetRaw(key, GgufType::kArray, EncodedArray(GgufType::kInt32, values));
}
void GgufWriter::Set(std::string_view key, const std::vector<uint32_t>& values) {
  SetRaw(key, GgufType::kArray, EncodedArray(GgufType::kUint32, values));
}

void GgufWriter::Add(std::string_view name, TensorType type, std::vector<int64_t> shape, Tensor tensor) {
  const TypeInfo& info = Info(type);
  if (shape.empty() || shape.size() > 4 || shape[0] % info.block_size != 0) {
    throw Error(Code::kInvalidInput, Cat("the tensor ", Quote(name), " has a shape that ", info.name, " cannot store"));
  }
  int64_t bytes = RowBytes(type, shape[0]);
  for (size_t i = 1; i < shape.size(); ++i) bytes *= shape[i];
  if (bytes <= 0 || (!tensor.make && static_cast<uint64_t>(bytes) != tensor.data.size())) {
    throw Error(Code::kInvalidInput,
                Cat("the tensor ", Quote(name), " needs ", bytes, " bytes; ", tensor.data.size(), " were given"));
  }
  for (const Tensor& other : tensors_) {
    if (other.name == name) throw Error(Code::kInvalidInput, Cat("the tensor ", Quote(name), " is added twice"));
  }
  tensor.name = name, tensor.type = type, tensor.shape = std::move(shape), tensor.bytes = static_cast<uint64_t>(bytes);
  tensors_.push_back(std::move(tensor));
}

void GgufWriter::CopyKeys(const GgufFile& file, const std::vector<std::string_view>& except) {
  for (const std::string& key : file.Keys()) {
    if (key == "general.alignment" || std::find(except.begin(), except.end(), key) != except.end()) continue;
    SetRaw(key, file.Type(key), file.Encoded(key));
  }
}

void GgufWriter::CopyTensor(const TensorInfo& tensor) {
  AddTensor(tensor.name, tensor.type, tensor.shape,
            {reinterpret_cast<const char*>(tensor.data), static_cast<size_t>(tensor.bytes)});
}

void GgufWriter::AddTensor(std::string_view name, TensorType type, std::vector<int64_t> shape, std::string_view data) {
  Tensor tensor{};
  tensor.data = data;
  Add(name, type, std::move(shape), std::move(tensor));
}

void GgufWriter::AddTensor(std::string_view name, TensorType type, std::vector<int64_t> shape,
                           std::function<std::string()> make) {
  Tensor tensor{};
  tensor.make = std::move(make);
  Add(name, type, std::move(shape), std::move(tensor));
}

void GgufWriter::Emit(const std::function<void(std::string_view)>& sink) const {
  std::string head("GGUF");
  Put<uint32_t>(&head, 3);
  Put<uint64_t>(&head, tensors_.size());
  Put<uint64_t>(&head, keys_.size());
  head += metadata_;
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    PutString(&head, tensor.name);
    Put(&head, static_cast<uint32_t>(tensor.shape.size()));
    for (const int64_t dim : tensor.shape) Put(&head, static_cast<uint64_t>(dim));
    Put(&head, static_cast<uint32_t>(tensor.type));
    Put(&head, offset);
    offset += (tensor.bytes + alignment_ - 1) / alignment_ * alignment_;
  }
  const auto padding = [&](size_t size) { return std::string((alignment_ - size % alignment_) % alignment_, '\0'); };
  head += padding(head.size());
  sink(head);
  for (const Tensor& tensor : tensors_) {
    const std::string made = tensor.make ? tensor.make() : std::string();
    const std::string_view data = tensor.make ? std::string_view(made) : tensor.data;
    if (data.size() != tensor.bytes) {
      throw Error(Code::kInternal, Cat("the tensor ", Quote(tensor.name), " came with ", data.size(), " bytes"));
    }
    sink(data);
    sink(padding(data.size()));
  }
}

void GgufWriter::Write(const std::string& path) const {
  AtomicFile file(path);
  Emit([&](std::string_view bytes) { file.Write(bytes); });
  file.Commit();
}

std::string GgufWriter::ToBytes() const {
  std::string out;
  Emit([&](std::string_view bytes) { out.append(bytes); });
  return out;
}

}  // namespace atelier::artefact
