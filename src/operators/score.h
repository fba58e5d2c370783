// The operator `score`: how likely a language model finds each candidate after the sheet. Whoever wrote it: awkward
// copy from a phrase grammar sinks as well.
//
//   [[step]]
//   id = "likelihood"
//   use = "score"
//   model = { zh = "gemma3-270m", en = "smollm2" }
//   optional = true                                        # a missing model is noted; nothing gets this score
//   template = { zh = "templates/score.zh.jinja", ... }    # the text before the copy; sees the record
//   fields = ["headline", "body"]                          # joined by line breaks: the text that is scored
//   most = 32                                              # candidates scored per record, the writers in turn
//   contrast = 0.0                                         # how much of the likelihood without the sheet is taken off
//   blank = { zh = "templates/blank.zh.jinja", ... }       # needed with contrast: the text before, without a sheet
//
// The score is named like the step: it is the mean log-probability per token (natural log), less contrast times the
// same after `blank`.
#pragma once

#include <memory>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeScore(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
