// atelier train CONFIG.toml: trains a model in a child process, and registers what came out.
#include <filesystem>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/training_run.h"
#include "app/atelier/tuned_model.h"
#include "artefact/manifest.h"
#include "artefact/model_file.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::app {
namespace {

class TrainCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("config", &config_, "the training configuration (docs/formats/train.md)", true);
    cli.Text("--run", &run_, "the run's folder (default: runs/NAME in the studio, or here)");
    cli.Int("--nproc", &processes_, "processes that train together, each on its share of the cores", 1, 1024);
    cli.Text("--lang", &language_, "of the run's page: zh or en (default: by LANG)");
    cli.Flag("--resume", &resume_, "go on from the run's last checkpoint");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    TrainingRun run;
    run.name = Name();
    run.config = config_;
    run.folder = run_.empty() ? RunFolder(*here, run.name) : run_;
    run.language = language_;
    run.processes = static_cast<int>(processes_);
    run.resume = resume_;
    CheckRun(*here, run);
    Json done = RunTraining(*here, run, globals);
    const bool stopped = done["ending"] == "interrupted";
    const std::string model = stopped ? "" : Keep(*here, run, globals);
    done["report"] = ReportOfRun(run);
    if (globals.json) {
      if (!model.empty()) done["model"] = model;
      std::cout << ToText(done) << "\n";
    } else {
      PrintTrainingEnd(done, model);
    }
    return stopped ? 130 : 0;
  }

 private:
  // The best checkpoint as a model.
  static std::string Keep(StudioHere& here, const TrainingRun& run, const Globals& globals) {
    const artefact::Manifest trained = artefact::DescribeFile(BestOfRun(run));
    const bool decoder = trained.architecture == "decoder", adapted = trained.config.contains("rank");
    if (decoder || adapted) {
      const auto base = here.models->Resolve(Table::Load(run.config).Sub("model").String("init"));
      if (decoder) return KeepTunedModel(here, run, base, std::nullopt, globals).model;
      return ExportRun(here, run, ".safetensors", &base.manifest);
    }
    // Only the engine's own forms become GGUF.
    const bool gpt = trained.architecture == "gpt" && trained.config.value("form", "llama") == "llama";
    return ExportRun(here, run, gpt ? ".gguf" : ".safetensors", nullptr);
  }

  // [run] name, else the file's own.
  std::string Name() const {
    Table table = Table::Load(config_);
    std::string name;
    if (auto run = table.SubOr("run")) name = run->StringOr("name", "");
    if (name.empty()) name = std::filesystem::path(config_).stem().string();
    if (!artefact::IsModelName(name))
      throw Error(Code::kInvalidInput, Cat(config_, ": ", Quote(name), " cannot name a run"), "set run.name");
    return name;
  }

  std::string config_, run_, language_;
  int64_t processes_ = 1;
  bool resume_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTrain() { return std::make_unique<TrainCommand>(); }

}  // namespace atelier::app
