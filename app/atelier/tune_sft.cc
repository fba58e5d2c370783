// atelier tune sft -m MODEL --data PAIRS: teaches a model replies, by a low-rank adapter.
#include <algorithm>
#include <iostream>
#include <optional>
#include <sstream>

#include "app/atelier/command.h"
#include "app/atelier/training_run.h"
#include "app/atelier/tuned_model.h"
#include "artefact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
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
    cli.Int("--length", &length_, "tokens of a record, at most (default: 512, or the model's context)", 2, 1 << 20);
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
    run.name_by = "--name";
    CheckRun(*here, run);
    MakeFolders(run.folder);
    WriteFileAtomic(run.config, Config(run.name, base.path, Length(base)));
    Json done = RunTraining(*here, run, globals);
    const bool stopped = done["ending"] == "interrupted";
    TunedModel kept;
    if (!stopped) {
      kept = KeepTunedModel(*here, run, base, merge, globals);
      done["model"] = kept.model;
      done["adapter"] = kept.adapter;
      done["peft"] = kept.peft;
    }
    done["report"] = ReportOfRun(run);
    if (globals.json) {
      std::cout << ToText(done) << "\n";
    } else {
      PrintTrainingEnd(done, kept.model);
      if (!stopped) std::cout << "adapter: " << kept.adapter << "\n";
    }
    return stopped ? 130 : 0;
  }

 private:
  // By default as many tokens as the model's context has, 512 at most.
  int64_t Length(const artefact::ModelEntry& base) const {
    const int64_t context = base.manifest.context_length;
    if (length_ && context > 0 && *length_ > context) {
      throw Error(Code::kInvalidInput,
                  Cat("--length ", *length_, " is more than the context of ", base.name, ", ", context));
    }
    return length_ ? *length_ : context > 0 ? std::min<int64_t>(512, context) : 512;
  }

  std::string Config(const std::string& name, const std::string& base, int64_t length) const {
    std::ostringstream out;
    out << "[run]\nname = " << TomlText(name) << "\nseed = " << seed_ << "\n\n[data]\ntrain = " << TomlText(data_);
    if (!validation_.empty()) out << "\nvalidation = " << TomlText(validation_);
    out << "\nprompt = " << TomlText(prompt_) << "\nresponse = " << TomlText(response_)
        << "\nformat = " << TomlText(format_) << "\nsequence_length = " << length
        << "\n\n[model]\narchitecture = \"decoder\"\ninit = " << TomlText(base) << "\nrank = " << rank_
        << "\n\n[train]\nprecision = \"bf16\"\nepochs = " << epochs_ << "\nbatch = " << batch_
        << "\n\n[track]\nsamples = 0\n\n[optimiser]\nrate = " << rate_
        << "\nweight_decay = 0.0\n\n[schedule]\nname = \"cosine\"\n";
    if (!validation_.empty()) out << "\n[validation]\npatience = " << patience_ << "\n";
    return out.str();
  }

  std::string model_, data_, validation_, name_, run_, prompt_ = "prompt", response_ = "response", format_ = "auto",
                                                       merge_ = "q8_0", language_;
  std::optional<int64_t> length_;
  int64_t rank_ = 16, batch_ = 8, patience_ = 2, seed_ = 1;
  double rate_ = 2e-4, epochs_ = 2;
  bool resume_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTuneSft() { return Make<TuneSft>(); }

}  // namespace atelier::app
