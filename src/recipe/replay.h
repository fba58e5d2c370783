// Makes a stored generation again, alone, and holds it against what was stored, byte for byte.
#pragma once

#include <string>
#include <vector>

#include "feedback/generations.h"
#include "recipe/engine.h"

namespace atelier::recipe {

struct Replayed {
  feedback::GenerationRow stored;
  Json output;                           // as made now; null when the step no longer makes it
  bool same = false;                     // the same bytes
  std::vector<std::string> differences;  // in what decides the bytes: "config hash: was ..., is ..."
};

// `folder`: the recipe's. Throws kNotFound for an unknown generation, kConflict when the recipe's files, the model, the
// engine's build, instruction set or threads are not those that were stored (naming each), unless `force`.
Replayed Replay(feedback::Generations& generations, const std::string& id, const std::string& folder,
                RunOptions options, const std::string& build, bool force);

}  // namespace atelier::recipe
