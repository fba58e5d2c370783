// Whether a constrained reply could be a given text: the grammar that masks are made of, asked byte by byte. Needs no
// model.
#pragma once

#include <memory>
#include <string_view>

#include "artefact/generator.h"
#include "runtime/constraint/stacks.h"

namespace atelier::runtime {

class ReplyCheck {
 public:
  // Throws as Compile does (constraint.h).
  explicit ReplyCheck(const artefact::ConstraintSpec& spec);

  struct Verdict {
    bool possible = false;  // a reply can be the whole text
    size_t bytes = 0;       // what of it a reply can begin with
  };
  Verdict Of(std::string_view text);

 private:
  std::unique_ptr<Grammar> grammar_;
  std::unique_ptr<Stacks> stacks_;
};

}  // namespace atelier::runtime
