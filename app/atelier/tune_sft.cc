// atelier tune sft -m MODEL --data PAIRS: teaches a model replies, by a low-rank adapter.
#include <iostream>
#include <sstream>

#include "app/atelier/command.h"
#include "app/atelier/training_run.h"
#include "artefact/adapter.h"
#include "artefact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "job/learner.h"
#include "runtime/merge.h"
#include "runtime/quantise.h"

namespace atelier::app {
namespace {

// A text as TOML's basic string.
std::string TomlText(const std::string& text) { return ToText(Json(text)); }

class TuneSft : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("-m,--model", &model_, "the model to tune: a registered name or the path of a GGUF file", true);
    cli.Text("--data", &data_, "a dataset, NAME[@VERSION][:SPLIT], or a file of prompts and replies, or of messages",
             true);
    cli.Text("--validation", &validation_, "the same, held out: what says which checkpoint is best");
    cli.Text("--name", &name_, "of the tuned model (default: the model's name and '-sft')");
    cli.Text("--run", &run_, "the run's folder (default: runs/NAME in the studio, or here)");
    cli.Text("--prompt", &prompt_, "the field with what is given");
    cli.Text("--response", &response_, "the field with what is learned");
    cli.Text("--format", &format_, "chat (the model's template), plain, or auto: chat where there is a template");
    cli.Int("--rank", &rank_, "of the adapter", 1, 4096);
    cli.Double("--rate", &rate_, "of learning", 1e-8, 1);
    cli.Double("--epochs", &epochs_, "how often the data is seen", 0.001, 1000);
    cli.Int("--batch", &batch_, "records a step", 1, 4096);
    cli.Int("--length", &length_, "tokens of a record, at most", 2, 1 << 20);
    cli.Int("--patience", &patience_, "validations without improvement before it ends; 0: never", 0, 1 << 20);
    cli.Int("--seed", &seed_, "of order and beginning", 0, 1 << 30);
    cli.Text("--merge", &merge_, "the type of the merged model's changed matrices; keep: the model's own");
    cli.Text("--lang", &language_, "of the run's page: zh or en (default: by LANG)");
    cli.Flag("--resume", &resume_, "go on from the run's last checkpoint");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const artefact::ModelEntry base = here->models->Resolve(model_);
    runtime::MergeOptions merge;
    if (merge_ != "keep") merge.format = runtime::QuantisationNamed(merge_);
    TrainingRun run;
    run.name = name_.empty() ? Cat(base.name, "-sft") : name_;
    if (!artefact::IsModelName(run.name)) {
      throw Error(Code::kInvalidInput, Cat(Quote(run.name), " cannot name a model"), "give it another by --name");
    }
    run.folder = run_.empty() ? RunFolder(*here, run.name) : run_;
    run.config = Cat(run.folder, "/tune.toml");
    run.language = language_;
    run.resume = resume_;
    CheckRun(*here, run);
    MakeFolders(run.folder);
    WriteFileAtomic(run.config, Config(run.name, base.path));
    Json done = RunTraining(*here, run, globals);
    const bool stopped = done["ending"] == "interrupted";
    std::string model;
    if (!stopped) {
      merge.name = run.name;
      merge.licence = base.manifest.licence;
      model = Keep(*here, run, base, merge, globals);
      done["model"] = model;
      done["adapter"] = Cat(run.folder, "/adapter.gguf");
      done["peft"] = Cat(run.folder, "/peft");
    }
    if (globals.json) {
      std::cout << ToText(done) << "\n";
    } else {
      PrintTrainingEnd(done, model);
      if (!stopped) std::cout << "adapter: " << done["adapter"].get<std::string>() << "\n";
    }
    return stopped ? 130 : 0;
  }

 private:
  std::string Config(const std::string& name, const std::string& base) const {
    std::ostringstream out;
    out << "[run]\nname = " << TomlText(name) << "\nseed = " << seed_ << "\n\n[data]\ntrain = " << TomlText(data_);
    if (!validation_.empty()) out << "\nvalidation = " << TomlText(validation_);
    out << "\nprompt = " << TomlText(prompt_) << "\nresponse = " << TomlText(response_)
        << "\nformat = " << TomlText(format_) << "\nsequence_length = " << length_
        << "\n\n[model]\narchitecture = \"decoder\"\ninit = " << TomlText(base) << "\nrank = " << rank_
        << "\n\n[train]\nprecision = \"bf16\"\nepochs = " << epochs_ << "\nbatch = " << batch_
        << "\n\n[track]\nsamples = 0\n\n[optimiser]\nrate = " << rate_
        << "\nweight_decay = 0.0\n\n[schedule]\nname = \"cosine\"\n";
    if (!validation_.empty()) out << "\n[validation]\npatience = " << patience_ << "\n";
    return out.str();
  }

  // The adapter in both forms, and the merged model, which is what is registered.
  std::string Keep(StudioHere& here, const TrainingRun& run, const artefact::ModelEntry& base,
                   const runtime::MergeOptions& merge, const Globals& globals) const {
    const std::string best = Cat(run.folder, "/best.safetensors"), adapter = Cat(run.folder, "/adapter.gguf");
    job::LearnerOptions options;
    options.stop = &TrainingInterrupted();
    options.background = false;
    job::RunLearner({"export", "--model", FileExists(best) ? best : Cat(run.folder, "/last.safetensors"), "--out",
                     adapter, "--peft", Cat(run.folder, "/peft"), "--name", run.name, "--base", base.name},
                    options, nullptr);
    const std::string fresh = FreshModelPath(here, run, ".gguf");
    Progress progress("merging", ProgressUnit::kItems, globals.quiet || globals.json);
    runtime::MergeAdapter(*artefact::GgufFile::Open(base.path), artefact::ReadAdapterGguf(adapter), merge, fresh,
                          progress.Callback());
    return KeepModelOfRun(here, run, fresh, base.manifest.licence);
  }

  std::string model_, data_, validation_, name_, run_, prompt_ = "prompt", response_ = "response", format_ = "auto",
                                                       merge_ = "q8_0", language_;
  int64_t rank_ = 16, batch_ = 8, length_ = 512, patience_ = 2, seed_ = 1;
  double rate_ = 2e-4, epochs_ = 2;
  bool resume_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTuneSft() { return Make<TuneSft>(); }

}  // namespace atelier::app
