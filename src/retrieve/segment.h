// One part of an index: documents, their chunks, postings and vectors in one file that never changes. The format is
// docs/formats/index.md.
//
// A reader checks the file's checksums and every size and number in it once, when it opens; whatever the bytes are,
// nothing outside of the file is read afterwards. Any number of threads may read one segment.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "retrieve/analysis.h"
#include "retrieve/chunk.h"
#include "retrieve/document.h"
#include "retrieve/postings.h"

namespace atelier::retrieve {

struct Bm25Options {
  double k1 = 1.2;              // how fast further occurrences count less
  double b = 0.75;              // how much a long chunk is held against it: 0 not at all, 1 in proportion
  double heading_weight = 2.0;  // a term of the heading path counts as so many; whole numbers are kept exactly
};

// A chunk as it is stored.
struct ChunkRow {
  uint32_t document = 0;
  uint32_t begin = 0, end = 0;            // bytes in the document's text
  uint32_t begin_char = 0, end_char = 0;  // code points
  uint32_t headings = 0, anchor = 0;      // in the table of strings
  uint32_t length = 0;                    // terms, headings with their weight
};

struct SegmentInput {
  const Document* document;
  std::vector<Chunk> chunks;
  std::vector<float> vectors;  // [chunks][dims], or empty in all
};

// The bytes of a segment. REQUIRES: documents of at most 4 GiB together with fewer than 2^32 - 1 chunks.
std::string BuildSegment(std::span<const SegmentInput> inputs, const Analyzer& analyzer, const Bm25Options& bm25,
                         int dims);

class Segment {
 public:
  // Throws Error(kCorrupt) that names the file. `verify`: hold the sections against their checksums (a fuzzer does
  // not).
  static std::shared_ptr<const Segment> Open(const std::string& path, bool verify = true);
  static std::shared_ptr<const Segment> FromBytes(std::string bytes, const std::string& name, bool verify = true);

  uint32_t documents() const { return documents_; }
  uint32_t chunks() const { return chunks_; }
  int dims() const { return dims_; }  // 0: no vectors
  uint64_t bytes() const { return bytes_.size(); }
  uint64_t total_length() const { return total_length_; }  // of all chunks, in terms

  std::string_view document_id(uint32_t document) const { return String(id_, document); }
  std::string_view document_title(uint32_t document) const { return String(title_, document); }
  std::string_view document_source(uint32_t document) const { return String(source_, document); }
  std::string_view document_lang(uint32_t document) const { return String(lang_, document); }
  std::string_view document_hash(uint32_t document) const { return String(hash_, document); }
  Json document_fields(uint32_t document) const;
  // The whole text, decompressed. Throws Error(kCorrupt).
  std::string document_text(uint32_t document) const;
  // Everything that was put in, but for the chunks: what a merge reads.
  Document document(uint32_t document) const;

  ChunkRow chunk(uint32_t chunk) const;
  std::string_view headings(const ChunkRow& row) const { return String(strings_, row.headings); }
  std::string_view anchor(const ChunkRow& row) const { return String(strings_, row.anchor); }
  // The chunks of a document: [first, first of the next).
  uint32_t first_chunk(uint32_t document) const { return U32(first_chunk_, document); }

  // The postings of a term; a reader of none where it does not occur.
  PostingsReader Postings(std::string_view term) const;
  uint32_t lengths(uint32_t chunk) const { return U32(lengths_, chunk); }

  const float* vectors() const { return reinterpret_cast<const float*>(vectors_.data()); }  // [chunks][dims]

  // Metadata by field: the code of a document's value, kNoChunk where it has none.
  struct Column {
    std::string name;
    uint32_t values = 0;
    std::string_view offsets, texts, codes;
  };
  const std::vector<Column>& columns() const { return columns_; }
  uint32_t column_code(const Column& column, uint32_t document) const { return U32(column.codes, document); }
  std::string_view column_value(const Column& column, uint32_t code) const {
    return Slice(column.offsets, column.texts, code);
  }

 private:
  std::string Record(uint32_t document) const;  // blocks and text, decompressed
  struct Strings {
    uint32_t count = 0;
    std::string_view offsets, texts;
  };
  Segment() = default;
  void Parse(bool verify);
  Strings ReadStrings(std::string_view section, std::string_view what) const;
  [[noreturn]] void Corrupt(std::string_view why) const;
  static uint32_t U32(std::string_view bytes, size_t at) {
    uint32_t value;
    std::memcpy(&value, bytes.data() + at * 4, 4);
    return value;
  }
  static std::string_view Slice(std::string_view offsets, std::string_view texts, uint32_t at) {
    const uint32_t from = U32(offsets, at);
    return texts.substr(from, U32(offsets, size_t{at} + 1) - from);
  }
  static std::string_view String(const Strings& strings, uint32_t at) {
    return Slice(strings.offsets, strings.texts, at);
  }

  std::string name_, owned_;
  std::shared_ptr<const MappedFile> file_;
  std::string_view bytes_;
  uint32_t documents_ = 0, chunks_ = 0, terms_ = 0;
  int dims_ = 0;
  uint64_t total_length_ = 0;
  Strings id_, title_, source_, lang_, hash_, fields_, strings_, term_;
  std::string_view text_offsets_, texts_, first_chunk_, chunk_rows_, lengths_, term_rows_, postings_, vectors_;
  std::vector<Column> columns_;
};

}  // namespace atelier::retrieve
