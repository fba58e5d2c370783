#include <zstd.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "retrieve/bm25.h"
#include "retrieve/segment.h"
#include "retrieve/segment_format.h"

namespace atelier::retrieve {
namespace {

template <typename T>
void Append(std::string* out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

uint32_t Checked(size_t size) {
  if (size > 0xFFFFFFFF) {
    throw Error(Code::kResourceExhausted, "a part of an index with more than 4 GiB of one kind",
                "add fewer documents at a time");
  }
  return static_cast<uint32_t>(size);
}

// count u32, offsets u32 [count + 1], bytes.
std::string StringsSection(const std::vector<std::string_view>& strings) {
  std::string out;
  Append<uint32_t>(&out, Checked(strings.size()));
  uint64_t at = 0;
  for (const std::string_view text : strings) {
    Append<uint32_t>(&out, Checked(at));
    at += text.size();
  }
  Append<uint32_t>(&out, Checked(at));
  for (const std::string_view text : strings) out += text;
  return out;
}

std::string Compress(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  if (ZSTD_isError(size) != 0) throw Error(Code::kInternal, Cat("zstd: ", ZSTD_getErrorName(size)));
  out.resize(size);
  return out;
}

// kind u8, level u8, begin u32, end u32, anchor u16 + bytes; then the text.
std::string TextRecord(const Document& document) {
  std::string out;
  Append<uint32_t>(&out, Checked(document.blocks.size()));
  for (const Block& block : document.blocks) {
    out.push_back(static_cast<char>(block.kind));
    out.push_back(static_cast<char>(block.level));
    Append<uint32_t>(&out, Checked(block.begin));
    Append<uint32_t>(&out, Checked(block.end));
    const std::string_view anchor = std::string_view(block.anchor).substr(0, 0xFFFF);
    Append<uint16_t>(&out, static_cast<uint16_t>(anchor.size()));
    out += anchor;
  }
  out += document.text;
  return out;
}

std::string ColumnsSection(std::span<const SegmentInput> inputs) {
  std::map<std::string, std::vector<std::string>> columns;  // by field, one value per document, "" none
  const auto set = [&](const std::string& name, size_t document, std::string value) {
    auto& values = columns[name];
    values.resize(inputs.size());
    values[document] = std::move(value);
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Document& document = *inputs[i].document;
    for (const auto& [name, value] : document.fields.items()) {
      set(name, i, value.is_string() ? value.get<std::string>() : ToText(value));
    }
    set("id", i, document.id);
    if (!document.lang.empty()) set("lang", i, document.lang);
    if (!document.source.empty()) set("source", i, document.source);
  }
  std::string out;
  Append<uint32_t>(&out, Checked(columns.size()));
  const auto put_sized = [&](std::string_view bytes) {
    Append<uint32_t>(&out, Checked(bytes.size()));
    out += bytes;
  };
  for (const auto& [name, values] : columns) {
    std::map<std::string_view, uint32_t> codes;
    for (const std::string& value : values) {
      if (!value.empty()) codes.emplace(value, 0);
    }
    std::vector<std::string_view> sorted;
    for (auto& [value, code] : codes) {
      code = static_cast<uint32_t>(sorted.size());
      sorted.push_back(value);
    }
    std::string rows;
    for (const std::string& value : values) Append<uint32_t>(&rows, value.empty() ? kNoChunk : codes.at(value));
    put_sized(name);
    put_sized(StringsSection(sorted));
    put_sized(rows);
  }
  return out;
}

}  // namespace

std::string BuildSegment(std::span<const SegmentInput> inputs, const Analyzer& analyzer, const Bm25Options& bm25,
                         int dims) {
  std::unordered_map<std::string, std::vector<Posting>> terms;
  std::unordered_map<std::string, uint32_t> string_numbers;
  std::vector<std::string> strings;
  const auto number = [&](const std::string& text) {
    const auto [at, added] = string_numbers.try_emplace(text, static_cast<uint32_t>(strings.size()));
    if (added) strings.push_back(text);
    return at->second;
  };
  std::string rows, lengths_bytes, first_chunks, vectors;
  std::vector<uint32_t> lengths;
  uint64_t total_length = 0;
  std::vector<Term> found;
  std::unordered_map<std::string, uint32_t> counts;
  const auto heading_weight = static_cast<uint32_t>(bm25.heading_weight);
  for (size_t document = 0; document < inputs.size(); ++document) {
    const SegmentInput& input = inputs[document];
    Append<uint32_t>(&first_chunks, Checked(lengths.size()));
    Checked(input.document->text.size());
    for (const Chunk& chunk : input.chunks) {
      counts.clear();
      found.clear();
      analyzer.Analyze(std::string_view(input.document->text).substr(chunk.begin, chunk.end - chunk.begin), &found);
      uint64_t length = found.size();
      for (Term& term : found) ++counts[std::move(term.text)];
      if (heading_weight > 0) {
        found.clear();
        analyzer.Analyze(chunk.headings, &found);
        length += found.size() * heading_weight;
        for (Term& term : found) counts[std::move(term.text)] += heading_weight;
      }
      const auto id = static_cast<uint32_t>(lengths.size());
      for (const auto& [term, count] : counts) terms[term].push_back({id, count});
      lengths.push_back(Checked(length));
      total_length += length;
      for (const size_t value : {document, chunk.begin, chunk.end, chunk.begin_char, chunk.end_char}) {
        Append<uint32_t>(&rows, Checked(value));
      }
      Append<uint32_t>(&rows, number(chunk.headings));
      Append<uint32_t>(&rows, number(chunk.anchor));
      Append<uint32_t>(&rows, lengths.back());
      Append<uint32_t>(&lengths_bytes, lengths.back());
    }
    vectors.append(reinterpret_cast<const char*>(input.vectors.data()), input.vectors.size() * sizeof(float));
  }
  Append<uint32_t>(&first_chunks, Checked(lengths.size()));

  std::vector<std::string_view> sorted;
  sorted.reserve(terms.size());
  for (const auto& [term, postings] : terms) sorted.push_back(term);
  std::sort(sorted.begin(), sorted.end());
  const double average =
      lengths.empty() ? 1 : std::max(1.0, static_cast<double>(total_length) / static_cast<double>(lengths.size()));
  std::string term_rows, postings_bytes;
  std::vector<float> impacts;
  for (const std::string_view term : sorted) {
    const std::vector<Posting>& postings = terms.at(std::string(term));
    impacts.clear();
    float most = 0;
    for (const Posting& posting : postings) {
      impacts.push_back(Impact(posting.count, LengthTerm(bm25, lengths[posting.chunk], average)));
      most = std::max(most, impacts.back());
    }
    Append<uint64_t>(&term_rows, postings_bytes.size());
    Append<uint32_t>(&term_rows, Checked(postings.size()));
    Append<float>(&term_rows, most);
    EncodePostings(postings, impacts, &postings_bytes);
  }

  std::string info;
  Append<uint32_t>(&info, Checked(inputs.size()));
  Append<uint32_t>(&info, Checked(lengths.size()));
  Append<uint32_t>(&info, Checked(sorted.size()));
  Append<uint32_t>(&info, vectors.empty() ? 0 : static_cast<uint32_t>(dims));
  Append<uint64_t>(&info, total_length);
  Append<double>(&info, average);
  Append<double>(&info, bm25.k1);
  Append<double>(&info, bm25.b);

  std::vector<std::string> hashes, fields;
  std::vector<std::string_view> ids, titles, sources, langs, hash_views, field_views;
  std::string text_offsets, text_bytes;
  for (const SegmentInput& input : inputs) {
    const Document& document = *input.document;
    hashes.push_back(DocumentHash(document));
    fields.push_back(ToText(document.fields));
    ids.push_back(document.id);
    titles.push_back(document.title);
    sources.push_back(document.source);
    langs.push_back(document.lang);
    Append<uint64_t>(&text_offsets, text_bytes.size());
    text_bytes += Compress(TextRecord(document));
  }
  Append<uint64_t>(&text_offsets, text_bytes.size());
  for (const std::string& hash : hashes) hash_views.push_back(hash);
  for (const std::string& field : fields) field_views.push_back(field);
  std::vector<std::string_view> string_views(strings.begin(), strings.end());

  std::vector<std::pair<SectionKind, std::string>> sections;
  sections.emplace_back(SectionKind::kInfo, std::move(info));
  sections.emplace_back(SectionKind::kIds, StringsSection(ids));
  sections.emplace_back(SectionKind::kTitles, StringsSection(titles));
  sections.emplace_back(SectionKind::kSources, StringsSection(sources));
  sections.emplace_back(SectionKind::kLangs, StringsSection(langs));
  sections.emplace_back(SectionKind::kHashes, StringsSection(hash_views));
  sections.emplace_back(SectionKind::kFields, StringsSection(field_views));
  sections.emplace_back(SectionKind::kTexts, text_offsets + text_bytes);
  sections.emplace_back(SectionKind::kFirstChunks, std::move(first_chunks));
  sections.emplace_back(SectionKind::kChunks, std::move(rows));
  sections.emplace_back(SectionKind::kStrings, StringsSection(string_views));
  sections.emplace_back(SectionKind::kLengths, std::move(lengths_bytes));
  sections.emplace_back(SectionKind::kTerms, StringsSection(sorted));
  sections.emplace_back(SectionKind::kTermRows, std::move(term_rows));
  sections.emplace_back(SectionKind::kPostings, std::move(postings_bytes));
  sections.emplace_back(SectionKind::kColumns, ColumnsSection(inputs));
  if (!vectors.empty()) sections.emplace_back(SectionKind::kVectors, std::move(vectors));

  std::string table, body;
  const auto pad = [](std::string* text) {
    text->resize((text->size() + kSectionAlign - 1) / kSectionAlign * kSectionAlign);
  };
  const size_t table_bytes = (sections.size() * kSectionEntry + kSectionAlign - 1) / kSectionAlign * kSectionAlign;
  for (auto& [kind, bytes] : sections) {
    Append<uint32_t>(&table, static_cast<uint32_t>(kind));
    Append<uint32_t>(&table, 0);
    Append<uint64_t>(&table, kSegmentHeader + table_bytes + body.size());
    Append<uint64_t>(&table, bytes.size());
    Append<uint64_t>(&table, Hash64(bytes));
    body += bytes;
    pad(&body);
    bytes = std::string();
  }
  pad(&table);
  std::string out(kSegmentMagic);
  Append<uint32_t>(&out, kSegmentVersion);
  Append<uint32_t>(&out, static_cast<uint32_t>(sections.size()));
  Append<uint64_t>(&out, kSegmentHeader + table.size() + body.size());
  Append<uint64_t>(&out, Hash64(table));
  out.resize(kSegmentHeader);
  out += table;
  out += body;
  return out;
}

std::string DocumentHash(const Document& document) {
  return Sha256Hex(ToText(Json{{"title", document.title},
                               {"source", document.source},
                               {"lang", document.lang},
                               {"fields", document.fields},
                               {"text", Sha256Hex(document.text)}}))
      .substr(0, 32);
}

}  // namespace atelier::retrieve
