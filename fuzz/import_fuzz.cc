// Bytes as a table or as JSON lines, in streams: detection, decoding in pieces, the CSV scanner cut anywhere, one
// record per line. What comes out is UTF-8 and splits back; however the text is cut, the rows are the same.
#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "data/csv.h"
#include "data/encoding.h"
#include "data/import/section.h"
#include "data/json_record.h"
#include "data/media/picture_head.h"
#include "data/zstd_stream.h"

using namespace atelier;
using namespace atelier::data;

namespace {

// All rows and defects as one text; the scanner gets `step` more bytes each time.
std::string Rows(std::string_view text, size_t step) {
  CsvLimits limits;
  limits.cell_bytes = 64;
  limits.columns = 8;
  CsvScanner scanner(',', limits);
  std::string out, held;
  size_t at = 0, given = 0;
  while (true) {
    const CsvScanner::Step got = scanner.Next(held, given == text.size(), &at);
    if (got == CsvScanner::Step::kEnd) return out;
    if (got == CsvScanner::Step::kMore) {
      if (given == text.size()) std::abort();
      held.erase(0, at);
      at = 0;
      const size_t more = std::min(step, text.size() - given);
      held.append(text, given, more);
      given += more;
    } else if (got == CsvScanner::Step::kRow) {
      out += std::to_string(scanner.line());
      for (const std::string_view cell : scanner.cells()) out.append("[").append(cell).append("]");
      out += "\n";
    } else {
      out += "!" + std::to_string(scanner.defect().line) + "\n";
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  ReadPictureHead(bytes);
  try {
    std::string text = bytes;
    if (const auto encoding = DetectEncoding(bytes, true)) {
      std::string whole, pieces;
      TextDecoder(*encoding).Decode(bytes, true, &whole);
      TextDecoder decoder(*encoding);
      for (size_t at = 0; at < size; at += 3) decoder.Decode(std::string_view(bytes).substr(at, 3), false, &pieces);
      decoder.Decode({}, true, &pieces);
      if (FirstInvalidUtf8(whole) == std::string::npos && whole != pieces) std::abort();
      text = whole;
    }
    FindDialect(text);
    const std::string rows = Rows(text, text.size() + 1);
    for (const size_t step : {1, 7}) {
      if (Rows(text, step) != rows) std::abort();
    }
    for (const Section& section : ParseMarkdown(text).sections) {
      if (section.text.empty()) std::abort();
    }
    JsonRecordParser parser;
    LineBuilder lines;
    size_t records = 0;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      const size_t length = line.size();
      line.append(kReadPadding, '\0');
      begin = end + 1;
      lines.Begin();
      if (parser.Parse(std::string_view(line).substr(0, length), &lines)) {
        lines.End(0, 1);
        ++records;
        // What was taken for JSON is JSON, with the same value.
        Json theirs = Json::parse(line.substr(0, length), nullptr, false);
        if (theirs.is_discarded()) std::abort();
      } else {
        lines.Cancel();
        if (parser.reason().empty()) std::abort();
      }
    }
    std::vector<LineField> fields;
    std::string_view rest = lines.lines();
    for (; records > 0; --records) {
      const size_t end = rest.find('\n');
      if (end == std::string_view::npos || !SplitLine(rest.substr(0, end), &fields) || fields[0].key != "_id")
        std::abort();
      if (PlainText(fields[0].value) != RecordId(rest.substr(0, end))) std::abort();
      if (FirstInvalidUtf8(rest.substr(0, end)) != std::string_view::npos) std::abort();
      if (Json::parse(rest.substr(0, end), nullptr, false).is_discarded()) std::abort();
      rest.remove_prefix(end + 1);
    }
    if (!rest.empty()) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
