// config.json of a language model's folder: whatever it says, reading throws Error or gives a configuration that can be
// written down and computed with.
#include <cmath>
#include <cstdint>

#include "artefact/gguf.h"
#include "artefact/hf_config.h"
#include "artefact/memory_file.h"
#include "base/error.h"

using namespace atelier::artefact;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const atelier::Json json = atelier::ParseJson({reinterpret_cast<const char*>(data), size}, "fuzz");
    const HfConfig config = ReadHfConfig(json, "fuzz");
    if (config.heads % config.kv_heads != 0 || config.layers < 1 || config.window_period < 0) __builtin_trap();
    for (const float divisor : RopeDivisors(config)) {
      if (!(divisor > 0) || std::isinf(divisor)) __builtin_trap();
    }
    GgufWriter writer;
    SetHfConfig(config, &writer);
    const MemoryFile bytes(writer.ToBytes());
    const auto file = GgufFile::Open(bytes.path());
    for (const std::string& key : file->Keys()) {
      if (file->Type(key) == GgufType::kFloat32 && !std::isfinite(file->Float(key))) __builtin_trap();
    }
  } catch (const atelier::Error&) {
  }
  return 0;
}
