// A reply that was held to a CallSpec, taken apart as it comes: the text before calls, and the calls. How the reply is
// cut into pieces does not matter: what is told, put together, is the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "artefact/calls.h"

namespace atelier::runtime {

class CallReader {
 public:
  struct Event {
    enum class Kind { kText, kName, kArguments };
    Kind kind;
    std::string text;  // kName: a call begins; kArguments: more of the last call's
    bool operator==(const Event&) const = default;
  };

  // Of the spec, the syntax and whether calls are required.
  explicit CallReader(const artefact::CallSpec& spec) : syntax_(spec.syntax), required_(spec.required) {}

  // REQUIRES: valid UTF-8 in every piece.
  std::vector<Event> Append(std::string_view piece);
  std::vector<Event> Finish();  // what was held back, when the reply is over

 private:
  enum class State { kText, kPlain, kHead, kName, kMiddle, kArguments, kAfter };

  bool Advance(std::vector<Event>* out);  // one step; false: more must come first
  bool ReadText(std::vector<Event>* out);
  bool ReadArguments(std::vector<Event>* out);
  bool Skip(const std::string& fixed, State then);
  void Tell(Event::Kind kind, size_t size, std::vector<Event>* out);

  artefact::CallSyntax syntax_;
  bool required_;
  State state_ = State::kText;
  std::string held_;
  size_t depth_ = 0;  // arguments: objects and arrays open
  bool in_string_ = false, escaped_ = false;
};

}  // namespace atelier::runtime
