#include "artefact/safetensors.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/half.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

constexpr uint64_t kMostHeader = 100u << 20;  // the format's own bound
constexpr char kMetadata[] = "__metadata__", kSeal[] = "xxh64";

constexpr ScalarTypeInfo kTypes[] = {
    {ScalarType::kF64, "F64", 8},   {ScalarType::kF32, "F32", 4}, {ScalarType::kF16, "F16", 2},
    {ScalarType::kBf16, "BF16", 2}, {ScalarType::kI64, "I64", 8}, {ScalarType::kI32, "I32", 4},
    {ScalarType::kI16, "I16", 2},   {ScalarType::kI8, "I8", 1},   {ScalarType::kU8, "U8", 1},
    {ScalarType::kBool, "BOOL", 1},
};

// The product of shape and size, or nothing where it is not a size at all.
std::optional<uint64_t> ByteCount(const std::vector<int64_t>& shape, int64_t each) {
  uint64_t bytes = static_cast<uint64_t>(each);
  for (const int64_t n : shape) {
    if (n < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(n), &bytes)) return std::nullopt;
  }
  return bytes;
}

std::string SealOf(const std::map<std::string, std::string>& metadata, const std::vector<SafeTensor>& tensors) {
  uint64_t hash = 0;
  for (const auto& [key, value] : metadata) {
    if (key != kSeal) hash = Hash64(value, Hash64(key, hash));
  }
  for (const SafeTensor& tensor : tensors) {
    std::string about = Cat(tensor.name, " ", Info(tensor.type).name);
    for (const int64_t n : tensor.shape) about += Cat(" ", n);
    hash = Hash64(tensor.data, Hash64(about, hash));
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016" PRIx64, hash);
  return text;
}

uint64_t Length(std::string_view bytes) {
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  return length;
}

}  // namespace

const ScalarTypeInfo& Info(ScalarType type) { return kTypes[static_cast<size_t>(type)]; }

bool SafetensorsFile::Recognise(std::string_view bytes) {
  return bytes.size() >= 10 && Length(bytes) <= kMostHeader && Length(bytes) >= 2 && bytes[8] == '{';
}

std::shared_ptr<const SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  const auto map = MappedFile::Open(path);
  auto file =
      std::const_pointer_cast<SafetensorsFile>(Parse({reinterpret_cast<const char*>(map->data()), map->size()}, path));
  file->map_ = map;
  return file;
}

std::shared_ptr<const SafetensorsFile> SafetensorsFile::Parse(std::string_view bytes, const std::string& name) {
  const auto corrupt = [&](const std::string& why) { return Error(Code::kCorrupt, Cat(name, ": ", why)); };
  if (bytes.size() < 8) throw corrupt("too short for a safetensors file");
  const uint64_t length = Length(bytes);
  if (length > kMostHeader || length > bytes.size() - 8) {
    throw corrupt(Cat("its header of ", length, " bytes is longer than the file, or than the format allows"));
  }
  // The parser takes a NUL for the end of its text.
  if (bytes.substr(8, length).find('\0') != std::string_view::npos) throw corrupt("its header holds a NUL");
  const Json header = [&] {
    try {
      return ParseJson(bytes.substr(8, length), "header", 4);
    } catch (const Error& error) {
      throw corrupt(error.what());
    }
  }();
  if (!header.is_object()) throw corrupt("its header is not an object");
  const std::string_view data = bytes.substr(8 + length);

  const auto file = std::make_shared<SafetensorsFile>();
  file->path_ = name;
  struct Span {
    uint64_t begin, end;
  };
  std::vector<std::pair<Span, SafeTensor>> found;
  for (const auto& item : header.items()) {
    const std::string& key = item.key();
    const Json& value = item.value();
    if (key == kMetadata) {
      if (!value.is_object()) throw corrupt("its metadata is not an object");
      for (const auto& [k, v] : value.items()) {
        if (!v.is_string()) throw corrupt(Cat("metadata ", Quote(k), " is not text"));
        file->metadata_[k] = v.get<std::string>();
      }
      continue;
    }
    const auto fail = [&](const std::string& why) { return corrupt(Cat("tensor ", Quote(key), ": ", why)); };
    SafeTensor tensor;
    tensor.name = key;
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets")) {
      throw fail("wants dtype, shape and data_offsets");
    }
    const Json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
    if (!dtype.is_string()) throw fail("its dtype is not text");
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const ScalarTypeInfo& one) { return one.name == dtype.get<std::string>(); });
    if (type == std::end(kTypes)) {
      throw Error(Code::kUnsupported,
                  Cat(name, ": tensor ", Quote(key), " is of the type ", Quote(dtype.get<std::string>())));
    }
    tensor.type = type->type;
    if (!shape.is_array() || shape.size() > 16) throw fail("its shape is not a list of at most 16 numbers");
    for (const Json& n : shape) {
      if (!n.is_number_unsigned() || n.get<uint64_t>() > INT64_MAX) throw fail("its shape holds what is no size");
      tensor.shape.push_back(n.get<int64_t>());
    }
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      throw fail("its data_offsets are not two numbers");
    }
    const Span span{offsets[0].get<uint64_t>(), offsets[1].get<uint64_t>()};
    if (span.begin > span.end || span.end > data.size()) throw fail("it reaches beyond the file");
    const auto wanted = ByteCount(tensor.shape, type->bytes);
    if (!wanted || *wanted != span.end - span.begin) throw fail("its bytes do not fit its shape");
    tensor.data = data.substr(span.begin, span.end - span.begin);
    found.emplace_back(span, std::move(tensor));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.begin, a.first.end) < std::pair(b.first.begin, b.first.end);
  });
  uint64_t at = 0;
  for (auto& [span, tensor] : found) {
    if (span.begin != at)
      throw corrupt(Cat("tensor ", Quote(tensor.name), " overlaps another or leaves a gap before it"));
    at = span.end;
    if (!file->by_name_.emplace(tensor.name, file->tensors_.size()).second) {
      throw corrupt(Cat("two tensors are called ", Quote(tensor.name)));
    }
    file->tensors_.push_back(std::move(tensor));
  }
  if (at != data.size()) throw corrupt(Cat(data.size() - at, " bytes behind the last tensor belong to none"));
  return file;
}

const SafeTensor* SafetensorsFile::Find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &tensors_[it->second];
}

void SafetensorsFile::CheckSeal() const {
  const auto it = metadata_.find(kSeal);
  if (it != metadata_.end() && it->second != SealOf(metadata_, tensors_)) {
    throw Error(Code::kCorrupt, Cat(path_, ": its bytes are not those that were written"));
  }
}

void SafetensorsWriter::Seal() { metadata_[kSeal] = SealOf(metadata_, tensors_); }

void SafetensorsWriter::Add(std::string name, ScalarType type, std::vector<int64_t> shape, std::string_view data) {
  const auto wanted = ByteCount(shape, Info(type).bytes);
  if (!wanted || *wanted != data.size()) {
    throw Error(Code::kInternal,
                Cat("tensor ", Quote(name), " has ", data.size(), " bytes, which do not fit its shape"));
  }
  for (const SafeTensor& one : tensors_) {
    if (one.name == name) throw Error(Code::kInvalidInput, Cat("two tensors are called ", Quote(name)));
  }
  tensors_.push_back({std::move(name), type, std::move(shape), data});
}

std::string SafetensorsWriter::Header() const {
  Json header = Json::object();
  if (!metadata_.empty()) header[kMetadata] = metadata_;
  uint64_t at = 0;
  for (const SafeTensor& tensor : tensors_) {
    header[tensor.name] = {
        {"dtype", Info(tensor.type).name}, {"shape", tensor.shape}, {"data_offsets", {at, at + tensor.data.size()}}};
    at += tensor.data.size();
  }
  std::string text = ToText(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors lie aligned
  std::string out(8, '\0');
  const uint64_t length = text.size();
  std::memcpy(out.data(), &length, 8);
  return out + text;
}

void SafetensorsWriter::Write(const std::string& path) const {
  AtomicFile file(path);
  file.Write(Header());
  for (const SafeTensor& tensor : tensors_) file.Write(tensor.data);
  file.Commit();
}

std::string SafetensorsWriter::ToBytes() const {
  std::string out = Header();
  for (const SafeTensor& tensor : tensors_) out += tensor.data;
  return out;
}

std::vector<float> ToFloats(std::string_view bytes, ScalarType type) {
  std::vector<float> out(bytes.size() / static_cast<size_t>(Info(type).bytes));
  if (type == ScalarType::kF32) {
    std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
    return out;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t half;
    std::memcpy(&half, bytes.data() + 2 * i, 2);
    out[i] = type == ScalarType::kF16 ? HalfToFloat(half) : BFloatToFloat(half);
  }
  return out;
}

TensorType TypeOf(const SafeTensor& tensor, const std::string& where) {
  switch (tensor.type) {
    case ScalarType::kF32: return TensorType::kF32;
    case ScalarType::kF16: return TensorType::kF16;
    case ScalarType::kBf16: return TensorType::kBF16;
    default:
      throw Error(Code::kUnsupported, Cat(where, ": the tensor ", Quote(tensor.name), " is ", Info(tensor.type).name));
  }
}

}  // namespace atelier::artefact
