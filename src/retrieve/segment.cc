#include "retrieve/segment.h"

#include <zstd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "retrieve/segment_format.h"

namespace atelier::retrieve {
namespace {

template <typename T>
T Get(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

}  // namespace

void Segment::Corrupt(std::string_view why) const {
  throw Error(Code::kCorrupt, Cat(name_, ": ", why), "make the index anew: atelier index rm, then atelier index add");
}

std::shared_ptr<const Segment> Segment::Open(const std::string& path, bool verify) {
  std::shared_ptr<Segment> segment(new Segment);
  segment->name_ = path;
  segment->file_ = MappedFile::Open(path);
  segment->bytes_ = {reinterpret_cast<const char*>(segment->file_->data()), segment->file_->size()};
  segment->Parse(verify);
  return segment;
}

std::shared_ptr<const Segment> Segment::FromBytes(std::string bytes, const std::string& name, bool verify) {
  std::shared_ptr<Segment> segment(new Segment);
  segment->name_ = name;
  segment->owned_ = std::move(bytes);
  segment->bytes_ = segment->owned_;
  segment->Parse(verify);
  return segment;
}

Segment::Strings Segment::ReadStrings(std::string_view section, std::string_view what) const {
  Strings strings;
  if (section.size() < 8) Corrupt(Cat("the table of ", what, " is cut off"));
  strings.count = Get<uint32_t>(section, 0);
  const uint64_t offsets = (uint64_t{strings.count} + 1) * 4;
  if (offsets > section.size() - 4) Corrupt(Cat("the table of ", what, " is cut off"));
  strings.offsets = section.substr(4, offsets);
  strings.texts = section.substr(4 + offsets);
  uint32_t before = 0;
  for (size_t i = 0; i <= strings.count; ++i) {
    const uint32_t at = U32(strings.offsets, i);
    if (at < before || at > strings.texts.size()) Corrupt(Cat("the table of ", what, " leads out of itself"));
    before = at;
  }
  return strings;
}

void Segment::Parse(bool verify) {
  if (bytes_.size() < kSegmentHeader || !bytes_.starts_with(kSegmentMagic)) Corrupt("is not a part of an index");
  const auto version = Get<uint32_t>(bytes_, 8);
  if (version != kSegmentVersion) {
    throw Error(Code::kUnsupported, Cat(name_, ": is of version ", version, "; this program reads ", kSegmentVersion),
                "use the Atelier that made it, or make the index anew");
  }
  const auto count = Get<uint32_t>(bytes_, 12);
  if (Get<uint64_t>(bytes_, 16) != bytes_.size()) Corrupt("is not as long as it says: it was cut off or added to");
  const size_t table_bytes = (size_t{count} * kSectionEntry + kSectionAlign - 1) / kSectionAlign * kSectionAlign;
  if (count > 64 || kSegmentHeader + table_bytes > bytes_.size()) Corrupt("its table of sections is cut off");
  const std::string_view table = bytes_.substr(kSegmentHeader, table_bytes);
  if (verify && Hash64(table) != Get<uint64_t>(bytes_, 24)) Corrupt("its table of sections is damaged");
  std::vector<std::string_view> sections(64);
  for (size_t i = 0; i < count; ++i) {
    const auto kind = Get<uint32_t>(table, i * kSectionEntry);
    const auto offset = Get<uint64_t>(table, i * kSectionEntry + 8),
               size = Get<uint64_t>(table, i * kSectionEntry + 16);
    if (offset % kSectionAlign != 0 || offset > bytes_.size() || size > bytes_.size() - offset) {
      Corrupt(Cat("section ", kind, " leads out of the file"));
    }
    const std::string_view section = bytes_.substr(offset, size);
    if (verify && Hash64(section) != Get<uint64_t>(table, i * kSectionEntry + 24)) {
      Corrupt(Cat("section ", kind, " is damaged: its checksum differs"));
    }
    if (kind < sections.size()) sections[kind] = section;
  }
  const auto section = [&](SectionKind kind) { return sections[static_cast<size_t>(kind)]; };
  const auto expect = [&](std::string_view bytes, uint64_t size, std::string_view what) {
    if (bytes.size() != size) Corrupt(Cat("the section of ", what, " has another size than it should"));
    return bytes;
  };

  const std::string_view info = expect(section(SectionKind::kInfo), 48, "counts");
  documents_ = Get<uint32_t>(info, 0);
  chunks_ = Get<uint32_t>(info, 4);
  terms_ = Get<uint32_t>(info, 8);
  const auto dims = Get<uint32_t>(info, 12);
  total_length_ = Get<uint64_t>(info, 16);
  if (dims > 65536) Corrupt("its vectors are too wide");
  dims_ = static_cast<int>(dims);

  const auto strings = [&](SectionKind kind, uint32_t wanted, std::string_view what) {
    Strings read = ReadStrings(section(kind), what);
    if (read.count != wanted) Corrupt(Cat("the table of ", what, " has another size than it should"));
    return read;
  };
  id_ = strings(SectionKind::kIds, documents_, "documents");
  title_ = strings(SectionKind::kTitles, documents_, "titles");
  source_ = strings(SectionKind::kSources, documents_, "sources");
  lang_ = strings(SectionKind::kLangs, documents_, "languages");
  hash_ = strings(SectionKind::kHashes, documents_, "hashes");
  fields_ = strings(SectionKind::kFields, documents_, "fields");
  term_ = strings(SectionKind::kTerms, terms_, "terms");
  strings_ = ReadStrings(section(SectionKind::kStrings), "headings");

  const std::string_view texts = section(SectionKind::kTexts);
  const uint64_t offsets = (uint64_t{documents_} + 1) * 8;
  if (texts.size() < offsets) Corrupt("the section of texts is cut off");
  text_offsets_ = texts.substr(0, offsets);
  texts_ = texts.substr(offsets);
  uint64_t before = 0;
  for (size_t i = 0; i <= documents_; ++i) {
    const auto at = Get<uint64_t>(text_offsets_, i * 8);
    if (at < before || at > texts_.size()) Corrupt("the section of texts leads out of itself");
    before = at;
  }

  first_chunk_ = expect(section(SectionKind::kFirstChunks), (uint64_t{documents_} + 1) * 4, "documents' chunks");
  uint32_t first = 0;
  for (size_t i = 0; i <= documents_; ++i) {
    const uint32_t at = U32(first_chunk_, i);
    if (at < first || at > chunks_ || (i == 0 && at != 0) || (i == documents_ && at != chunks_)) {
      Corrupt("the documents' chunks are not in order");
    }
    first = at;
  }
  chunk_rows_ = expect(section(SectionKind::kChunks), uint64_t{chunks_} * kChunkRow, "chunks");
  lengths_ = expect(section(SectionKind::kLengths), uint64_t{chunks_} * 4, "lengths");
  for (uint32_t document = 0; document < documents_; ++document) {
    for (uint32_t i = first_chunk(document); i < first_chunk(document + 1); ++i) {
      const ChunkRow row = chunk(i);
      if (row.document != document || row.begin > row.end || row.begin_char > row.end_char ||
          row.headings >= strings_.count || row.anchor >= strings_.count) {
        Corrupt(Cat("chunk ", i, " is damaged"));
      }
    }
  }
  term_rows_ = expect(section(SectionKind::kTermRows), uint64_t{terms_} * kTermRow, "lists");
  postings_ = section(SectionKind::kPostings);
  for (size_t i = 0; i < terms_; ++i) {
    const auto at = Get<uint64_t>(term_rows_, i * kTermRow);
    if (at > postings_.size() || Get<uint32_t>(term_rows_, i * kTermRow + 8) > chunks_) {
      Corrupt("a list of occurrences leads out of the file");
    }
  }
  vectors_ = expect(section(SectionKind::kVectors), uint64_t{chunks_} * dims * sizeof(float), "vectors");

  // Columns: every part behind its length.
  std::string_view rest = section(SectionKind::kColumns);
  const auto take = [&](size_t size) {
    if (size > rest.size()) Corrupt("the section of fields is cut off");
    const std::string_view part = rest.substr(0, size);
    rest.remove_prefix(size);
    return part;
  };
  const auto take_sized = [&] { return take(Get<uint32_t>(take(4), 0)); };
  const auto columns = Get<uint32_t>(take(4), 0);
  for (uint32_t i = 0; i < columns; ++i) {
    Column column;
    column.name = std::string(take_sized());
    const Strings values = ReadStrings(take_sized(), "values");
    column.values = values.count;
    column.offsets = values.offsets;
    column.texts = values.texts;
    column.codes = expect(take_sized(), uint64_t{documents_} * 4, "values");
    for (uint32_t document = 0; document < documents_; ++document) {
      const uint32_t code = column_code(column, document);
      if (code != kNoChunk && code >= column.values) Corrupt(Cat("the field ", Quote(column.name), " is damaged"));
    }
    columns_.push_back(std::move(column));
  }
}

ChunkRow Segment::chunk(uint32_t chunk) const {
  ChunkRow row;
  static_assert(sizeof(ChunkRow) == kChunkRow);
  std::memcpy(&row, chunk_rows_.data() + size_t{chunk} * kChunkRow, kChunkRow);
  return row;
}

Json Segment::document_fields(uint32_t document) const {
  try {
    return ParseJson(String(fields_, document), Cat(name_, ": fields of document ", document), 8);
  } catch (const Error& e) {
    Corrupt(e.what());
  }
}

std::string Segment::Record(uint32_t document) const {
  const auto from = Get<uint64_t>(text_offsets_, size_t{document} * 8);
  const std::string_view frame = texts_.substr(from, Get<uint64_t>(text_offsets_, (size_t{document} + 1) * 8) - from);
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMostDocumentText || size < 4) {
    Corrupt(Cat("the text of document ", document, " is damaged"));
  }
  std::string record(size, '\0');
  const size_t got = ZSTD_decompress(record.data(), record.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0 || got != size) Corrupt(Cat("the text of document ", document, " is damaged"));
  return record;
}

Document Segment::document(uint32_t document) const {
  Document out;
  out.id = document_id(document);
  out.title = document_title(document);
  out.source = document_source(document);
  out.lang = document_lang(document);
  out.fields = document_fields(document);
  const std::string record = Record(document);
  const std::string_view bytes = record;
  const auto count = Get<uint32_t>(bytes, 0);
  size_t at = 4;
  for (uint32_t i = 0; i < count; ++i) {
    if (bytes.size() - at < 12) Corrupt(Cat("the blocks of document ", document, " are cut off"));
    Block block;
    if (static_cast<uint8_t>(bytes[at]) > static_cast<uint8_t>(BlockKind::kCode)) Corrupt("a block of no known kind");
    block.kind = static_cast<BlockKind>(bytes[at]);
    block.level = static_cast<uint8_t>(bytes[at + 1]);
    block.begin = Get<uint32_t>(bytes, at + 2);
    block.end = Get<uint32_t>(bytes, at + 6);
    const size_t anchor = Get<uint16_t>(bytes, at + 10);
    at += 12;
    if (anchor > bytes.size() - at) Corrupt(Cat("the blocks of document ", document, " are cut off"));
    block.anchor = bytes.substr(at, anchor);
    at += anchor;
    out.blocks.push_back(std::move(block));
  }
  out.text = bytes.substr(at);
  for (const Block& block : out.blocks) {
    if (block.begin > block.end || block.end > out.text.size()) Corrupt("a block that leads out of its text");
  }
  for (uint32_t i = first_chunk(document); i < first_chunk(document + 1); ++i) {
    if (chunk(i).end > out.text.size()) Corrupt(Cat("chunk ", i, " leads out of its text"));
  }
  return out;
}

// As document(), without making its blocks: a search does it for every hit.
std::string Segment::document_text(uint32_t document) const {
  std::string record = Record(document);
  const auto count = Get<uint32_t>(record, 0);
  size_t at = 4;
  for (uint32_t i = 0; i < count; ++i) {
    if (record.size() - at < 12) Corrupt(Cat("the blocks of document ", document, " are cut off"));
    const size_t anchor = Get<uint16_t>(record, at + 10);
    at += 12;
    if (anchor > record.size() - at) Corrupt(Cat("the blocks of document ", document, " are cut off"));
    at += anchor;
  }
  record.erase(0, at);
  for (uint32_t i = first_chunk(document); i < first_chunk(document + 1); ++i) {
    if (chunk(i).end > record.size()) Corrupt(Cat("chunk ", i, " leads out of its text"));
  }
  return record;
}

PostingsReader Segment::Postings(std::string_view term) const {
  uint32_t low = 0, high = terms_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (String(term_, middle) < term) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == terms_ || String(term_, low) != term) return {};
  const size_t at = size_t{low} * kTermRow;
  return {postings_.substr(Get<uint64_t>(term_rows_, at)), Get<uint32_t>(term_rows_, at + 8), chunks_,
          Get<float>(term_rows_, at + 12)};
}

}  // namespace atelier::retrieve
