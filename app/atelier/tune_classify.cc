// atelier tune classify -m ENCODER --data RECORDS: teaches an encoder to name the class of a text, by low-rank adapters
// beside its weights and one layer behind them.
#include <iostream>
#include <sstream>

#include "app/atelier/command.h"
#include "app/atelier/list_option.h"
#include "app/atelier/training_run.h"
#include "artefact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::app {
namespace {

class TuneClassify : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("-m,--model", &model_,
             "the encoder: e5-small, minilm, or the path of a GGUF file of the architecture bert", true);
    cli.Text("--data", &data_, "a dataset, NAME[@VERSION][:SPLIT], or a file of texts and their classes", true);
    cli.Text("--validation", &validation_, "the same, held out: what says which checkpoint is best, by macro F1");
    cli.Text("--text", &text_, "the field with the text");
    cli.Text("--label", &label_, "the field with its class");
    cli.Texts("--labels", &labels_, "every class there may be: a,b,c, or repeated; without it, those that occur");
    cli.Text("--name", &name_, "of the classifier (default: the encoder's name and '-classify')");
    cli.Text("--run", &run_, "the run's folder (default: runs/NAME in the studio, or here)");
    cli.Int("--rank", &rank_, "of the adapters", 1, 4096);
    cli.Texts("--targets", &targets_,
              "which linear layers have one, by GGUF's names or Hugging Face's; without it, all of the blocks'");
    cli.Text("--pool", &pool_, "what the class is read from: mean (of all tokens) or cls (the first)");
    cli.Double("--rate", &rate_, "of learning", 1e-8, 1);
    cli.Double("--epochs", &epochs_, "how often the data is seen", 0.001, 1000);
    cli.Int("--batch", &batch_, "texts a step", 1, 4096);
    cli.Int("--length", &length_, "tokens of a text, at most (default: 128, or the model's context)", 2, 1 << 20);
    cli.Int("--patience", &patience_, "validations without improvement before it ends; 0: never", 0, 1 << 20);
    cli.Int("--seed", &seed_, "of order and beginning", 0, 1 << 30);
    cli.Text("--lang", &language_, "of the run's page: zh or en (default: by LANG)");
    cli.Flag("--resume", &resume_, "go on from the run's last checkpoint");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const artefact::ModelEntry base = here->models->Resolve(model_);
    if (base.manifest.architecture != "bert") {
      throw Error(Code::kInvalidInput,
                  Cat(base.name, " is a model of architecture ", Quote(base.manifest.architecture), ", no encoder"),
                  "a language model learns class names as replies by `tune sft`, and `classify --labels` reads them");
    }
    TrainingRun run;
    run.name = name_.empty() ? Cat(base.name, "-classify") : name_;
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
    WriteFileAtomic(run.config, Config(run.name, base));
    Json done = RunTraining(*here, run, globals);
    const bool stopped = done["ending"] == "interrupted";
    const std::string model = stopped ? "" : ExportRun(*here, run, ".safetensors", &base.manifest);
    done["report"] = ReportOfRun(run);
    if (globals.json) {
      if (!stopped) done["model"] = model;
      std::cout << ToText(done) << "\n";
    } else {
      PrintTrainingEnd(done, model);
    }
    return stopped ? 130 : 0;
  }

 private:
  // By default as many tokens as the model's context has, 128 at most.
  int64_t Length(const artefact::ModelEntry& base) const {
    const int64_t context = base.manifest.context_length;
    if (length_ && context > 0 && *length_ > context) {
      throw Error(Code::kInvalidInput,
                  Cat("--length ", *length_, " is more than the context of ", base.name, ", ", context));
    }
    return length_ ? *length_ : context > 0 ? std::min<int64_t>(128, context) : 128;
  }

  std::string Config(const std::string& name, const artefact::ModelEntry& base) {
    std::ostringstream out;
    out << "[run]\nname = " << TomlText(name) << "\nseed = " << seed_ << "\n\n[data]\ntrain = " << TomlText(data_);
    if (!validation_.empty()) out << "\nvalidation = " << TomlText(validation_);
    out << "\ntext = " << TomlText(text_) << "\nlabel = " << TomlText(label_);
    if (!labels_.empty()) out << "\nclasses = " << TomlTexts(ReadList("--labels", labels_));
    out << "\nsequence_length = " << Length(base)
        << "\n\n[model]\narchitecture = \"bert_classifier\"\ninit = " << TomlText(base.path)
        << "\npool = " << TomlText(pool_) << "\nrank = " << rank_;
    if (!targets_.empty()) out << "\ntargets = " << TomlTexts(ReadList("--targets", targets_));
    out << "\n\n[train]\nprecision = \"bf16\"\nepochs = " << epochs_ << "\nbatch = " << batch_
        << "\n\n[optimiser]\nrate = " << rate_
        << "\nweight_decay = 0.0\n\n[schedule]\nname = \"linear\"\nfinal = 0.0\n";
    if (!validation_.empty()) out << "\n[validation]\nmetric = \"macro_f1\"\npatience = " << patience_ << "\n";
    return out.str();
  }

  std::string model_, data_, validation_, text_ = "text", label_ = "label", name_, run_, pool_ = "mean", language_;
  std::vector<std::string> labels_, targets_;
  std::optional<int64_t> length_;
  int64_t rank_ = 16, batch_ = 16, patience_ = 2, seed_ = 1;
  double rate_ = 5e-4, epochs_ = 5;
  bool resume_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTuneClassify() { return Make<TuneClassify>(); }

}  // namespace atelier::app
