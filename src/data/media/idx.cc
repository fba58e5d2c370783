#include "data/media/idx.h"

#include "base/error.h"
#include "base/str.h"
#include "data/media/picture_bytes.h"

namespace atelier::data {
namespace {

constexpr uint8_t kUnsignedByte = 8;

}  // namespace

bool IsIdx(std::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && static_cast<uint8_t>(bytes[2]) == kUnsignedByte &&
         bytes[3] >= 1 && bytes[3] <= 4;
}

IdxArray ParseIdx(std::string_view bytes, const std::string& name) {
  if (bytes.starts_with("\x1f\x8b")) {
    throw Error(Code::kUnsupported, Cat(name, ": is packed by gzip"), Cat("unpack it: gunzip ", name));
  }
  if (bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && !IsIdx(bytes)) {
    throw Error(Code::kUnsupported,
                Cat(name, ": an IDX file of type ", static_cast<int>(static_cast<uint8_t>(bytes[2])), " with ",
                    static_cast<int>(static_cast<uint8_t>(bytes[3])), " dimensions"),
                "unsigned bytes (type 8) in 1 to 4 dimensions are read, as MNIST has them");
  }
  if (!IsIdx(bytes)) throw Error(Code::kInvalidInput, Cat(name, ": is no IDX file"));
  IdxArray array;
  const auto dimensions = static_cast<size_t>(bytes[3]);
  const size_t head = 4 + 4 * dimensions;
  if (bytes.size() < head) throw Error(Code::kInvalidInput, Cat(name, ": ends within its head"));
  const uint64_t present = bytes.size() - head;
  uint64_t count = 1;
  for (size_t i = 0; i < dimensions; ++i) {
    const uint32_t size = NumberAt(bytes, 4 + 4 * i, 4, /*big=*/true);
    if (size == 0) throw Error(Code::kInvalidInput, Cat(name, ": dimension ", i + 1, " is 0"));
    if (count > present / size) {
      throw Error(Code::kInvalidInput, Cat(name, ": its head promises more values than the ", present, " that follow"));
    }
    count *= size;
    array.shape.push_back(size);
  }
  if (count != present) {
    throw Error(Code::kInvalidInput, Cat(name, ": its head promises ", count, " values, ", present, " follow"));
  }
  array.values = bytes.substr(head);
  return array;
}

}  // namespace atelier::data
