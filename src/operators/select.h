// The operator `select`: ranks what passed the checks and chooses what to show.
//
//   [[step]]
//   id = "select"
//   use = "select"
//   weights = { grade = 1.2, shape = 1.2, coverage = 1.0, likelihood = 0.3, variety = 0.6, about = 0.1, margin = 0.1 }
//   diversity = 0.5       # how much likeness to those already shown costs a runner-up
//   repeat = 0.06         # what a runner-up loses per device or pattern that the card, or other cards, show already
//   within = 0.15         # runner-ups come from those whose total is so near the chosen one's, as far as there are any
//   show = 4              # the chosen one and three runner-ups
//   unique = "headline"   # no two chosen ones of the run are equal in this field
//   names = ["name", "category"]  features = "features"     # as the check `about` has them
//
//   headline = "headline"  body = "body"                    # the fields whose shape counts
//
// Scores, each in [0, 1]: `coverage` the share of the features spoken of (three are all), `about` the share of the text
// that comes from the sheet, `margin` how far from failing its checks, `variety` a device and patterns that records
// before it did not use, `shape` sentences rather than bare lists (operators/shape.h), `grade` what the grammar says of
// its patterns (0.5 for other writers), and those of earlier `score` steps, named like the step: these only sink what
// is clearly below the record's mean, for the likeliest copy is the barest. What such a step left out gets none.
// `total` is the weighted mean. Same input, same ranking: ties go to the candidate drawn first. A `score` step after a
// `select` rates the best by its total.
#pragma once

#include <memory>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeSelect(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
