// Choices that people made (rank/choices.h), for an encoder that learns from them (model/bert_ranker.h).
#pragma once

#include <memory>
#include <string>

#include "train/examples.h"

namespace atelier::train {

// Of a choice with more, this many options are compared at a time: what was taken and some of the others, drawn anew
// each time.
inline constexpr size_t kMostCompared = 32;

// A row is a choice. Texts are cut into tokens as the engine's embedder cuts queries: the encoder's own words before
// them (`start`, its GGUF file), beginning and end marks. Each batch has contexts behind the options; weights are
// brought to a mean of 1. Choices that say nothing are counted as empty, options longer than data.sequence_length are
// cut. Fields of pairs go by data.prompt, data.chosen, data.rejected. Throws kInvalidInput where nothing usable is
// there.
std::unique_ptr<Examples> ChoiceExamples(const Records& records, const DataSettings& data, const std::string& start,
                                         const text::Tokenizer& tokenizer, ExamplesReport* report);

}  // namespace atelier::train
