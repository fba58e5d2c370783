// GGUF files: whatever the bytes, opening throws Error or gives a file of which everything can be used.
#include <cstdint>

#include "artefact/gguf.h"
#include "artefact/manifest.h"
#include "artefact/memory_file.h"
#include "base/error.h"

using atelier::Error;
using namespace atelier::artefact;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const MemoryFile bytes({reinterpret_cast<const char*>(data), size});
  try {
    const auto file = GgufFile::Open(bytes.path());
    uint64_t sum = 0;
    for (const std::string& key : file->Keys()) {
      sum += atelier::ToText(file->ToJson(key)).size();
      if (const auto bytes = file->Encoded(key); !bytes.empty()) sum += static_cast<uint8_t>(bytes.back());
      try {
        sum += file->Strings(key).size();
      } catch (const Error&) {
      }
      try {
        sum += file->Ints(key).size();
      } catch (const Error&) {
      }
      try {
        sum += file->Floats(key).size();
      } catch (const Error&) {
      }
    }
    for (const TensorInfo& tensor : file->tensors()) {
      sum += tensor.data[0] + tensor.data[tensor.bytes - 1];
      if (file->Find(tensor.name) != &tensor) __builtin_trap();
    }
    const Manifest described = Describe(*file);
    const atelier::Json json = ToJson(described);
    if (ToJson(ManifestFromJson(json, "fuzz")) != json) __builtin_trap();
    volatile uint64_t keep = sum;
    (void)keep;
  } catch (const Error&) {
  }
  return 0;
}
