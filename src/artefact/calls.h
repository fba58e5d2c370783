// How a reply asks for functions to be called: what the caller offers, and how a model writes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace atelier::artefact {

// A model's way of writing calls, as its chat template shows it:
//
//   head NAME middle ARGUMENTS (between NAME middle ARGUMENTS)* tail
//
// All but names and arguments are fixed texts; control tokens stand in them by their names ("[TOOL_CALLS]").
struct CallSyntax {
  // In a fixed text: an id of kIdSize letters and digits, as the model likes.
  static constexpr char kIdMark = '\xFE';
  static constexpr size_t kIdSize = 9;

  std::string head, middle, tail;
  std::optional<std::string> between;  // nothing: one call per reply
  std::string sign;                    // the head's beginning by which a call is known
  bool text_before = false;            // text may come before calls; if not, a reply that begins with `sign` is calls

  bool operator==(const CallSyntax&) const = default;
};

// Letters, digits, '_' and '-': what functions may be called, and why a name ends where `middle` begins.
constexpr bool IsNameChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

struct CallSpec {
  struct Function {
    std::string name;
    std::string parameters;  // a JSON Schema of objects
  };
  CallSyntax syntax;
  std::vector<Function> functions;
  bool required = false;  // else the reply may be text alone
  int most = 1;           // calls
};

}  // namespace atelier::artefact
