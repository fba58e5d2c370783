// The operator `judge`: a language model rates each record on criteria, held to the scale's answers, and beside what it
// writes stands what it finds probable (Liu et al. 2023, "G-Eval"): the mean of the scale weighed by the model's
// probabilities, which is finer and draws nothing.
//
//   [[step]]
//   id = "judge"
//   use = "judge"
//   model = { zh = "gemma3-270m", en = "smollm2" }
//   template = { zh = "templates/judge.zh.jinja", ... }  # sees the record, `criteria`, `fence`, `reason`
//   chat = false                                         # wrap the text in the model's chat template
//   score = "expected"       # the output's numbers: expected, or "drawn": the mean of what it wrote
//   samples = 1              # answers written; with more, set a temperature
//   temperature = 0.0
//   least_mass = 0.05        # probability that the scale's answers need together, else the record is not judged
//   reason = { field = "why", most_chars = 160 }         # written before the numbers, into this output field
//   overall = "overall"      # output field: weighted mean of the criteria, each in 0..1 of its scale
//   mode = "rate"            # or "pairwise": which of two is better, asked in both orders (Zheng et al. 2023)
//   pair = ["first", "second"]                           # pairwise: the input fields; the template sees `a` and `b`
//   [[step.criterion]]
//   name = "clear"           # an output field of type number
//   scale = [1, 5]           # or labels = ["bad", "fair", "good"], worth 1, 2, 3
//   description = { zh = "...", en = "..." }
//   weight = 1.0
//
// Pairwise, a number is 1 where `first` is better, 0 where `second` is, 0.5 where the two orders disagree. A record
// that is not judged needs a person and says why: it never gets a number. Scores tell `NAME.expected`, `NAME.drawn`,
// `NAME.mass`, pairwise also `NAME.position`; choices hold the answers and the probabilities.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "recipe/recipe.h"
#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeJudge(Table& step, const recipe::StepContext& context);

// What the judge steps of a recipe rate: the numbers that stand for the scale's answers, rising; pairwise 0, 0.5, 1.
struct JudgedCriterion {
  std::string name;
  std::vector<double> scale;
  std::vector<std::string> labels;  // [scale], where the answers are labels; else empty
  bool pairwise = false;
};
std::vector<JudgedCriterion> JudgedCriteria(const recipe::Recipe& recipe);

}  // namespace atelier::operators
