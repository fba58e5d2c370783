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

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeCheck(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
