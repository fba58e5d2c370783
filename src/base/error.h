// The one exception type that crosses Atelier's boundaries.
//
// A failure that ends a command or a request is an Error: a code, a message that names the thing that failed and where
// (file, line, field), and a hint that says what to do. Expected misses are return values. Kernels never throw, and no
// library of ours prints, exits or aborts. One table maps a code to its HTTP status and to the process's exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace atelier {

enum class Code {
  kUsage,              // the command line or the request itself is wrong
  kInvalidInput,       // a file, a row, a field or a template from outside is wrong
  kCorrupt,            // a stored or downloaded file is damaged or lies about itself
  kUnsupported,        // well formed, but beyond what this build does
  kNotFound,           // a model, recipe, generation or file that is not there
  kConflict,           // it exists already, or somebody else holds it
  kPermissionDenied,   // terms not accepted, a path or an address outside one's rights
  kResourceExhausted,  // out of disk, memory, context, budget, queue
  kUnavailable,        // a peer or a network that does not answer
  kCancelled,          // the user said stop
  kIo,                 // the operating system refused a read or a write
  kInternal,           // a bug of ours
};

struct CodeInfo {
  Code code;
  std::string_view name;  // stable, used in JSON
  int http_status;
  int exit_code;  // 0 done, 1 failed, 2 usage, 130 interrupted
};

const CodeInfo& Info(Code code);

class Error : public std::runtime_error {
 public:
  Error(Code code, std::string message, std::string hint = "")
      : std::runtime_error(std::move(message)), code_(code), hint_(std::move(hint)) {}

  Code code() const { return code_; }
  // What the reader can do about it; may be empty.
  const std::string& hint() const { return hint_; }
  // "message (hint)", one line.
  std::string Line() const;
  // The same failure, its message prefixed with "context: ".
  Error Within(std::string_view context) const;

 private:
  Code code_;
  std::string hint_;
};

}  // namespace atelier
