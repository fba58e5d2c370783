// A suite as its file states it: cases, arms that make something of each, measures with their cut-offs. The whole
// format with an example: docs/formats/suite.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiment/case.h"
#include "experiment/measure.h"
#include "recipe/recipe.h"

namespace atelier::experiment {

// Who makes the outputs: a variant of the recipe, perhaps with another model in all its steps; or a file in which they
// are already.
struct Arm {
  std::string name, variant = {};
  std::string model = {};    // "": those that the recipe names
  std::string outputs = {};  // a file of records {id, and output fields}; "": the recipe is run
  std::string against = {};  // the arm before it that it is compared with; "": the first
};

// What a score must be. In the measure's own units; an assertion's score is the share of cases, 1 by default.
struct Cutoff {
  std::optional<double> least, most;
  std::optional<double> drop;  // how much worse than the baseline's it may be, over the cases that both have
  size_t missing = 0;          // so many cases may have no value
  bool any() const { return least || most || drop; }
};

struct MeasureSpec {
  std::string name, use;
  Where where;                    // of these cases only
  std::vector<std::string> arms;  // of these only; empty: all
  Cutoff cutoff;
  std::unique_ptr<Measure> measure;
};

struct Suite {
  std::string name, summary, file, folder;
  std::string recipe;  // its folder
  uint64_t seed = 1;
  CasesSpec cases;
  std::vector<Arm> arms;
  std::vector<MeasureSpec> measures;
};

// Finds a recipe's folder by its name.
using FindRecipe = std::function<std::string(const std::string& name)>;

// Throws Error(kInvalidInput) with file:line for anything unknown or contradictory, and what FindRecipe, LoadRecipe and
// `tools` throw.
Suite LoadSuite(const std::string& path, const FindRecipe& find, const Tools& tools = {});
// The same from text, for tests and fuzzing.
Suite ParseSuite(std::string_view text, const std::string& path, const FindRecipe& find, const Tools& tools = {});

// Each arm that runs the recipe becomes one for each of these models, in the place of all that it names; they are
// compared with the first of them. A measure that is for an arm is for all that became of it.
void WithModels(const std::vector<std::string>& models, Suite* suite);

}  // namespace atelier::experiment
