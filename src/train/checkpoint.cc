#include "train/checkpoint.h"

#include <cstring>

#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/str.h"

namespace atelier::train {
namespace {

using artefact::ScalarType;

constexpr char kVersion[] = "1";

std::pair<torch::ScalarType, ScalarType> kTypes[] = {
    {torch::kFloat32, ScalarType::kF32}, {torch::kFloat64, ScalarType::kF64}, {torch::kBFloat16, ScalarType::kBf16},
    {torch::kInt64, ScalarType::kI64},   {torch::kUInt8, ScalarType::kU8},
};

}  // namespace

void Checkpoint::Save(const std::string& path) const {
  artefact::SafetensorsWriter writer;
  for (const auto& [name, tensor] : tensors) {
    const std::string_view data{static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
    ScalarType type = ScalarType::kF32;
    for (const auto& [torch_type, our_type] : kTypes) {
      if (torch_type == tensor.scalar_type()) type = our_type;
    }
    writer.Add(name, type, tensor.sizes().vec(), data);
  }
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
    const auto* type =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.second == tensor.type; });
    if (type == std::end(kTypes))
      throw Error(Code::kCorrupt, Cat(path, ": tensor ", Quote(tensor.name), " is of a type no run writes"));
    const torch::Tensor copy = torch::empty(tensor.shape, type->first);
    std::memcpy(copy.data_ptr(), tensor.data.data(), tensor.data.size());
    checkpoint.tensors[tensor.name] = copy;
  }
  checkpoint.state = ParseJson(said("state"), path);
  checkpoint.about = model::ReadAbout(*file);
  return checkpoint;
}

}  // namespace atelier::train
