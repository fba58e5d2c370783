#include "app/atelier/model_option.h"

#include "app/atelier/studio_here.h"
#include "runtime/local_generator.h"

namespace atelier::app {

void ModelOption::Declare(Cli& cli) {
  cli.Text("-m,--model", &model_, "a registered model or the path of a model file", true);
  cli.Int("-t,--threads", &threads_, "threads; 0: as many as there are processors", 0, 256);
}

artefact::ModelEntry ModelOption::Find(const Globals& globals) const {
  return OpenHere(globals)->models->ResolveAdapted(model_);
}

std::shared_ptr<artefact::Generator> ModelOption::Load(const Globals& globals) const {
  const artefact::ModelEntry entry = Find(globals);
  return runtime::LoadModel(entry, {.threads = static_cast<int>(threads_)});
}

}  // namespace atelier::app
