// What became of a case, and numbers that come with it.
#pragma once

#include <memory>

#include "experiment/measure.h"

namespace atelier::experiment {

// There is an output; with `expect = false`: there is none, and a person is asked for instead.
std::unique_ptr<Measure> MakeAnswered(Table& table, const MeasureContext& context);
// An output field is a number within `from` and `to`.
std::unique_ptr<Measure> MakeWithin(Table& table, const MeasureContext& context);
// The number of an output field.
std::unique_ptr<Measure> MakeField(Table& table, const MeasureContext& context);
// The score `score` that the recipe gave to the chosen candidate.
std::unique_ptr<Measure> MakeScore(Table& table, const MeasureContext& context);
// Characters of a text, seconds that an output took, tokens that models wrote for it; lower is better for the last two.
std::unique_ptr<Measure> MakeChars(Table& table, const MeasureContext& context);
std::unique_ptr<Measure> MakeSeconds(Table& table, const MeasureContext& context);
std::unique_ptr<Measure> MakeTokens(Table& table, const MeasureContext& context);
// The share of n-grams of a text that it said before (evaluate/repetition.h); lower is better.
std::unique_ptr<Measure> MakeRepetition(Table& table, const MeasureContext& context);

}  // namespace atelier::experiment
