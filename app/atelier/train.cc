// atelier train CONFIG.toml: trains a model in a child process, and registers what came out.
#include <csignal>
#include <filesystem>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "app/atelier/studio_here.h"
#include "artefact/manifest.h"
#include "artefact/model_file.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/progress.h"
#include "base/str.h"
#include "job/learner.h"
#include "track/run_report.h"

namespace atelier::app {
namespace {

std::atomic<bool> interrupted{false};

std::string FormatValue(const Json& value) {
  if (!value.is_number()) return "not a number";
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value.get<double>());
  return text;
}

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
    const std::string name = Name();
    const std::string base = here->studio ? here->studio->folder() : ".";
    const std::string folder = run_.empty() ? Cat(base, "/runs/", name) : run_;
    if (!resume_ && FileExists(Cat(folder, "/last.safetensors"))) {
      throw Error(Code::kConflict, Cat(folder, " holds a run already"),
                  "go on with it by --resume, or name another folder by --run");
    }
    CheckName(*here, name, folder);
    std::vector<std::string> arguments = {"train", "--config", config_, "--run", folder, "--courteous"};
    if (resume_) arguments.emplace_back("--resume");
    if (here->studio) {
      arguments.emplace_back("--datasets");
      arguments.push_back(Cat(base, "/data"));
    }
    std::signal(SIGINT, [](int) { interrupted = true; });
    job::LearnerOptions options;
    options.stop = &interrupted;
    options.processes = static_cast<int>(processes_);
    Progress progress(name, ProgressUnit::kItems, globals.quiet || globals.json);
    const Json done = job::RunLearner(arguments, options, [&](const std::string& event, const Json& fields) {
      if (event == "step") {
        std::vector<std::string> notes;
        for (const auto& [key, value] : fields["values"].items()) notes.push_back(Cat(key, " ", FormatValue(value)));
        progress.Update(fields["step"].get<uint64_t>(), fields["steps"].get<uint64_t>(), Join(notes, ", "));
      } else if (!globals.json) {
        Print(event, fields);
      }
    });
    const std::string model = done["ending"] == "interrupted" ? "" : Keep(*here, name, folder, interrupted);
    const std::string page = track::WriteReportOfRun(folder, PageLanguage(language_));
    if (globals.json) {
      Json out = done;
      out.erase("event");
      out["run"] = folder;
      out["report"] = page;
      if (!model.empty()) out["model"] = model;
      std::cout << ToText(out) << "\n";
    } else {
      std::cout << done["ending"].get<std::string>() << " after " << done["step"] << " steps; best at step "
                << done["best_step"];
      if (done.contains("best")) {
        std::cout << ", " << done["metric"].get<std::string>() << " " << FormatValue(done["best"]);
      }
      std::cout << "\npage: " << page << "\n";
      if (!model.empty()) std::cout << "model: " << model << "\n";
    }
    return done["ending"] == "interrupted" ? 130 : 0;
  }

 private:
  static std::string Source(const std::string& folder) { return Cat("trained: ", folder); }

  // Before hours are spent: the name is free, or stands for what this run made before.
  static void CheckName(const StudioHere& here, const std::string& name, const std::string& folder) {
    if (!here.studio) return;
    const auto old = here.models->Registered(name);
    if (old && old->manifest.source != Source(folder)) {
      throw Error(Code::kConflict, Cat("the studio has a model ", name, " already, from ", old->manifest.source),
                  "name the run otherwise by run.name");
    }
  }

  // The best checkpoint as a model: in a studio registered under the run's name, else beside the run. Its path or name.
  static std::string Keep(StudioHere& here, const std::string& name, const std::string& folder,
                          const std::atomic<bool>& stop) {
    const std::string best = Cat(folder, "/best.safetensors");
    const std::string from = FileExists(best) ? best : Cat(folder, "/last.safetensors");
    // Only the engine's own forms become GGUF.
    const artefact::Manifest trained = artefact::DescribeFile(from);
    const bool gguf = trained.architecture == "gpt" && trained.config.value("form", "llama") == "llama";
    const std::string ending = gguf ? ".gguf" : ".safetensors";
    const std::string models = here.studio ? Cat(here.studio->folder(), "/models") : folder;
    const std::string to = Cat(models, "/", here.studio ? name : "model", ending);
    const std::string fresh = Cat(models, "/.", name, ".new", ending);
    MakeFolders(models);
    job::LearnerOptions options;
    options.stop = &stop;
    options.background = false;
    job::RunLearner({"export", "--model", from, "--out", fresh, "--name", name}, options, nullptr);
    artefact::ModelEntry entry{.name = name, .path = to, .manifest = artefact::DescribeFile(fresh)};
    entry.manifest.name = name;
    entry.manifest.sha256 = artefact::HashFile(fresh);
    entry.manifest.source = Source(folder);
    entry.manifest.created_at = NowMillis();
    if (here.studio && here.models->Registered(name)) here.models->Remove(name, /*weights=*/false);
    Rename(fresh, to);
    if (!here.studio) return to;
    here.models->Register(entry, "model.trained");
    return name;
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

  static void Print(const std::string& event, const Json& fields) {
    if (event == "validation") {
      std::cout << "step " << fields["step"] << ":";
      for (const auto& [key, value] : fields["values"].items()) std::cout << " " << key << " " << FormatValue(value);
      std::cout << (fields["best"].get<bool>() ? " (best)" : "") << "\n" << std::flush;
    } else if (event == "samples") {
      for (const Json& text : fields.value("texts", Json::array()))
        std::cout << "  | " << ReplaceAll(text.get<std::string>(), "\n", " ") << "\n";
      for (const Json& pair : fields.value("pairs", Json::array()))
        std::cout << "  | " << pair["source"].get<std::string>() << " -> " << pair["hypothesis"].get<std::string>()
                  << " (" << pair["reference"].get<std::string>() << ")\n";
      for (const Json& path : fields.value("pictures", Json::array()))
        std::cout << "  " << path.get<std::string>() << "\n";
      std::cout << std::flush;
    } else if (event == "start") {
      std::cout << fields["architecture"].get<std::string>() << ", " << fields["parameters"] << " parameters, "
                << fields["train"]["records"] << " records";
      for (const char* what : {"empty", "truncated", "dropped"}) {
        if (const auto n = fields["train"].value(what, int64_t{0}); n > 0) std::cout << ", " << n << " " << what;
      }
      std::cout << "\n" << std::flush;
    }
  }

  std::string config_, run_, language_;
  int64_t processes_ = 1;
  bool resume_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTrain() { return std::make_unique<TrainCommand>(); }

}  // namespace atelier::app
