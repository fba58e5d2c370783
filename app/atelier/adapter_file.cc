#include "app/atelier/adapter_file.h"

#include "base/file.h"
#include "runtime/arch/arch.h"

namespace atelier::app {

bool IsPeftFolder(const std::string& path) { return FileExists(path + "/adapter_config.json"); }

artefact::Adapter ReadAdapter(const std::string& path, const artefact::GgufFile& base) {
  if (!FolderExists(path)) return artefact::ReadAdapterGguf(path);
  const runtime::DecoderSpec spec = runtime::ReadSpec(base);
  return artefact::ReadAdapterPeft(path, spec.architecture, spec.ropes[0].interleaved ? spec.head_dim : 0);
}

}  // namespace atelier::app
