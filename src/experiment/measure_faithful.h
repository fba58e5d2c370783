// Whether a text says what its source says (evaluate/faithful.h).
#pragma once

#include <memory>

#include "experiment/measure.h"

namespace atelier::experiment {

// Every number and every name of the text is in its source: `source` names fields of the case, taken together.
std::unique_ptr<Measure> MakeFaithful(Table& table, const MeasureContext& context);
// The cosine of the sentence with least support to the nearest of its source, by the encoder `model`.
std::unique_ptr<Measure> MakeSupport(Table& table, const MeasureContext& context);

}  // namespace atelier::experiment
