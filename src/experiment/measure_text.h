// Assertions about what a text says and how it looks.
#pragma once

#include <memory>

#include "experiment/measure.h"

namespace atelier::experiment {

// All that is wanted is in it (with `any`: some of it).
std::unique_ptr<Measure> MakeContains(Table& table, const MeasureContext& context);
// Nothing of what is wanted is in it.
std::unique_ptr<Measure> MakeExcludes(Table& table, const MeasureContext& context);
// It is one of the texts that are wanted.
std::unique_ptr<Measure> MakeEquals(Table& table, const MeasureContext& context);
// A regular expression (RE2) occurs in it; with `whole` it is all of it.
std::unique_ptr<Measure> MakeMatches(Table& table, const MeasureContext& context);
// So many characters: `least`, `most` are the cut-off's; these are `least_chars`, `most_chars`.
std::unique_ptr<Measure> MakeLength(Table& table, const MeasureContext& context);
// It is in the record's language, or in `is`.
std::unique_ptr<Measure> MakeLanguage(Table& table, const MeasureContext& context);

}  // namespace atelier::experiment
