// atelier tune sft|distil|dpo|ipo|orpo|reward|kto|grpo|reinforce -m MODEL --data RECORDS: teaches a model, by a
// low-rank adapter, replies as they are, what a greater model says of them, which of two is preferred, which are
// wanted, or what a scorer says of its own.
#include <algorithm>
#include <iostream>
#include <optional>
#include <sstream>
#include <utility>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "app/atelier/list_option.h"
#include "app/atelier/recipe_run.h"
#include "app/atelier/suite_here.h"
#include "app/atelier/training_run.h"
#include "app/atelier/tuned_model.h"
#include "artefact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/quantise.h"
#include "track/suite_section.h"

namespace atelier::app {
namespace {

// What a record holds beside its prompt.
enum class Eats { kReplies, kPreferences, kJudged, kPrompts };

struct Kind {
  std::string objective;  // model/objective.h
  Eats eats;
  double rate, epochs, beta;  // by default
};

class Tune : public Command {
 public:
  explicit Tune(Kind kind) : kind_(std::move(kind)), rate_(kind_.rate), epochs_(kind_.epochs), beta_(kind_.beta) {
    if (kind_.eats == Eats::kPrompts) batch_ = 4;  // of which each has many replies
  }

  void Declare(Cli& cli) override {
    cli.Text("-m,--model", &model_, "the model to tune: a registered name or the path of a GGUF file", true);
    cli.Text("--data", &data_,
             Cat("a dataset, NAME[@VERSION][:SPLIT], or a file of ",
                 kind_.eats == Eats::kReplies       ? "prompts and replies, or of messages"
                 : kind_.eats == Eats::kPreferences ? "prompts, each with a chosen and a rejected reply"
                 : kind_.eats == Eats::kJudged      ? "prompts and replies, each with whether it was wanted"
                                                    : "prompts, or of messages"),
             true);
    cli.Text("--validation", &validation_, "the same, held out: what says which checkpoint is best");
    cli.Text("--name", &name_, Cat("of the adapter (default: the model's name and '-", kind_.objective, "')"));
    cli.Text("--run", &run_, "the run's folder (default: runs/NAME in the studio, or here)");
    cli.Text("--prompt", &prompt_, "the field with what is given");
    if (kind_.eats == Eats::kPreferences) {
      cli.Text("--chosen", &chosen_, "the field with the reply that was chosen");
      cli.Text("--rejected", &rejected_, "the field with the one that was not");
    } else if (kind_.eats != Eats::kPrompts) {
      cli.Text("--response", &response_,
               kind_.eats == Eats::kJudged ? "the field with the reply" : "the field with what is learned");
    }
    if (kind_.eats == Eats::kPrompts) {
      cli.Text(
          "--scorer", &scorer_,
          "a program, its arguments behind it, that is given lines {\"record\", \"reply\"} and answers each with a "
          "line that is a number: the greater, the better",
          true);
      cli.Int("--samples", &samples_, "replies to each prompt", 2, 256);
      cli.Int("--reply-tokens", &reply_tokens_, "of a reply, at most", 1, 1 << 16);
      cli.Double("--temperature", &temperature_, "of sampling", 1e-3, 100);
    }
    if (HasTeacher()) {
      cli.Text("--teacher", &teacher_, "the model to learn from: a name, MODEL+ADAPTER, or a path; of one vocabulary",
               true);
      cli.Double("--label-weight", &label_weight_, "of the replies themselves beside what the teacher says of them", 0,
                 1);
      cli.Double("--soften", &soften_, "temperature at which both models' probabilities are compared", 0.01, 100);
    }
    if (kind_.eats == Eats::kJudged)
      cli.Text("--label", &label_, "the field that says whether it was wanted: true or false");
    if (HasBeta()) {
      cli.Double("--beta", &beta_,
                 kind_.objective == "orpo" ? "the weight of the preference beside the reply itself"
                                           : "how dear it is to leave the model as it was",
                 kind_.eats == Eats::kPrompts ? 0 : 1e-6, 1e6);
    }
    if (MayLikeChosen())
      cli.Double("--chosen-weight", &chosen_weight_,
                 "of the chosen reply itself, as sft learns it, beside the preference", 0, 1e6);
    cli.Text(
        "--keep", &keep_,
        "text that the model should go on writing as it does, a dataset or a file: what leads it away from that costs");
    cli.Double("--keep-weight", &keep_weight_, "how much", 0, 1e6);
    cli.Text("--format", &format_, "chat (the model's template), plain, or auto: chat where there is a template");
    cli.Int("--rank", &rank_, "of the adapter", 1, 4096);
    cli.Texts("--targets", &targets_,
              "which linear layers have one, by GGUF's names or Hugging Face's; without it, all of the blocks'");
    cli.Double("--rate", &rate_, "of learning", 1e-8, 1);
    cli.Double("--epochs", &epochs_, "how often the data is seen", 0.001, 1000);
    cli.Int("--batch", &batch_, "records a step", 1, 4096);
    cli.Int("--length", &length_, "tokens of a record, at most (default: 512, or the model's context)", 2, 1 << 20);
    cli.Int("--patience", &patience_, "validations without improvement before it ends; 0: never", 0, 1 << 20);
    cli.Int("--seed", &seed_, "of order and beginning", 0, 1 << 30);
    cli.Text("--merge", &merge_,
             "register the model with the adapter laid into it instead; what its changed matrices become, as "
             "q8_0; keep: the model's own types");
    if (Writes()) {
      cli.Text("--suite", &suite_,
               "a suite that the model is held to as it was and as it became; the run's page shows both");
      segmenter_.Declare(cli);
    }
    cli.Text("--lang", &language_, "of the run's page: zh or en (default: by LANG)");
    cli.Flag("--resume", &resume_, "go on from the run's last checkpoint");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const artefact::ModelEntry base = here->models->Resolve(model_);
    if (HasTeacher()) Find(*here, base);
    std::optional<runtime::MergeOptions> merge;
    if (!merge_.empty()) merge.emplace();
    if (!merge_.empty() && merge_ != "keep") merge->format = runtime::QuantisationNamed(merge_);
    TrainingRun run;
    run.name = name_.empty() ? Cat(base.name, "-", kind_.objective) : name_;
    if (!artefact::IsModelName(run.name)) {
      throw Error(Code::kInvalidInput, Cat(Quote(run.name), " cannot name a model"), "give it another by --name");
    }
    run.folder = run_.empty() ? RunFolder(*here, run.name) : run_;
    run.config = Cat(run.folder, "/tune.toml");
    run.language = language_;
    run.resume = resume_;
    run.name_by = "--name";
    CheckRun(*here, run);
    if (!suite_.empty()) LoadSuiteHere(StudioForRuns(globals.studio), suite_, &segmenter_, globals);  // throws now
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
    if (!stopped && !suite_.empty()) {
      done["suite"] = HoldToSuite(run, {kept.base, kept.model}, globals);
      ReportOfRun(run);
    }
    if (globals.json) {
      std::cout << ToText(done) << "\n";
    } else {
      PrintTrainingEnd(done, kept.model);
      if (!stopped) std::cout << "adapter: " << kept.adapter << "\n";
      if (done.contains("suite")) std::cout << "suite: " << done["suite"]["page"].get<std::string>() << "\n";
    }
    return stopped ? 130 : 0;
  }

 private:
  bool HasBeta() const { return kind_.beta > 0; }
  bool MayLikeChosen() const { return kind_.objective == "dpo" || kind_.objective == "ipo"; }
  bool Writes() const { return kind_.objective != "reward"; }
  bool HasTeacher() const { return kind_.objective == "distil"; }

  // Into RUN/suite, where the run's page looks for it. What it says of cut-offs is no failure of the tuning.
  Json HoldToSuite(const TrainingRun& run, const std::vector<std::string>& models, const Globals& globals) {
    store::Studio studio = StudioForRuns(globals.studio);
    experiment::Suite suite = LoadSuiteHere(studio, suite_, &segmenter_, globals);
    experiment::WithModels(models, &suite);
    const std::string folder = Cat(run.folder, "/", track::kSuiteFolder);
    MakeFolders(folder);
    const experiment::SuiteResult result = RunSuiteHere(studio, &suite, {}, globals);
    WriteSuite(folder, result, suite, experiment::ToJson(result, suite), /*whole=*/false,
               PageLanguage(language_) == "zh");
    return {{"name", suite.name},
            {"passed", result.passed},
            {"results", Cat(folder, "/results.json")},
            {"page", Cat(folder, "/index.html")}};
  }

  void Find(const StudioHere& here, const artefact::ModelEntry& student) {
    const artefact::ModelEntry teacher = here.models->ResolveAdapted(teacher_);
    if (teacher.path == student.path && !teacher.adapter) {
      throw Error(Code::kInvalidInput, Cat(Quote(model_), " is its own teacher"), "name another by --teacher");
    }
    teacher_path_ = teacher.path;
    if (teacher.adapter) teacher_adapter_ = teacher.adapter->path;
  }

  // By default as many tokens as the model's context has, 512 at most.
  int64_t Length(const artefact::ModelEntry& base) const {
    const int64_t context = base.manifest.context_length;
    if (length_ && context > 0 && *length_ > context) {
      throw Error(Code::kInvalidInput,
                  Cat("--length ", *length_, " is more than the context of ", base.name, ", ", context));
    }
    if (kind_.eats == Eats::kPrompts && context > 0) {  // a prompt leaves room for its reply
      const int64_t room = context - reply_tokens_;
      if (room < 2 || (length_ && *length_ > room)) {
        throw Error(Code::kInvalidInput, Cat("--length and --reply-tokens ", reply_tokens_,
                                             " are more than the context of ", base.name, ", ", context));
      }
      return length_ ? *length_ : std::min<int64_t>(512, room);
    }
    return length_ ? *length_ : context > 0 ? std::min<int64_t>(512, context) : 512;
  }

  std::string Config(const std::string& name, const std::string& base, int64_t length) const {
    std::ostringstream out;
    out << "[run]\nname = " << TomlText(name) << "\nseed = " << seed_ << "\n\n[data]\ntrain = " << TomlText(data_);
    if (!validation_.empty()) out << "\nvalidation = " << TomlText(validation_);
    out << "\nprompt = " << TomlText(prompt_);
    if (kind_.eats == Eats::kPreferences) {
      out << "\nchosen = " << TomlText(chosen_) << "\nrejected = " << TomlText(rejected_);
    } else if (kind_.eats != Eats::kPrompts) {
      out << "\nresponse = " << TomlText(response_);
    }
    if (kind_.eats == Eats::kJudged) out << "\nlabel = " << TomlText(label_);
    out << "\nformat = " << TomlText(format_) << "\nsequence_length = " << length
        << "\n\n[model]\narchitecture = \"decoder\"\nobjective = " << TomlText(kind_.objective)
        << "\ninit = " << TomlText(base) << "\nrank = " << rank_;
    if (!targets_.empty()) out << "\ntargets = " << TomlTexts(ReadList("--targets", targets_));
    if (HasBeta()) out << "\nbeta = " << beta_;
    if (chosen_weight_ > 0) out << "\nchosen_weight = " << chosen_weight_;
    if (HasTeacher()) {
      out << "\nteacher = " << TomlText(teacher_path_) << "\nlabel_weight = " << label_weight_
          << "\ntemperature = " << soften_;
      if (!teacher_adapter_.empty()) out << "\nteacher_adapter = " << TomlText(teacher_adapter_);
    }
    if (!keep_.empty()) out << "\n\n[keep]\ntext = " << TomlText(keep_) << "\nweight = " << keep_weight_;
    out << "\n\n[train]\nprecision = \"bf16\"\nepochs = " << epochs_ << "\nbatch = " << batch_
        << (kind_.eats == Eats::kPrompts ? "\ngradient_checkpointing = true" : "")
        << "\n\n\n[optimiser]\nrate = " << rate_ << "\nweight_decay = 0.0\n\n[schedule]\nname = \"cosine\"\n";
    if (!validation_.empty()) out << "\n[validation]\npatience = " << patience_ << "\n";
    if (kind_.eats != Eats::kPrompts) return out.str();
    if (!validation_.empty()) out << "metric = \"score\"\ngoal = \"max\"\n";
    out << "\n[checkpoint]\nevery = 10\n";  // a step takes long, and a scorer may fail
    out << "\n[rollout]\nsamples = " << samples_ << "\ntokens = " << reply_tokens_ << "\ntemperature = " << temperature_
        << "\nscorer = [";
    const char* comma = "";
    for (const std::string& word : Split(scorer_, ' ')) {
      if (!word.empty()) out << std::exchange(comma, ", ") << TomlText(word);
    }
    out << "]\n";
    return out.str();
  }

  std::string model_, data_, validation_, name_, run_,
      prompt_ = "prompt", response_ = "response", chosen_ = "chosen", rejected_ = "rejected", label_ = "label",
      format_ = "auto", merge_, language_, scorer_, suite_, teacher_, teacher_path_, teacher_adapter_, keep_;
  std::vector<std::string> targets_;
  const Kind kind_;
  SegmenterOption segmenter_;
  std::optional<int64_t> length_;
  int64_t rank_ = 16, batch_ = 8, patience_ = 2, seed_ = 1;
  int64_t samples_ = 8, reply_tokens_ = 64;
  double rate_, epochs_, beta_, temperature_ = 1, label_weight_ = 0.5, soften_ = 1, chosen_weight_ = 0,
                                keep_weight_ = 1;
  bool resume_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTuneSft() { return std::make_unique<Tune>(Kind{"sft", Eats::kReplies, 2e-4, 2, 0}); }
std::unique_ptr<Command> MakeTuneDistil() { return std::make_unique<Tune>(Kind{"distil", Eats::kReplies, 2e-4, 2, 0}); }
std::unique_ptr<Command> MakeTuneDpo() { return std::make_unique<Tune>(Kind{"dpo", Eats::kPreferences, 5e-5, 1, 0.1}); }
std::unique_ptr<Command> MakeTuneIpo() { return std::make_unique<Tune>(Kind{"ipo", Eats::kPreferences, 5e-5, 1, 0.1}); }
std::unique_ptr<Command> MakeTuneOrpo() {
  return std::make_unique<Tune>(Kind{"orpo", Eats::kPreferences, 1e-4, 2, 0.1});
}
std::unique_ptr<Command> MakeTuneReward() {
  return std::make_unique<Tune>(Kind{"reward", Eats::kPreferences, 1e-4, 1, 0});
}
std::unique_ptr<Command> MakeTuneKto() { return std::make_unique<Tune>(Kind{"kto", Eats::kJudged, 5e-5, 1, 0.1}); }
std::unique_ptr<Command> MakeTuneGrpo() { return std::make_unique<Tune>(Kind{"grpo", Eats::kPrompts, 5e-5, 1, 0.04}); }
std::unique_ptr<Command> MakeTuneReinforce() {
  return std::make_unique<Tune>(Kind{"reinforce", Eats::kPrompts, 5e-5, 1, 0.04});
}

}  // namespace atelier::app
