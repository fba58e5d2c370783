// A recipe run from the command line: the studio it works in, Ctrl-C, and every generation kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "feedback/generations.h"
#include "recipe/engine.h"
#include "store/studio.h"

namespace atelier::app {

// The studio to work in; without one, the user's own, so that nothing that was made is lost.
store::Studio StudioForRuns(const std::string& named);

// A recipe's folder, from its folder or its name.
std::string RecipeFolder(const store::Studio& studio, const std::string& recipe);

// Models, indexes and operators of this program; the first Ctrl-C asks the run to stop, a second one ends the program.
recipe::RunOptions OptionsForRuns(store::Studio& studio, bool quiet);

struct KeptRun {
  std::unique_ptr<recipe::Engine> engine;  // after the run
  std::string id;
};
// Checks every step, then runs and stores. `row` brings what the recipe does not know: input and options.
KeptRun RunAndKeep(store::Studio& studio, recipe::Recipe recipe, std::vector<recipe::Record> records,
                   feedback::RunRow row, recipe::RunOptions options);

}  // namespace atelier::app
