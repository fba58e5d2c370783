// Turns a reply's tokens into text that may be shown: valid UTF-8, nothing from the first stop text on (the one that is
// complete first; of several that end together, the longest), and nothing that could still turn out to be the start of
// one. The whole depends on the bytes alone, not on how they were cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/unicode.h"

namespace atelier::runtime {

class StopText {
 public:
  explicit StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // Takes a token's bytes; returns the text that is certain now. After `stopped`, returns "".
  std::string Append(std::string_view bytes);
  std::string Finish();  // what was held back, when the reply ends otherwise
  bool stopped() const { return stopped_; }

 private:
  std::string Release(bool all);

  std::vector<std::string> stops_;
  text::Utf8Stream utf8_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace atelier::runtime
