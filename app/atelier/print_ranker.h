// What a ranker learned, for people.
#pragma once

#include <string>

#include "artefact/ranker_file.h"
#include "base/json.h"
#include "report/report.h"

namespace atelier::app {

// On standard output: the features by the weight that they have, and the figures on what was held out.
void PrintRanker(const artefact::RankerFile& ranker);

// Figures order, effects, calibration.
report::Report RankerReport(const artefact::RankerFile& ranker, bool chinese);

}  // namespace atelier::app
