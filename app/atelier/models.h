// How commands find models: a name that the studio registered, or a path.
#pragma once

#include "artefact/generator.h"
#include "store/studio.h"

namespace atelier::app {

// Loads on first use, once per name. REQUIRES: `studio` outlives the provider.
artefact::ModelProvider ModelsOf(store::Studio& studio);

}  // namespace atelier::app
