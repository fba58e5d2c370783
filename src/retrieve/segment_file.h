// Segments as files of an index's folder: what the reader and the writer of an index share.
#pragma once

#include <memory>
#include <string>

#include "retrieve/index.h"

namespace atelier::retrieve {

// XXH64 of a file's bytes, as 16 hex digits.
std::string Hash64Hex(const std::string& path);
// The same of a segment's header and table of sections, which hold the checksums of the rest.
std::string SegmentHash(std::string_view bytes);

// The analyzer that an index was made with.
Analyzer MakeAnalyzer(const IndexConfig& config, const WordsProvider& words);

// Opens a segment that a manifest names and holds it against its entry. Throws kNotFound, kCorrupt.
std::shared_ptr<const Segment> OpenSegment(const std::string& folder, const SegmentEntry& entry, int dims);

}  // namespace atelier::retrieve
