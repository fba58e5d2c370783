// A recipe as a judge: it gets the case and the output, and one of its output fields is the judgement, a number.
#pragma once

#include <memory>

#include "experiment/measure.h"

namespace atelier::experiment {

//   use = "judge"
//   recipe = "judge_copy"               # a recipe's name, or a folder beside the suite
//   variant = ""
//   field = "faithful"                  # its output field
//   input = { facts = "case.features", headline = "output.headline" }   # of the case, or of the output
//   lower_is_better = false
// Judgements that are no numbers are told, and never counted.
std::unique_ptr<Measure> MakeJudge(Table& table, const MeasureContext& context);

}  // namespace atelier::experiment
