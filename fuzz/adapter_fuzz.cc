// Adapters, as GGUF and as a folder of PEFT's: whatever the bytes, reading throws Error or gives an adapter whose
// numbers are finite and whose shapes are what they say; its manifest can be kept.
//
// The first byte says which: an even one a GGUF file; an odd one the configuration, up to a zero byte, then the
// tensors.
#include <unistd.h>

#include <cmath>
#include <cstdint>

#include "artefact/adapter.h"
#include "artefact/manifest.h"
#include "artefact/memory_file.h"
#include "artefact/model_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

using namespace atelier;

namespace {

void Check(const artefact::Adapter& adapter) {
  if (adapter.pairs.empty() || !(adapter.alpha > 0)) __builtin_trap();
  for (const artefact::LoraPair& pair : adapter.pairs) {
    if (pair.rank < 1 || std::ssize(pair.a) != pair.rank * pair.ins || std::ssize(pair.b) != pair.outs * pair.rank)
      __builtin_trap();
    for (const float value : pair.a) {
      if (!std::isfinite(value)) __builtin_trap();
    }
    if (!std::isfinite(adapter.scale(pair))) __builtin_trap();
  }
}

const std::string& Folder() {
  static const std::string folder = [] {
    std::string made = Cat("/tmp/adapter_fuzz_", ::getpid());
    MakeFolders(made);
    return made;
  }();
  return folder;
}

void Write(const std::string& name, std::string_view bytes) {
  FILE* file = std::fopen(Cat(Folder(), "/", name).c_str(), "wb");
  if (file == nullptr) return;
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 2 == 0) {
      const artefact::MemoryFile file{std::string(bytes)};
      Check(artefact::ReadAdapterGguf(file.path()));
      const Json json = ToJson(artefact::DescribeFile(file.path()));
      if (ToJson(artefact::ManifestFromJson(json, "fuzz")) != json) __builtin_trap();
    } else {
      const size_t end = std::min(bytes.find('\0'), bytes.size());
      Write("adapter_config.json", bytes.substr(0, end));
      Write("adapter_model.safetensors", bytes.substr(std::min(end + 1, bytes.size())));
      Check(artefact::ReadAdapterPeft(Folder(), "llama", data[0] % 4 == 1 ? 4 : 0));
    }
  } catch (const Error&) {
  }
  return 0;
}
