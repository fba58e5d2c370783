// How steps with a model per language go through records: one language after the other, so that one model's weights are
// hot at a time. Records that need a person are passed over, and those that `wanted` does not want; a model is loaded
// for the first that is not. Throws what loading throws, with the step.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "artefact/generator.h"
#include "operators/per_language.h"
#include "recipe/run.h"

namespace atelier::operators {

struct ModelLoop {
  std::string step;       // its id, for messages
  PerLanguage models;     // by the record's language
  bool optional = false;  // a model that is not here is told, and its language left out
};

// `going` asks at every token whether the user said stop, which throws.
using BatchFn = std::function<void(artefact::Generator& model, const std::string& name,
                                   std::span<recipe::Record* const> records, const artefact::StreamFn& going)>;
// Records of one language, up to `most` at a time: what an engine computes side by side.
void ForEachBatch(recipe::Run& run, const ModelLoop& loop, std::span<const size_t> records, size_t most,
                  const BatchFn& work, const std::function<bool(const recipe::Record&)>& wanted = nullptr);

using WorkFn = std::function<void(artefact::Generator& model, const std::string& name, recipe::Record& record,
                                  const artefact::StreamFn& going)>;
void ForEachRecord(recipe::Run& run, const ModelLoop& loop, std::span<const size_t> records, const WorkFn& work,
                   const std::function<bool(const recipe::Record&)>& wanted = nullptr);

}  // namespace atelier::operators
