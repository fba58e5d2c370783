#include "data/import/child_reader.h"

#include "base/error.h"
#include "base/process.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::data {

std::string ReadInChild(const std::vector<std::string>& argv, std::string input, const ChildLimits& limits,
                        const std::string& name) {
  ProcessOptions options;
  options.input = std::move(input);
  options.timeout_seconds = limits.seconds;
  options.max_memory = limits.memory_bytes;
  options.max_output = limits.output_bytes;
  options.env = {{"ATELIER_LOG", "off"}};
  ProcessResult result;
  try {
    result = RunProcess(argv, options);
  } catch (const Error& e) {
    if (e.code() != Code::kResourceExhausted) throw;
    throw Error(Code::kInvalidInput, Cat("it takes too much to read: ", e.what()));
  }
  if (result.exit_code == 0) return std::move(result.output);
  constexpr std::string_view kOurs = "atelier: ";  // how our own children begin
  const std::string why = text::ForTerminal(Trim(result.error_text.substr(0, result.error_text.find('\n'))), 300);
  if (why.empty()) {
    throw Error(Code::kInvalidInput, Cat(name, " ended with ", result.exit_code, " (too deep or too large?)"));
  }
  throw Error(Code::kInvalidInput, why.starts_with(kOurs) ? why.substr(kOurs.size()) : Cat(name, ": ", why));
}

}  // namespace atelier::data
