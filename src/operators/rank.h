// The operator `rank`: how likely each candidate is preferred, by a ranker that learned from choices (`tune rank`).
//
//   [[step]]
//   id = "taste"
//   use = "rank"
//   model = { zh = "clicks-zh", en = "clicks-en" }
//   optional = true                    # a missing ranker is noted; nothing gets this score
//   fields = ["headline", "body"]      # joined by line breaks: the text that is ranked
//
// What is measured of a text stands in the ranker's file. A feature that is not computed from the text is the
// candidate's score of that name ("likelihood"), or "check.NAME", how far it is from failing that check; a candidate
// that has none gets no score, and it is noted.
//
// The score is named like the step: the mean, over the record's other candidates, of the probability that this one is
// preferred; 0.5 where there is no other. `select` weighs it as it is.
#pragma once

#include <memory>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeRank(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
