#include "app/atelier/studio_here.h"

#include "guard/audit.h"

namespace atelier::app {

std::unique_ptr<StudioHere> OpenHere(const Globals& globals) {
  auto here = std::make_unique<StudioHere>();
  here->studio = store::Studio::Find(globals.studio);
  store::Studio* studio = here->studio ? &*here->studio : nullptr;
  artefact::EventFn on_event;
  if (studio != nullptr) {
    on_event = [studio](std::string_view event, std::string_view subject, const Json& details) {
      guard::Audit(studio->db(), studio->tenant(), guard::LocalActor(), event, subject, details);
    };
  }
  here->models.emplace(studio, AtelierHome(), std::move(on_event));
  return here;
}

}  // namespace atelier::app
