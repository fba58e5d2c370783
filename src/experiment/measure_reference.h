// The metrics of evaluate/reference_metrics.h over cases that bring their references.
#pragma once

#include <memory>

#include "experiment/measure.h"

namespace atelier::experiment {

// `use` names the metric; its options are keys ("smooth_value" for --smooth-value), `reference` a field of the case (a
// list: any of them will do), `score` one of several that the metric has ("rougeL"). A case without an output counts as
// an empty text.
std::unique_ptr<Measure> MakeReference(Table& table, const MeasureContext& context);

}  // namespace atelier::experiment
