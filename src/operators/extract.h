// The operator `extract`: the recipe's output fields out of a text, by a language model that is held to their form.
//
//   [[step]]
//   id = "rows"
//   use = "extract"
//   model = { zh = "gemma3-270m+listings", en = "gemma3-270m+listings" }
//   template = { zh = "zh.jinja", en = "en.jinja" }   # shows the text as the model was taught to read it
//   fields = ["name", "features"]  # output fields, in the order in which the model writes them; default: all
//   language = "lang"              # one of them that says the record's language; default: none
//   most_chars = 200               # of a text, or of each item of a list
//   most_items = 20                # of a list
//   max_tokens = 400               # of a reply
//   samples = 1
//   temperature = 0                # of the first answer: 0 is the likeliest one
//   retry_temperature = 0.7        # of further ones, when `check` asks again
//   batch = 8                      # records beside each other
//   optional = false               # a model that is not here is noted, not an error
//   chat = false                   # through the model's chat template
//
// A reply is one JSON object with these fields and no others (a constraint on decoding, not a hope). Each different one
// becomes a candidate: white space of values made even, empty and repeated items of lists left out. Its score, named
// like the step, is the mean log-probability per token. A record to which no reply came that is whole has one dropped
// candidate that says why, as the check "form".
#pragma once

#include <memory>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeExtract(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
