// Plain text: a record {"text": ...} per paragraph (parted by blank lines), line or file.
#include "base/error.h"
#include "base/str.h"
#include "data/import/import.h"
#include "data/import/text_stream.h"
#include "data/zstd_stream.h"

namespace atelier::data {
namespace {

constexpr size_t kMostRecord = 16u << 20;

void Emit(ImportSink& sink, std::string_view text, uint64_t line) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (Trim(text).empty()) return;
  if (const size_t bad = FirstInvalidUtf8(text); bad != std::string_view::npos) {
    sink.Reject(line, 0, Cat("bytes that do not decode, ", bad, " bytes into it"), text);
  } else if (text.find('\0') != std::string_view::npos) {
    sink.Reject(line, 0, "a NUL byte; this is not text", text);
  } else {
    LineBuilder& record = sink.record();
    record.Key("text");
    record.Text(text);
    sink.Done(line);
  }
}

}  // namespace

void ReadTextSource(const ReaderInput& input, ImportSink& sink) {
  const std::string& unit = input.request.unit;
  if (unit != "paragraph" && unit != "line" && unit != "file") {
    throw Error(Code::kUsage, Cat("--unit ", Quote(unit)), "paragraph, line or file");
  }
  TextStream stream(input, sink);
  std::string text, record;
  uint64_t number = 0, begun = 1;
  bool more = true, skipping = false;  // of a record that is too long
  const auto finish = [&] {
    if (!skipping) Emit(sink, record, begun);
    skipping = false;
    record.clear();
  };
  while (more) {
    more = stream.Fill(&text);
    size_t begin = 0;
    while (begin < text.size()) {
      const size_t end = text.find('\n', begin);
      if (end == std::string::npos && more && text.size() - begin <= kMostRecord) break;
      const bool whole = end != std::string::npos;
      std::string_view line = std::string_view(text).substr(begin, (whole ? end : text.size()) - begin);
      begin = whole ? end + 1 : text.size();
      if (whole || !more) ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      const bool blank = Trim(line).empty();
      if (unit == "paragraph" && blank) {
        finish();
        continue;
      }
      if (record.empty()) begun = whole || !more ? number : number + 1;
      if (!skipping && record.size() + line.size() > kMostRecord) {
        sink.Reject(begun, 0, Cat("a ", unit, " of more than ", FormatBytes(kMostRecord)),
                    record.empty() ? line : record);
        skipping = true;
      }
      if (!skipping) {
        record += line;
        record.push_back('\n');
      }
      if (unit == "line" && (whole || !more)) finish();
    }
    text.erase(0, begin);
  }
  finish();
}

}  // namespace atelier::data
