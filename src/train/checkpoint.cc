#include "train/checkpoint.h"

#include <cinttypes>
#include <cstring>

#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::train {
namespace {

using artefact::ScalarType;

constexpr char kVersion[] = "1";

std::pair<torch::ScalarType, ScalarType> kTypes[] = {
    {torch::kFloat32, ScalarType::kF32}, {torch::kFloat64, ScalarType::kF64}, {torch::kBFloat16, ScalarType::kBf16},
    {torch::kInt64, ScalarType::kI64},   {torch::kUInt8, ScalarType::kU8},
};

// One number over names and bytes of all tensors and both texts.
std::string HashOf(const std::map<std::string, std::string_view>& tensors, const std::string& state,
                   const std::string& config) {
  uint64_t hash = Hash64(config, Hash64(state));
  for (const auto& [name, bytes] : tensors) hash = Hash64(bytes, Hash64(name, hash));
  char text[17];
  std::snprintf(text, sizeof(text), "%016" PRIx64, hash);
  return text;
}

}  // namespace

void Checkpoint::Save(const std::string& path) const {
  artefact::SafetensorsWriter writer;
  std::map<std::string, std::string_view> bytes;
  for (const auto& [name, tensor] : tensors) {
    const std::string_view data{static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
    ScalarType type = ScalarType::kF32;
    for (const auto& [torch_type, our_type] : kTypes) {
      if (torch_type == tensor.scalar_type()) type = our_type;
    }
    writer.Add(name, type, tensor.sizes().vec(), data);
    bytes[name] = data;
  }
  const std::string text = ToText(state);
  writer.SetMetadata("format", "pt");
  writer.SetMetadata("atelier.checkpoint", kVersion);
  writer.SetMetadata("state", text);
  writer.SetMetadata("config", config);
  writer.SetMetadata("xxh64", HashOf(bytes, text, config));
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
  Checkpoint checkpoint;
  std::map<std::string, std::string_view> bytes;
  for (const artefact::SafeTensor& tensor : file->tensors()) {
    bytes[tensor.name] = tensor.data;
    const auto* type =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.second == tensor.type; });
    if (type == std::end(kTypes))
      throw Error(Code::kCorrupt, Cat(path, ": tensor ", Quote(tensor.name), " is of a type no run writes"));
    const torch::Tensor copy = torch::empty(tensor.shape, type->first);
    std::memcpy(copy.data_ptr(), tensor.data.data(), tensor.data.size());
    checkpoint.tensors[tensor.name] = copy;
  }
  if (HashOf(bytes, said("state"), said("config")) != said("xxh64")) {
    throw Error(Code::kCorrupt, Cat(path, ": its bytes are not those that were written"),
                "go on from another checkpoint of the run");
  }
  checkpoint.state = ParseJson(said("state"), path);
  checkpoint.config = said("config");
  return checkpoint;
}

}  // namespace atelier::train
