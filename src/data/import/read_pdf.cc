// PDF: one record per page, {"page", "text"}. pdftotext (poppler) runs as a child with limits and is never linked.
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "data/import/import.h"
#include "text/unicode.h"

namespace atelier::data {

void ReadPdfSource(const ReaderInput& input, ImportSink& sink) {
  if (input.path == "-") throw Error(Code::kUsage, "PDF is not read from standard input", "name a file");
  SourceInfo& source = sink.source();
  source.bytes = FileSize(input.path);
  source.sha256 = Sha256HexOfFile(input.path);
  // An absolute path cannot be taken for an option.
  const std::string path = std::filesystem::absolute(input.path).string();
  std::string read;
  try {
    read = ReadInChild({"pdftotext", "-enc", "UTF-8", "-eol", "unix", path, "-"}, "", input.request.child, "pdftotext");
  } catch (const Error& e) {
    if (e.code() == Code::kNotFound) {
      throw Error(Code::kUnsupported, Cat(input.path, ": reading PDF needs the program pdftotext"),
                  "install poppler-utils");
    }
    if (e.code() != Code::kInvalidInput) throw;
    sink.Reject(0, 0, e.what(), "");
    return;
  }
  sink.Progress(source.bytes);
  std::string_view rest = read;
  bool any = false;
  for (int64_t page = 1; !rest.empty(); ++page) {
    const size_t end = rest.find('\f');
    const std::string_view text = Trim(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (text.empty()) continue;
    any = true;
    LineBuilder& record = sink.record();
    record.Key("page");
    record.Int(page);
    record.Key("text");
    record.Text(ReplaceAll(text::SanitizeUtf8(text), std::string_view("\0", 1), ""));
    sink.Done(static_cast<uint64_t>(page));
  }
  if (!any) sink.Reject(0, 0, "no text in it: pictures of pages need to be recognised first", "");
}

}  // namespace atelier::data
