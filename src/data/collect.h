// Objects that nothing refers to any more: pictures and sound whose last version was removed, and what a killed import
// had put there.
//
// A text of 64 hex digits that names an object is a reference, in any field of any record of any version, and in any
// row of the studio's database: a reference is never overlooked, at the price of an object that is kept for a text that
// only looks like one. Nobody else may be at work on datasets meanwhile (store/data_use.h).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "data/dataset.h"
#include "store/studio.h"

namespace atelier::data {

struct Collected {
  bool busy = false;  // somebody was at work, so nothing was looked at
  uint64_t objects = 0, bytes = 0;
  uint64_t kept = 0;  // candidates that something refers to
};

// Those of `hashes` that the text names, as they stand or as the path of an object.
std::set<std::string> NamedIn(std::string_view text, const std::set<std::string>& hashes);

// The studio's objects that these versions name. Nothing is locked.
std::set<std::string> ObjectsOf(store::Studio& studio, const Datasets& datasets, const DatasetRef& ref);

// Removes those of `candidates` that nothing refers to; `dry`: only counts them. Killed at any moment it leaves objects
// that the next one collects. Throws, with nothing removed, where a version cannot be read: what it refers to is not
// known.
Collected Collect(store::Studio& studio, const Datasets& datasets, std::set<std::string> candidates, bool dry = false,
                  const ProgressFn& progress = {});
// The same for all objects, and half-written ones of the dead.
Collected CollectAll(store::Studio& studio, const Datasets& datasets, bool dry = false,
                     const ProgressFn& progress = {});

}  // namespace atelier::data
