#include "app/atelier/tuned_model.h"

#include "artefact/adapter.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "job/learner.h"

namespace atelier::app {

TunedModel KeepTunedModel(StudioHere& here, const TrainingRun& run, const artefact::ModelEntry& base,
                          runtime::MergeOptions merge, const Globals& globals) {
  TunedModel kept;
  kept.adapter = Cat(run.folder, "/adapter.gguf");
  kept.peft = Cat(run.folder, "/peft");
  const std::string best = Cat(run.folder, "/best.safetensors");
  std::vector<std::string> arguments = {
      "export",  "--model",    FileExists(best) ? best : Cat(run.folder, "/last.safetensors"),
      "--out",   kept.adapter, "--peft",
      kept.peft, "--name",     run.name,
      "--base",  base.name};
  if (!base.manifest.licence.empty()) {
    arguments.emplace_back("--licence");
    arguments.push_back(base.manifest.licence);
  }
  job::LearnerOptions options;
  options.stop = &TrainingInterrupted();
  options.background = false;
  job::RunLearner(arguments, options, nullptr);
  merge.name = run.name;
  merge.licence = base.manifest.licence;
  const std::string fresh = FreshModelPath(here, run, ".gguf");
  {
    Progress progress("merging", ProgressUnit::kItems, globals.quiet || globals.json);
    runtime::MergeAdapter(*artefact::GgufFile::Open(base.path), artefact::ReadAdapterGguf(kept.adapter), merge, fresh,
                          progress.Callback());
  }
  kept.model = KeepModelOfRun(here, run, fresh, &base.manifest);
  return kept;
}

}  // namespace atelier::app
