// What most commands begin with: the studio that they stand in, and the models that it and the user have.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/atelier/command.h"
#include "artefact/registry.h"
#include "store/studio.h"

namespace atelier::app {

// The studio, if there is one, and the registry over it. Model events go to its audit trail. Not copied: the registry
// points at the studio.
struct StudioHere {
  std::optional<store::Studio> studio;
  std::optional<artefact::Registry> models;

  StudioHere() = default;
  StudioHere(const StudioHere&) = delete;
  StudioHere& operator=(const StudioHere&) = delete;
};

std::unique_ptr<StudioHere> OpenHere(const Globals& globals);

}  // namespace atelier::app
