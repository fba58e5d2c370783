// The parser behind GgufFile::Open: every count, length, offset and product is checked against the file's size before
// it is used, so that a lying file costs no memory and reads nothing outside the map.
#include <algorithm>
#include <cstring>

#include "artefact/gguf.h"
#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

constexpr int kMaxArrayDepth = 8;
constexpr uint64_t kMaxNameBytes = 65535;           // the format's own limit for keys; tensor names are held to it too
constexpr uint64_t kLeastKeyBytes = 8 + 1 + 4 + 1;  // a one-letter key with a one-byte value
constexpr uint64_t kLeastTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;
constexpr uint64_t kMaxAlignment = 65536;

// Bytes of a scalar; 0 for strings, arrays and unknown types.
uint64_t ScalarBytes(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool: return 1;
    case GgufType::kUint16:
    case GgufType::kInt16: return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32: return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64: return 8;
    default: return 0;
  }
}

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i]);
    int more = 0;
    uint32_t rune = lead, least = 0;
    if (lead < 0x80) {
      ++i;
      continue;
    } else if (lead >= 0xc2 && lead < 0xe0) {
      more = 1, rune = lead & 0x1f, least = 0x80;
    } else if (lead >= 0xe0 && lead < 0xf0) {
      more = 2, rune = lead & 0x0f, least = 0x800;
    } else if (lead >= 0xf0 && lead < 0xf5) {
      more = 3, rune = lead & 0x07, least = 0x10000;
    } else {
      return false;
    }
    for (int k = 1; k <= more; ++k) {
      if (i + static_cast<size_t>(k) >= text.size()) return false;
      const auto next = static_cast<uint8_t>(text[i + static_cast<size_t>(k)]);
      if ((next & 0xc0) != 0x80) return false;
      rune = rune << 6 | (next & 0x3f);
    }
    if (rune < least || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return false;
    i += static_cast<size_t>(more) + 1;
  }
  return true;
}

}  // namespace

class GgufParser {
 public:
  explicit GgufParser(GgufFile* file) : file_(*file), data_(file->map_->data()), size_(file->map_->size()) {}

  void Parse() {
    if (size_ < 4 || std::memcmp(data_, "GGUF", 4) != 0) Refuse("is not a GGUF file: the magic 'GGUF' is missing", 0);
    at_ = 4;
    file_.version_ = Read<uint32_t>("the version");
    if (file_.version_ != 2 && file_.version_ != 3) {
      const bool swapped = file_.version_ == 0x02000000 || file_.version_ == 0x03000000;
      throw Error(Code::kUnsupported,
                  Cat(file_.path(), ": GGUF version ", swapped ? file_.version_ >> 24 : file_.version_,
                      swapped ? ", big-endian," : "", " at byte 4 is not read"),
                  "versions 2 and 3, little-endian, are");
    }
    const uint64_t tensors = ReadCount("tensors", kLeastTensorBytes);
    const uint64_t keys = ReadCount("metadata keys", kLeastKeyBytes);
    file_.keys_.reserve(keys);
    file_.values_.reserve(keys);
    for (uint64_t i = 0; i < keys; ++i) ParseKey();
    ReadAlignment();
    file_.tensors_.reserve(tensors);
    for (uint64_t i = 0; i < tensors; ++i) ParseTensor();
    PlaceTensors();
  }

 private:
  [[noreturn]] void Refuse(std::string_view what, uint64_t at) const {
    throw Error(Code::kCorrupt, Cat(file_.path(), ": ", what, " at byte ", at),
                "the file is damaged or was not downloaded whole; fetch it again");
  }

  void Need(uint64_t bytes, std::string_view what) const {
    if (bytes > size_ - at_) Refuse(Cat("the file ends inside ", what), at_);
  }

  template <typename T>
  T Read(std::string_view what) {
    Need(sizeof(T), what);
    T value;
    std::memcpy(&value, data_ + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  uint64_t ReadCount(std::string_view what, uint64_t least_bytes_each) {
    const uint64_t at = at_;
    const auto count = Read<uint64_t>(Cat("the number of ", what));
    if (count > (size_ - at_) / least_bytes_each)
      Refuse(Cat("more ", what, " (", count, ") than the file can hold"), at);
    return count;
  }

  std::string_view ReadString(std::string_view what) {
    const uint64_t at = at_;
    const auto length = Read<uint64_t>(what);
    if (length > size_ - at_) Refuse(Cat(what, " of ", length, " bytes runs past the end of the file"), at);
    const std::string_view text(reinterpret_cast<const char*>(data_) + at_, length);
    at_ += length;
    return text;
  }

  std::string ReadName(std::string_view what) {
    const uint64_t at = at_;
    const std::string_view name = ReadString(what);
    if (name.empty()) Refuse(Cat(what, " is empty"), at);
    if (name.size() > kMaxNameBytes) Refuse(Cat(what, " is longer than ", kMaxNameBytes, " bytes"), at);
    if (!IsUtf8(name) || name.find('\0') != std::string_view::npos) Refuse(Cat(what, " is not UTF-8 text"), at);
    return std::string(name);
  }

  GgufType ReadType(std::string_view what) {
    const uint64_t at = at_;
    const auto type = Read<uint32_t>(what);
    if (type > static_cast<uint32_t>(GgufType::kFloat64)) Refuse(Cat(what, " ", type, " is unknown"), at);
    return static_cast<GgufType>(type);
  }

  // Moves behind `count` values of `type`, checking each.
  void Skip(GgufType type, uint64_t count, const std::string& what, int depth) {
    if (const uint64_t bytes = ScalarBytes(type); bytes > 0) {
      if (count > (size_ - at_) / bytes) Refuse(Cat(what, " runs past the end of the file"), at_);
      if (type == GgufType::kBool) {
        for (uint64_t i = 0; i < count; ++i) {
          if (data_[at_ + i] > 1) Refuse(Cat(what, " is neither true nor false"), at_ + i);
        }
      }
      at_ += count * bytes;
    } else if (type == GgufType::kString) {
      for (uint64_t i = 0; i < count; ++i) ReadString(what);
    } else {
      if (depth >= kMaxArrayDepth) Refuse(Cat(what, " nests deeper than ", kMaxArrayDepth, " arrays"), at_);
      for (uint64_t i = 0; i < count; ++i) {
        const auto [inner, inner_count] = ReadArrayHead(what);
        Skip(inner, inner_count, what, depth + 1);
      }
    }
  }

  std::pair<GgufType, uint64_t> ReadArrayHead(const std::string& what) {
    const GgufType element = ReadType("the element type");
    const uint64_t bytes = ScalarBytes(element);
    const uint64_t count = ReadCount(Cat("elements in ", what), bytes > 0                      ? bytes
                                                                : element == GgufType::kString ? 8
                                                                                               : 12);
    return {element, count};
  }

  void ParseKey() {
    const uint64_t at = at_;
    std::string key = ReadName("a metadata key");
    const std::string what = Cat("the metadata key ", Quote(key));
    if (!file_.key_index_.emplace(key, file_.keys_.size()).second) Refuse(Cat(what, " stands twice"), at);
    GgufFile::Value value{};
    value.type = value.element = ReadType("the value type");
    value.count = 1;
    value.begin = at_;
    if (value.type == GgufType::kArray) {
      std::tie(value.element, value.count) = ReadArrayHead(what);
      value.at = at_;
      Skip(value.element, value.count, what, 1);
    } else {
      value.at = at_;
      Skip(value.type, 1, what, 0);
    }
    value.end = at_;
    file_.keys_.push_back(std::move(key));
    file_.values_.push_back(value);
  }

  void ReadAlignment() {
    constexpr std::string_view kKey = "general.alignment";
    const GgufFile::Value* value = file_.Lookup(kKey);
    if (value == nullptr) return;
    if (value->type != GgufType::kUint32) Refuse(Cat(kKey, " is not of type uint32"), value->at);
    const auto alignment = static_cast<uint64_t>(file_.Int(kKey));
    if (alignment < 8 || alignment > kMaxAlignment || (alignment & (alignment - 1)) != 0) {
      Refuse(Cat(kKey, " is ", alignment, ", not a power of two from 8 to ", kMaxAlignment), value->at);
    }
    file_.alignment_ = alignment;
  }

  void ParseTensor() {
    const uint64_t at = at_;
    TensorInfo tensor;
    tensor.name = ReadName("a tensor's name");
    const std::string what = Cat("the tensor ", Quote(tensor.name));
    if (!file_.tensor_index_.emplace(tensor.name, file_.tensors_.size()).second) Refuse(Cat(what, " stands twice"), at);
    const uint64_t dims_at = at_;
    const auto dims = Read<uint32_t>(what);
    if (dims < 1 || dims > 4) Refuse(Cat(what, " has ", dims, " dimensions, not 1 to 4"), dims_at);
    uint64_t elements = 1;
    for (uint32_t i = 0; i < dims; ++i) {
      const uint64_t dim_at = at_;
      const auto dim = Read<uint64_t>(what);
      if (dim == 0) Refuse(Cat(what, " has an empty dimension"), dim_at);
      constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
      if (dim > kMost / elements) Refuse(Cat(what, " has more elements than fit in 63 bits"), dim_at);
      elements *= dim;
      tensor.shape.push_back(static_cast<int64_t>(dim));
    }
    const uint64_t type_at = at_;
    const auto type = Read<uint32_t>(what);
    const TypeInfo* info = FindType(type);
    if (info == nullptr) {
      throw Error(Code::kUnsupported, Cat(file_.path(), ": ", what, " is of type ", type, " at byte ", type_at,
                                          ", which this build does not know"));
    }
    tensor.type = info->type;
    if (tensor.shape[0] % info->block_size != 0) {
      Refuse(Cat(what, " has rows of ", tensor.shape[0], " elements, not a multiple of ", info->name, "'s block of ",
                 info->block_size),
             type_at);
    }
    const uint64_t blocks = elements / static_cast<uint64_t>(info->block_size);
    if (blocks > size_ / static_cast<uint64_t>(info->block_bytes)) {
      Refuse(Cat(what, " is larger than the file"), type_at);
    }
    tensor.bytes = blocks * static_cast<uint64_t>(info->block_bytes);
    const uint64_t offset_at = at_;
    tensor.offset = Read<uint64_t>(what);
    if (tensor.offset % file_.alignment_ != 0) {
      Refuse(Cat(what, " starts at offset ", tensor.offset, ", not a multiple of ", file_.alignment_), offset_at);
    }
    tensor_at_.push_back(offset_at);
    file_.tensors_.push_back(std::move(tensor));
  }

  // Tensor data starts at the next multiple of the alignment; offsets count from there.
  void PlaceTensors() {
    if (file_.tensors_.empty()) return;
    const uint64_t start = (at_ + file_.alignment_ - 1) / file_.alignment_ * file_.alignment_;
    std::vector<size_t> order(file_.tensors_.size());
    for (size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
      TensorInfo& tensor = file_.tensors_[i];
      if (start > size_ || tensor.offset > size_ - start || tensor.bytes > size_ - start - tensor.offset) {
        Refuse(Cat("the tensor ", Quote(tensor.name), " (", tensor.bytes, " bytes at offset ", tensor.offset,
                   ") runs past the end of the file"),
               tensor_at_[i]);
      }
      tensor.data = data_ + start + tensor.offset;
    }
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return file_.tensors_[a].offset < file_.tensors_[b].offset; });
    for (size_t i = 1; i < order.size(); ++i) {
      const TensorInfo &before = file_.tensors_[order[i - 1]], &after = file_.tensors_[order[i]];
      if (before.offset + before.bytes > after.offset) {
        Refuse(Cat("the tensors ", Quote(before.name), " and ", Quote(after.name), " overlap"), tensor_at_[order[i]]);
      }
    }
  }

  GgufFile& file_;
  const uint8_t* data_;
  uint64_t size_, at_ = 0;
  std::vector<uint64_t> tensor_at_;  // where each tensor's offset stands, for messages
};

std::shared_ptr<const GgufFile> GgufFile::Open(const std::string& path) {
  std::shared_ptr<GgufFile> file(new GgufFile());
  file->map_ = MappedFile::Open(path);
  GgufParser(file.get()).Parse();
  return file;
}

}  // namespace atelier::artefact
