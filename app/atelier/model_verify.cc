// atelier model verify [MODEL]: reads the whole file again and holds it against what was registered.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"

namespace atelier::app {
namespace {

class ModelVerify : public Command {
 public:
  void Declare(Cli& cli) override { cli.Text("model", &model_, "a registered name or a path (default: all models)"); }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    std::vector<artefact::ModelEntry> models;
    if (model_.empty()) {
      models = here->models->List();
    } else {
      models.push_back(Named(*here->models));
    }
    Json list = Json::array();
    bool all_sound = true;
    for (const artefact::ModelEntry& entry : models) {
      artefact::Registry::Verdict verdict;
      {
        Progress progress(Cat("verifying ", entry.name), ProgressUnit::kBytes, globals.quiet);
        verdict = here->models->Verify(entry, progress.Callback());
      }
      all_sound = all_sound && verdict.sound;
      if (entry.registered) {
        here->models->Tell("model.verified", entry.name, {{"sound", verdict.sound}, {"problem", verdict.problem}});
      }
      list.push_back({{"name", entry.name},
                      {"path", entry.path},
                      {"sound", verdict.sound},
                      {"problem", verdict.problem},
                      {"sha256", verdict.sha256}});
      if (!globals.json) {
        std::cout << entry.name << ": "
                  << (!verdict.sound                  ? Cat("damaged: ", verdict.problem)
                      : entry.manifest.sha256.empty() ? Cat("well formed; no hash is on record, it is ", verdict.sha256)
                                                      : "sound")
                  << "\n";
      }
    }
    if (globals.json) std::cout << ToText({{"models", list}, {"sound", all_sound}}) << "\n";
    if (!globals.json && models.empty()) std::cout << "There are no models to verify.\n";
    return all_sound ? 0 : 1;
  }

 private:
  // A damaged file cannot be resolved by its path, and shall be told about all the same.
  artefact::ModelEntry Named(const artefact::Registry& models) const {
    for (const artefact::ModelEntry& entry : models.List()) {
      if (entry.name == model_) return entry;
    }
    if (FileExists(model_)) return {.name = model_, .path = model_, .manifest = {}};
    return models.Resolve(model_);
  }

  std::string model_;
};

}  // namespace

std::unique_ptr<Command> MakeModelVerify() { return Make<ModelVerify>(); }

}  // namespace atelier::app
