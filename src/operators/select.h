// The operator `select`: ranks what passed the checks and chooses what to show.
//
//   [[step]]
//   id = "select"
//   use = "select"
//   weights = { likelihood = 1.0, coverage = 1.0, about = 0.5, margin = 0.5, variety = 0.5 }
//   diversity = 0.5       # how much likeness to those already shown costs a runner-up
//   within = 0.15         # runner-ups come from those whose total is so near the chosen one's, as far as there are any
//   show = 4              # the chosen one and three runner-ups
//   unique = "headline"   # no two chosen ones of the run are equal in this field
//   names = ["name", "category"]  features = "features"     # as the check `about` has them
//
// Scores, each in [0, 1] within its record: `coverage` the share of the features spoken of (three are all), `about` the
// share of the text that comes from the sheet, `margin` how far from failing its checks, `variety` a device and
// patterns that records before it did not use, and those of earlier `score` steps, named like the step, from the
// record's least to its greatest. `total` is their weighted mean. Same input, same ranking: ties go to the candidate
// drawn first.
#pragma once

#include <memory>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeSelect(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
