// The operator `check`: holds every candidate against a declared list of checks; what fails is dropped with its
// reasons, and a writer that has too few left is asked again.
//
//   [[step]]
//   id = "checks"
//   use = "check"
//   retry = { steps = ["writer"], most = 2, want = 4 }   # ask again, at most so often, until `want` of its candidates
//   pass
//   [[step.check]]
//   use = "length"
//   ...
// The checks and their keys are in checks/. Each candidate keeps the word of every check, passed or not.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "operators/checks/checks.h"
#include "recipe/recipe.h"
#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeCheck(Table& step, const recipe::StepContext& context);

struct NamedCheck {
  std::string name;
  std::unique_ptr<Check> check;
};

// The checks of a recipe by themselves, for candidates that its writers did not write: those of every `check` step that
// is not skipped, in order. Nobody is asked again.
class RecipeChecks {
 public:
  // Throws Error(kInvalidInput) where the recipe has no checks.
  explicit RecipeChecks(const recipe::Recipe& recipe);

  // Gives the candidate the word of every check. `earlier`: those of its record that passed before it.
  void Look(const recipe::Record& record, recipe::Candidate& candidate,
            std::span<const recipe::Candidate> earlier) const;
  // The step before the first check: whose candidates these are taken for, where nobody says.
  const std::string& writer() const { return writer_; }

 private:
  std::vector<NamedCheck> checks_;
  std::string writer_;
};

// What a candidate is worth by its checks, in [0, 1]: 1 where it passed them all, else half the share that it passed.
double CheckScore(const recipe::Candidate& candidate);

}  // namespace atelier::operators
