// safetensors files: whatever the bytes, parsing throws Error or gives a file of which every byte can be read, and
// which is the same when it is written again.
#include <cstdint>

#include "artefact/safetensors.h"
#include "base/error.h"

using atelier::Error;
using namespace atelier::artefact;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  try {
    const auto file = SafetensorsFile::Parse(bytes, "fuzz");
    if (!SafetensorsFile::Recognise(bytes)) __builtin_trap();
    SafetensorsWriter writer;
    for (const auto& [key, value] : file->metadata()) writer.SetMetadata(key, value);
    uint64_t sum = 0;
    for (const SafeTensor& tensor : file->tensors()) {
      for (const char c : tensor.data) sum += static_cast<unsigned char>(c);
      if (file->Find(tensor.name) != &tensor) __builtin_trap();
      writer.Add(tensor.name, tensor.type, tensor.shape, tensor.data);
    }
    const std::string written = writer.ToBytes();
    const auto again = SafetensorsFile::Parse(written, "again");
    if (again->tensors().size() != file->tensors().size() || again->metadata() != file->metadata()) __builtin_trap();
    try {
      file->CheckSeal();
    } catch (const Error&) {
    }
    volatile uint64_t keep = sum;
    (void)keep;
  } catch (const Error&) {
  }
  return 0;
}
