#include "train/checkpoint.h"

#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/str.h"
#include "model/tensor_bytes.h"

namespace atelier::train {
namespace {

constexpr char kVersion[] = "1";

}  // namespace

void Checkpoint::Save(const std::string& path) const {
  artefact::SafetensorsWriter writer;
  for (const auto& [name, tensor] : tensors) model::AddTensor(name, tensor, &writer);
  for (const auto& [key, value] : about.Metadata()) writer.SetMetadata(key, value);
  writer.SetMetadata("atelier.checkpoint", kVersion);
  writer.SetMetadata("state", ToText(state));
  writer.Seal();
  writer.Write(path);
}

Checkpoint Checkpoint::Load(const std::string& path) {
  const auto file = artefact::SafetensorsFile::Open(path);
  const auto said = [&](const char* key) -> const std::string& {
    const auto it = file->metadata().find(key);
    if (it == file->metadata().end()) throw Error(Code::kCorrupt, Cat(path, ": is no checkpoint of a run: no ", key));
    return it->second;
  };
  if (said("atelier.checkpoint") != kVersion) {
    throw Error(Code::kUnsupported, Cat(path, ": a checkpoint of version ", Quote(said("atelier.checkpoint"))),
                "this build reads version 1");
  }
  said("xxh64");  // without it anything passes
  try {
    file->CheckSeal();
  } catch (const Error& error) {
    throw Error(error.code(), error.what(), "go on from another checkpoint of the run");
  }
  Checkpoint checkpoint;
  for (const artefact::SafeTensor& tensor : file->tensors()) {
    try {
      checkpoint.tensors[tensor.name] = model::ToTensor(tensor);
    } catch (const Error& error) {
      throw error.Within(path);
    }
  }
  checkpoint.state = ParseJson(said("state"), path);
  checkpoint.about = model::ReadAbout(*file);
  return checkpoint;
}

}  // namespace atelier::train
