#include "app/atelier/tuned_model.h"

#include "artefact/adapter.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "job/learner.h"

namespace atelier::app {

namespace {

// What commands find it by: its name, or where the studio and the user's store know it not, its path.
std::string Findable(const StudioHere& here, const artefact::ModelEntry& model) {
  try {
    if (here.models->Resolve(model.name).path == model.path) return model.name;
  } catch (const Error&) {
  }
  return model.path;
}

}  // namespace

TunedModel KeepTunedModel(StudioHere& here, const TrainingRun& run, const artefact::ModelEntry& base,
                          std::optional<runtime::MergeOptions> merge, const Globals& globals) {
  TunedModel kept;
  kept.base = Findable(here, base);
  kept.adapter = Cat(run.folder, "/adapter.gguf");
  kept.peft = Cat(run.folder, "/peft");
  std::vector<std::string> arguments = {"export",  "--model", BestOfRun(run), "--out",  kept.adapter, "--peft",
                                        kept.peft, "--name",  run.name,       "--base", base.name};
  if (!base.manifest.licence.empty()) {
    arguments.emplace_back("--licence");
    arguments.push_back(base.manifest.licence);
  }
  job::LearnerOptions options;
  options.stop = &TrainingInterrupted();
  options.background = false;
  job::RunLearner(arguments, options, nullptr);
  if (!merge && !here.studio) {  // the run's folder has it
    kept.model = Cat(kept.base, "+", kept.adapter);
    return kept;
  }
  const std::string fresh = FreshModelPath(here, run, ".gguf");
  if (merge) {
    merge->name = run.name;
    merge->licence = base.manifest.licence;
    Progress progress("merging", ProgressUnit::kItems, globals.quiet || globals.json);
    runtime::MergeAdapter(*artefact::GgufFile::Open(base.path), artefact::ReadAdapterGguf(kept.adapter), *merge, fresh,
                          progress.Callback());
  } else {
    WriteFileAtomic(fresh, ReadFile(kept.adapter, UINT64_MAX));
  }
  const std::string model = KeepModelOfRun(here, run, fresh, &base.manifest);
  kept.model = merge ? model : Cat(kept.base, "+", model);
  return kept;
}

}  // namespace atelier::app
