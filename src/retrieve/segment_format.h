// The numbers of the segment's format, shared by the writer and the reader; docs/formats/index.md. Do not change:
// persistent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace atelier::retrieve {

inline constexpr std::string_view kSegmentMagic("ATLRSEG\x01", 8);
inline constexpr uint32_t kSegmentVersion = 1;
inline constexpr size_t kSegmentHeader = 64;  // magic, version, sections, file size, hash of the table, zeros
inline constexpr size_t kSectionEntry = 32;   // kind u32, zero u32, offset u64, size u64, hash u64
inline constexpr size_t kSectionAlign = 64;
inline constexpr size_t kChunkRow = 32;
inline constexpr size_t kTermRow = 16;  // offset u64, count u32, impact f32
inline constexpr uint64_t kMostDocumentText = 256u << 20;

enum class SectionKind : uint32_t {
  kInfo = 1,  // documents u32, chunks u32, terms u32, dims u32, total length u64
  kIds = 2,   // strings, one per document, as the next ones
  kTitles = 3,
  kSources = 4,
  kLangs = 5,
  kHashes = 6,
  kFields = 7,       // a JSON object each
  kTexts = 8,        // offsets u64 [documents + 1], then a document's text and blocks as one zstd frame each
  kFirstChunks = 9,  // u32 [documents + 1]
  kChunks = 10,      // ChunkRow [chunks]
  kStrings = 11,     // heading paths and anchors
  kLengths = 12,     // u32 [chunks]
  kTerms = 13,       // strings, sorted by bytes
  kTermRows = 14,    // TermRow [terms]
  kPostings = 15,
  kColumns = 16,  // count u32, then each: name, values (strings), codes u32 [documents], all length-prefixed
  kVectors = 17,  // f32 [chunks][dims]
};

}  // namespace atelier::retrieve
