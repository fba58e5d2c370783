// The kinds of files that hold a model: GGUF for language models and encoders, the segmenter's own format
// (docs/formats/segmenter.md), safetensors for what was trained here and runs on LibTorch alone
// (docs/formats/model_file.md), and rankers (ranker_file.h). What the registry and pull ask of a file is answered here
// for all of them.
#pragma once

#include <string>
#include <string_view>

#include "artefact/manifest.h"

namespace atelier::artefact {

// Endings of model files in the user's store, the usual one first.
inline constexpr std::string_view kModelEndings[] = {".gguf", ".seg", ".safetensors", ".ranker"};

// The ending for the file at `path`, by what it begins with; ".gguf" for what is not known.
std::string_view EndingOf(const std::string& path);

// The architecture that the manifest of an adapter (adapter.h) has; config.adapts is that of its models.
inline constexpr char kAdapterArchitecture[] = "adapter";

// What the file says of itself; all of it is read and checked. Throws kCorrupt and kUnsupported.
Manifest DescribeFile(const std::string& path);
// As DescribeFile, and also that this build can compute with it.
void CheckFile(const std::string& path);

}  // namespace atelier::artefact
