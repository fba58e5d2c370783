// JSON lines: one object per line, as they come; a bad line is rejected, the next one is read.
#include <cstring>

#include "base/str.h"
#include "data/import/import.h"
#include "data/import/text_stream.h"
#include "data/json_record.h"
#include "data/zstd_stream.h"

namespace atelier::data {

void ReadJsonLinesSource(const ReaderInput& given, ImportSink& sink) {
  ReaderInput input = given;
  input.lines_are_utf8 = true;
  TextStream stream(input, sink);
  JsonRecordParser parser;
  std::string text;
  uint64_t line_number = 0;
  size_t notes = 0;
  bool more = true, skipping = false;  // inside a line that is too long
  while (more) {
    more = stream.Fill(&text);
    size_t begin = 0;
    while (begin < text.size()) {
      const size_t end = text.find('\n', begin);
      if (end == std::string::npos && more) break;
      std::string_view line =
          std::string_view(text).substr(begin, (end == std::string::npos ? text.size() : end) - begin);
      begin = end == std::string::npos ? text.size() : end + 1;
      ++line_number;
      if (std::exchange(skipping, false)) continue;
      line = Trim(line);
      if (line.empty()) continue;
      if (parser.Parse(line, &sink.record())) {
        sink.Done(line_number);
        if (!parser.renamed().empty() && notes < 20) {
          ++notes;
          sink.Note(Cat("the field ", Quote(parser.renamed()), " is kept as ", Quote("x" + parser.renamed()),
                        ": names that begin with '_' are the program's"));
        }
      } else {
        sink.Reject(line_number, parser.column(), parser.reason(), line);
      }
    }
    text.erase(0, begin);
    if (text.size() > kMostLineBytes) {
      if (!skipping) sink.Reject(line_number + 1, 0, Cat("a line of more than ", FormatBytes(kMostLineBytes)), text);
      skipping = true;
      text.clear();
    }
  }
}

}  // namespace atelier::data
