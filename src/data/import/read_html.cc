// HTML: one record per section. The tree is built in a child process with limits, since pages come from anywhere.
#include "base/error.h"
#include "base/str.h"
#include "data/import/section.h"

namespace atelier::data {
void ReadHtmlSource(const ReaderInput& input, ImportSink& sink) {
  std::string page;
  if (!ReadWhole(input, sink, &page)) return;
  const std::string head = page.substr(0, 200);
  std::string read;
  try {
    read = ReadInChild({input.helpers.program, "data", "read-html"}, std::move(page), input.request.child,
                       "the reader of HTML");
  } catch (const Error& e) {
    if (e.code() != Code::kInvalidInput) throw;
    sink.Reject(0, 0, e.what(), head);
    return;
  }
  EmitDocument(DocumentFromJson(ParseJson(read, "the child's document")), sink);
}

}  // namespace atelier::data
