// The operator `generate.text`: a language model writes candidates, one field at a time, each given those before it.
//
//   [[step]]
//   id = "writer"
//   use = "generate.text"
//   model = { zh = "gemma3-270m", en = "smollm2" }             # registered name or path, by the record's language
//   optional = true                                            # a missing model is noted, not an error
//   template = { zh = "templates/zh.jinja", en = "..." }       # sees the record, `slot`, and the slots written so far
//   examples = { zh = "examples/zh.jsonl", en = "..." }         # optional: written pairs, `examples` in the template
//   chat = false                                               # wrap the rendered text in the model's chat template
//   temperature = 0.8  # and top_k, top_p, min_p, repetition_penalty, presence_penalty, frequency_penalty
//   tags = ["name", "category", "features"]                    # fields whose short values become the `tags` output
//
//   [[step.slot]]
//   name = "headline"
//   samples = 8          # drawn together over one shared prompt
//   keep = 4             # the likeliest different ones go on to the next slot; 0: all
//   max_tokens = 24
//   stop = ["\n"]
//   cut = "line"         # or "sentences": whole sentences only
//   most_sentences = 2
//
// Samples of one (record, attempt, slot, parent) draw from a stream of their own, so any candidate can be made again
// alone. Provenance (model, hash, seed, tokens, seconds, sampling settings) goes into each candidate.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeGenerateText(Table& step, const recipe::StepContext& context);

// The first line that has text, without list marks, quotes around all of it, or emphasis marks.
std::string CutLine(std::string_view text);
// At most `most` whole sentences of the text's first paragraph; "" where none is whole.
std::string CutSentences(std::string_view text, size_t most);

}  // namespace atelier::operators
