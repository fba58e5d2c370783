#include "evaluate/reference_metrics.h"
#include "experiment/measure.h"
#include "experiment/measure_faithful.h"
#include "experiment/measure_judge.h"
#include "experiment/measure_outcome.h"
#include "experiment/measure_reference.h"
#include "experiment/measure_text.h"

namespace atelier::experiment {

std::span<const MeasureEntry> AllMeasures() {
  static const std::vector<MeasureEntry> list = [] {
    std::vector<MeasureEntry> all = {
        {"answered", "there is an output (expect = false: there is none)", true, &MakeAnswered},
        {"contains", "the text says what is wanted", true, &MakeContains},
        {"excludes", "the text says nothing of it", true, &MakeExcludes},
        {"equals", "the text is what is wanted", true, &MakeEquals},
        {"matches", "a regular expression occurs in the text", true, &MakeMatches},
        {"length", "the text has so many characters", true, &MakeLength},
        {"language", "the text is in the record's language", true, &MakeLanguage},
        {"within", "a number lies within bounds", true, &MakeWithin},
        {"faithful", "no number and no name that the source does not have", true, &MakeFaithful},
        {"field", "the number of an output field", false, &MakeField},
        {"score", "a score that the recipe gave", false, &MakeScore},
        {"judge", "what a judge, a recipe, says", false, &MakeJudge},
        {"support", "the sentence least near to the source in meaning", false, &MakeSupport},
        {"chars", "characters of the text", false, &MakeChars},
        {"repetition", "how much the text repeats itself", false, &MakeRepetition},
        {"seconds", "time that an output took", false, &MakeSeconds},
        {"tokens", "tokens that models wrote", false, &MakeTokens},
    };
    for (const evaluate::ReferenceMetricEntry& entry : evaluate::ReferenceMetrics()) {
      all.push_back({entry.name, "against the case's references", false, &MakeReference});
    }
    return all;
  }();
  return list;
}

}  // namespace atelier::experiment
