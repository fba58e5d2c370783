#include "app/atelier/model_option.h"

#include "app/atelier/studio_here.h"
#include "runtime/local_generator.h"

namespace atelier::app {

void ModelOption::Declare(Cli& cli) {
  cli.Text("-m,--model", &model_, "a registered model or the path of a GGUF file", true);
  cli.Int("-t,--threads", &threads_, "threads; 0: as many as there are processors", 0, 256);
}

std::shared_ptr<artefact::Generator> ModelOption::Load(const Globals& globals) const {
  const artefact::ModelEntry entry = OpenHere(globals)->models->Resolve(model_);
  return runtime::LoadGenerator(entry.path, entry.name, entry.manifest.sha256, {.threads = static_cast<int>(threads_)});
}

}  // namespace atelier::app
