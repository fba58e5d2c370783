// HTML: one record per section. The tree is built in a child process with limits, since pages come from anywhere.
#include "base/error.h"
#include "base/process.h"
#include "base/str.h"
#include "data/import/section.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

constexpr size_t kMostDocument = 64u << 20;

}  // namespace

void ReadHtmlSource(const ReaderInput& input, ImportSink& sink) {
  ProcessOptions options;
  if (!ReadWhole(input, sink, kMostDocument, &options.input)) return;
  const std::string head = options.input.substr(0, 200);
  options.timeout_seconds = input.request.child_seconds;
  options.max_memory = input.request.child_memory;
  options.max_output = input.request.child_output;
  options.env = {{"ATELIER_LOG", "off"}};
  ProcessResult result;
  try {
    result = RunProcess({input.helpers.program, "data", "read-html"}, options);
  } catch (const Error& e) {
    if (e.code() != Code::kResourceExhausted) throw;
    sink.Reject(0, 0, Cat("it takes too much to read: ", e.what()), head);
    return;
  }
  if (result.exit_code != 0) {
    std::string why = text::ForTerminal(Trim(result.error_text), 300);
    if (why.starts_with("atelier: ")) why.erase(0, 9);
    if (why.empty()) why = Cat("the reader of HTML ended with ", result.exit_code, " (too deep or too large?)");
    sink.Reject(0, 0, why, head);
    return;
  }
  EmitDocument(DocumentFromJson(ParseJson(result.output, "the child's document")), sink);
}

}  // namespace atelier::data
