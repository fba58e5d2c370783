// How recipes and commands find rankers: a name that the studio registered, or a path.
#pragma once

#include <memory>
#include <string>

#include "app/atelier/embedders.h"
#include "artefact/ranker.h"
#include "artefact/registry.h"

namespace atelier::app {

// The model that is said, under a name by which it is found again: of a file that has no other, its whole path. So a
// ranker knows its encoder.
artefact::ModelEntry ResolveToName(const artefact::Registry& models, const std::string& said);

// The ranker in this file, with the encoder that it needs. Throws kUnsupported for a model of another kind, kNotFound
// where the encoder is not here.
std::shared_ptr<artefact::Ranker> LoadRanker(const artefact::Registry& models, const artefact::ModelEntry& entry,
                                             EmbedderPool& pool);

// The rankers of the studio in this folder, for recipes: each is read anew when its file is another, so that a run that
// begins after a training has what was learned. From any thread.
artefact::RankerProvider RankersOf(const std::string& studio_folder,
                                   std::shared_ptr<EmbedderPool> pool = std::make_shared<EmbedderPool>());

}  // namespace atelier::app
