// atelier run search SEARCH.toml: trains with other settings again and again, and says which are best.
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "app/atelier/studio_here.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "job/learner.h"
#include "track/search_report.h"

namespace atelier::app {
namespace {

std::atomic<bool> search_interrupted{false};

// A trial is a run of atelier-learn in the trial's folder, up to a step.
class Learner : public track::TrialRunner {
 public:
  Learner(std::string metric, std::string datasets) : metric_(std::move(metric)), datasets_(std::move(datasets)) {}

  double Run(const track::Trial& trial, int64_t steps) override {
    const std::string config = Cat(trial.folder, "/trial.toml");
    WriteFileAtomic(config, trial.config);
    std::vector<std::string> arguments = {"train",      "--config", config,     "--run",
                                          trial.folder, "--until",  Cat(steps), "--courteous"};
    if (FileExists(Cat(trial.folder, "/last.safetensors"))) arguments.emplace_back("--resume");
    if (!datasets_.empty()) arguments.insert(arguments.end(), {"--datasets", datasets_});
    std::map<std::string, double> values;  // by the names that metrics.jsonl has
    job::LearnerOptions options;
    options.stop = &search_interrupted;
    const Json done = job::RunLearner(arguments, options, [&](const std::string& event, const Json& fields) {
      if (event != "step" && event != "validation") return;
      const char* kind = event == "step" ? "train/" : "validation/";
      for (const auto& [name, value] : fields["values"].items()) {
        if (value.is_number()) values[Cat(kind, name)] = value.get<double>();
      }
    });
    if (done.value("ending", "") == "interrupted") throw Error(Code::kCancelled, "the search was stopped");
    const auto it = values.find(metric_);
    if (it != values.end()) return it->second;
    std::vector<std::string> names;
    for (const auto& [name, value] : values) names.push_back(name);
    throw Error(Code::kInvalidInput, Cat("a run tells no ", Quote(metric_)), Cat("it tells ", Join(names, ", ")));
  }

 private:
  std::string metric_, datasets_;
};

class RunSearchCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("search", &file_, "the search (docs/formats/search.md)", true);
    cli.Text("--folder", &folder_, "where it keeps its state (default: runs/NAME in the studio, or here)");
    cli.Text("--lang", &language_, "of the page: zh or en (default: by LANG)");
  }

  int Run(const Globals& globals) override {
    const std::string language = PageLanguage(language_);
    const auto here = OpenHere(globals);
    const std::string base = here->studio ? here->studio->folder() : ".";
    const std::string folder =
        folder_.empty() ? Cat(base, "/runs/", std::filesystem::path(file_).stem().string()) : folder_;
    const track::SearchSettings settings = track::LoadSearch(file_);
    Learner learner(settings.metric, here->studio ? Cat(base, "/data") : "");
    std::signal(SIGINT, [](int) { search_interrupted = true; });
    track::SearchState state;
    {
      Progress progress("searching", ProgressUnit::kItems, globals.quiet || globals.json);
      state = track::RunSearch(settings, folder, &learner, [&](const track::SearchProgress& now) {
        progress.Update(static_cast<uint64_t>(now.runs), static_cast<uint64_t>(now.planned),
                        now.trial == nullptr ? "" : Cat("trial ", now.trial->number));
      });
    }
    const std::string page = track::WriteSearchPage(state, folder, language);
    if (globals.json) {
      Json out = track::SearchJson(state);
      out["folder"] = folder;
      out["report"] = page;
      std::cout << ToText(out) << "\n";
      return 0;
    }
    const std::vector<std::vector<std::string>> rows = track::SearchTable(state, language);
    TextTable table(rows.at(0));
    for (size_t i = 1; i < rows.size(); ++i) table.Add(rows[i]);
    std::cout << table.Text() << "best: " << folder << "/best.toml\npage: " << page << "\n";
    return 0;
  }

 private:
  std::string file_, folder_, language_;
};

}  // namespace

std::unique_ptr<Command> MakeRunSearch() { return std::make_unique<RunSearchCommand>(); }

}  // namespace atelier::app
