// Bytes as an IDX file (MNIST's format): what is read has as many values as its shape says, all of them in the bytes.
#include <cstdlib>

#include "base/error.h"
#include "data/media/idx.h"

using namespace atelier;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const data::IdxArray array = data::ParseIdx(bytes, "fuzz.idx");
    if (!data::IsIdx(bytes) || array.shape.empty() || array.shape.size() > 4) std::abort();
    uint64_t count = 1;
    for (const uint32_t one : array.shape) count *= one;
    if (count != array.values.size() || count == 0) std::abort();
    uint64_t sum = 0;
    for (const char value : array.values) sum += static_cast<uint8_t>(value);
    if (sum > 255 * count) std::abort();
  } catch (const Error& e) {
    if (e.code() == Code::kInternal || e.Line().find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
