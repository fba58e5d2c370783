#include "artefact/gguf.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

template <typename T>
T Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

}  // namespace

std::string_view Name(GgufType type) {
  constexpr std::string_view kNames[] = {"uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
                                         "bool",  "string", "array",  "uint64", "int64",  "float64"};
  const auto i = static_cast<size_t>(type);
  return i < std::size(kNames) ? kNames[i] : "unknown";
}

const GgufFile::Value* GgufFile::Lookup(std::string_view key) const {
  const auto found = key_index_.find(key);
  return found == key_index_.end() ? nullptr : &values_[found->second];
}

const GgufFile::Value& GgufFile::RequireValue(std::string_view key) const {
  const Value* value = Lookup(key);
  if (value == nullptr) {
    throw Error(Code::kCorrupt, Cat(path(), ": the metadata key ", Quote(key), " is missing"));
  }
  return *value;
}

void GgufFile::RefuseType(std::string_view key, const Value& value, std::string_view wanted) const {
  std::string is(Name(value.type));
  if (value.type == GgufType::kArray) is = Cat("array of ", Name(value.element));
  throw Error(Code::kCorrupt, Cat(path(), ": the metadata key ", Quote(key), " is of type ", is, ", not ", wanted));
}

GgufType GgufFile::Type(std::string_view key) const { return RequireValue(key).type; }

uint64_t GgufFile::Count(std::string_view key) const {
  const Value* value = Lookup(key);
  return value == nullptr ? 0 : value->count;
}

std::string_view GgufFile::ReadString(uint64_t* at) const {
  const auto length = Load<uint64_t>(map_->data() + *at);
  const std::string_view text(reinterpret_cast<const char*>(map_->data()) + *at + 8, length);
  *at += 8 + length;
  return text;
}

int64_t GgufFile::ReadInt(std::string_view key, GgufType type, uint64_t* at) const {
  const uint8_t* p = map_->data() + *at;
  switch (type) {
    case GgufType::kUint8: *at += 1; return *p;
    case GgufType::kInt8: *at += 1; return static_cast<int8_t>(*p);
    case GgufType::kUint16: *at += 2; return Load<uint16_t>(p);
    case GgufType::kInt16: *at += 2; return Load<int16_t>(p);
    case GgufType::kUint32: *at += 4; return Load<uint32_t>(p);
    case GgufType::kInt32: *at += 4; return Load<int32_t>(p);
    case GgufType::kInt64: *at += 8; return Load<int64_t>(p);
    case GgufType::kUint64: {
      *at += 8;
      const auto value = Load<uint64_t>(p);
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        throw Error(Code::kCorrupt, Cat(path(), ": the metadata key ", Quote(key), " holds ", value, ", too large"));
      }
      return static_cast<int64_t>(value);
    }
    default: RefuseType(key, *Lookup(key), "an integer");
  }
}

std::string_view GgufFile::Encoded(std::string_view key) const {
  const Value& value = RequireValue(key);
  return {reinterpret_cast<const char*>(map_->data()) + value.begin, value.end - value.begin};
}

std::string_view GgufFile::String(std::string_view key) const {
  const Value& value = RequireValue(key);
  if (value.type != GgufType::kString) RefuseType(key, value, "string");
  uint64_t at = value.at;
  return ReadString(&at);
}

std::string_view GgufFile::StringOr(std::string_view key, std::string_view otherwise) const {
  return Has(key) ? String(key) : otherwise;
}

int64_t GgufFile::Int(std::string_view key, int64_t least, int64_t most) const {
  const Value& value = RequireValue(key);
  uint64_t at = value.at;
  const int64_t result = ReadInt(key, value.type, &at);
  if (result < least || result > most) {
    throw Error(Code::kCorrupt, Cat(path(), ": the metadata key ", Quote(key), " holds ", result, "; it must be from ",
                                    least, " to ", most));
  }
  return result;
}

int64_t GgufFile::IntOr(std::string_view key, int64_t otherwise, int64_t least, int64_t most) const {
  return Has(key) ? Int(key, least, most) : otherwise;
}

double GgufFile::Float(std::string_view key) const {
  const Value& value = RequireValue(key);
  double result = 0;
  switch (value.type) {
    case GgufType::kFloat32: result = Load<float>(map_->data() + value.at); break;
    case GgufType::kFloat64: result = Load<double>(map_->data() + value.at); break;
    default: RefuseType(key, value, "a floating-point number");
  }
  if (!std::isfinite(result)) {
    throw Error(Code::kCorrupt, Cat(path(), ": the metadata key ", Quote(key), " is not a finite number"));
  }
  return result;
}

double GgufFile::FloatOr(std::string_view key, double otherwise) const { return Has(key) ? Float(key) : otherwise; }

bool GgufFile::Bool(std::string_view key) const {
  const Value& value = RequireValue(key);
  if (value.type != GgufType::kBool) RefuseType(key, value, "bool");
  return map_->data()[value.at] != 0;
}

bool GgufFile::BoolOr(std::string_view key, bool otherwise) const { return Has(key) ? Bool(key) : otherwise; }

std::vector<std::string_view> GgufFile::Strings(std::string_view key) const {
  const Value& value = RequireValue(key);
  if (value.element != GgufType::kString) RefuseType(key, value, "an array of strings");
  std::vector<std::string_view> out;
  out.reserve(value.count);
  uint64_t at = value.at;
  for (uint64_t i = 0; i < value.count; ++i) out.push_back(ReadString(&at));
  return out;
}

std::vector<int64_t> GgufFile::Ints(std::string_view key) const {
  const Value& value = RequireValue(key);
  switch (value.element) {
    case GgufType::kFloat32:
    case GgufType::kFloat64:
    case GgufType::kBool:
    case GgufType::kString:
    case GgufType::kArray: RefuseType(key, value, "an array of integers");
    default: break;
  }
  std::vector<int64_t> out;
  out.reserve(value.count);
  uint64_t at = value.at;
  for (uint64_t i = 0; i < value.count; ++i) out.push_back(ReadInt(key, value.element, &at));
  return out;
}

std::vector<float> GgufFile::Floats(std::string_view key) const {
  const Value& value = RequireValue(key);
  std::vector<float> out(value.count);
  const uint8_t* p = map_->data() + value.at;
  if (value.element == GgufType::kFloat32) {
    if (!out.empty()) std::memcpy(out.data(), p, out.size() * sizeof(float));
  } else if (value.element == GgufType::kFloat64) {
    for (uint64_t i = 0; i < value.count; ++i) out[i] = static_cast<float>(Load<double>(p + 8 * i));
  } else {
    RefuseType(key, value, "an array of floating-point numbers");
  }
  return out;
}

std::vector<bool> GgufFile::Bools(std::string_view key) const {
  const Value& value = RequireValue(key);
  if (value.element != GgufType::kBool) RefuseType(key, value, "an array of bool");
  std::vector<bool> out(value.count);
  for (uint64_t i = 0; i < value.count; ++i) out[i] = map_->data()[value.at + i] != 0;
  return out;
}

Json GgufFile::ValueToJson(GgufType type, GgufType element, uint64_t count, uint64_t* at, uint64_t most_elements,
                           size_t most_bytes) const {
  const uint8_t* p = map_->data() + *at;
  switch (type) {
    case GgufType::kFloat32: *at += 4; return Load<float>(p);
    case GgufType::kFloat64: *at += 8; return Load<double>(p);
    case GgufType::kBool: *at += 1; return *p != 0;
    case GgufType::kUint64: *at += 8; return Load<uint64_t>(p);
    case GgufType::kString: {
      std::string_view text = ReadString(at);
      if (text.size() <= most_bytes) return std::string(text);
      size_t end = most_bytes;  // never in the middle of a UTF-8 sequence
      while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
      return Cat(text.substr(0, end), "…");
    }
    case GgufType::kArray: {
      if (count > most_elements) return {{"array", Name(element)}, {"count", count}};
      Json out = Json::array();
      for (uint64_t i = 0; i < count; ++i) {
        if (element == GgufType::kArray) {
          const auto inner = static_cast<GgufType>(Load<uint32_t>(map_->data() + *at));
          const auto inner_count = Load<uint64_t>(map_->data() + *at + 4);
          if (inner_count > most_elements) return {{"array", Name(element)}, {"count", count}};
          *at += 12;
          out.push_back(ValueToJson(GgufType::kArray, inner, inner_count, at, most_elements, most_bytes));
          if (out.back().is_object()) return {{"array", Name(element)}, {"count", count}};
        } else {
          out.push_back(ValueToJson(element, element, 1, at, most_elements, most_bytes));
        }
      }
      return out;
    }
    default: return ReadInt("", type, at);
  }
}

Json GgufFile::ToJson(std::string_view key, uint64_t most_elements, size_t most_bytes) const {
  const Value& value = RequireValue(key);
  uint64_t at = value.at;
  return ValueToJson(value.type, value.element, value.count, &at, most_elements, most_bytes);
}

const TensorInfo* GgufFile::Find(std::string_view name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

namespace {

void RequireSupported(const std::string& path, const TensorInfo& tensor) {
  if (Info(tensor.type).supported) return;
  throw Error(Code::kUnsupported,
              Cat(path, ": the tensor ", Quote(tensor.name), " is of type ", Name(tensor.type),
                  ", which this build does not compute with"),
              "take a file quantised as F16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K");
}

}  // namespace

const TensorInfo& GgufFile::Require(std::string_view name) const {
  const TensorInfo* tensor = Find(name);
  if (tensor == nullptr) throw Error(Code::kCorrupt, Cat(path(), ": the tensor ", Quote(name), " is missing"));
  RequireSupported(path(), *tensor);
  return *tensor;
}

void GgufFile::RequireSupportedTypes() const {
  for (const TensorInfo& tensor : tensors_) RequireSupported(path(), tensor);
}

}  // namespace atelier::artefact
