#include "app/atelier/training_run.h"

#include <csignal>
#include <filesystem>
#include <iostream>

#include "app/atelier/data_print.h"
#include "artefact/manifest.h"
#include "artefact/model_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/progress.h"
#include "base/str.h"
#include "job/learner.h"
#include "text/unicode.h"
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

// A long text's end, where what was asked stands, or its beginning.
std::string OneLine(const std::string& text, bool end) {
  constexpr size_t kMost = 120;  // bytes
  const std::string out = ReplaceAll(std::string(Trim(text)), "\n", " ");
  if (out.size() <= kMost) return text::ForTerminal(out);
  const auto inside = [&](size_t at) { return (static_cast<unsigned char>(out[at]) & 0xC0) == 0x80; };
  size_t cut = end ? out.size() - kMost : kMost;
  while (cut < out.size() && inside(cut)) ++cut;
  return end ? Cat("…", text::ForTerminal(out.substr(cut))) : Cat(text::ForTerminal(out.substr(0, cut)), "…");
}

void Print(const std::string& event, const Json& fields) {
  if (event == "validation") {
    std::cout << "step " << fields["step"] << ":";
    for (const auto& [key, value] : fields["values"].items()) std::cout << " " << key << " " << FormatValue(value);
    std::cout << (fields["best"].get<bool>() ? " (best)" : "") << "\n" << std::flush;
  } else if (event == "samples") {
    for (const Json& text : fields.value("texts", Json::array()))
      std::cout << "  | " << ReplaceAll(text.get<std::string>(), "\n", " ") << "\n";
    for (const Json& pair : fields.value("pairs", Json::array())) {
      const auto line = [&](const char* key, bool end) { return OneLine(pair[key].get<std::string>(), end); };
      const std::string wanted = line("reference", false);
      std::cout << "  | " << line("source", true) << " -> " << line("hypothesis", false);
      if (!wanted.empty()) std::cout << " (" << wanted << ")";
      std::cout << "\n";
    }
    for (const Json& path : fields.value("pictures", Json::array()))
      std::cout << "  " << path.get<std::string>() << "\n";
    std::cout << std::flush;
  } else if (event == "start") {
    const auto all = fields["parameters"].get<int64_t>(), learn = fields["learn"].get<int64_t>();
    std::cout << fields["architecture"].get<std::string>() << ", " << learn
              << (learn == all ? " parameters, " : Cat(" of ", all, " parameters learn, "))
              << fields["train"]["records"] << " records";
    for (const char* what : {"empty", "truncated", "dropped"}) {
      if (const auto n = fields["train"].value(what, int64_t{0}); n > 0) std::cout << ", " << n << " " << what;
    }
    std::cout << "\n" << std::flush;
  }
}

std::string ModelsFolder(const StudioHere& here, const TrainingRun& run) {
  return here.studio ? Cat(here.studio->folder(), "/models") : run.folder;
}

}  // namespace

const std::atomic<bool>& TrainingInterrupted() { return interrupted; }

std::string TomlText(const std::string& text) { return ToText(Json(text)); }
std::string TomlTexts(const std::vector<std::string>& texts) { return ToText(Json(texts)); }

std::string SourceOfRun(const std::string& folder) { return Cat("trained: ", folder); }

std::string RunFolder(const StudioHere& here, const std::string& name) {
  return Cat(here.studio ? here.studio->folder() : ".", "/runs/", name);
}

void CheckRun(const StudioHere& here, const TrainingRun& run) {
  if (!run.resume && FileExists(Cat(run.folder, "/last.safetensors"))) {
    throw Error(Code::kConflict, Cat(run.folder, " holds a run already"),
                Cat("go on with it by --resume, or ", run.or_else));
  }
  if (!here.studio) return;
  const auto old = here.models->Registered(run.name);
  if (old && old->manifest.source != SourceOfRun(run.folder)) {
    throw Error(Code::kConflict, Cat("the studio has a model ", run.name, " already, from ", old->manifest.source),
                Cat("name the run otherwise by ", run.name_by));
  }
}

Json RunTraining(const StudioHere& here, const TrainingRun& run, const Globals& globals) {
  std::vector<std::string> arguments = {"train", "--config", run.config, "--run", run.folder, "--courteous"};
  if (run.resume) arguments.emplace_back("--resume");
  if (here.studio) {
    arguments.emplace_back("--datasets");
    arguments.push_back(Cat(here.studio->folder(), "/data"));
  }
  std::signal(SIGINT, [](int) { interrupted = true; });
  job::LearnerOptions options;
  options.stop = &interrupted;
  options.processes = run.processes;
  Json done;
  {
    Progress progress(run.name, ProgressUnit::kItems, globals.quiet || globals.json);
    done = job::RunLearner(arguments, options, [&](const std::string& event, const Json& fields) {
      if (event == "step") {
        std::vector<std::string> notes;
        for (const auto& [key, value] : fields["values"].items()) notes.push_back(Cat(key, " ", FormatValue(value)));
        progress.Update(fields["step"].get<uint64_t>(), fields["steps"].get<uint64_t>(), Join(notes, ", "));
      } else if (!globals.json) {
        Print(event, fields);
      }
    });
  }
  done.erase("event");
  done["run"] = run.folder;
  return done;
}

std::string ReportOfRun(const TrainingRun& run) {
  return track::WriteReportOfRun(run.folder, PageLanguage(run.language));
}

std::string FreshModelPath(const StudioHere& here, const TrainingRun& run, const std::string& ending) {
  const std::string models = ModelsFolder(here, run);
  MakeFolders(models);
  return Cat(models, "/.", run.name, ".new", ending);
}

std::string KeepModelOfRun(StudioHere& here, const TrainingRun& run, const std::string& fresh,
                           const artefact::Manifest* base) {
  const std::string to = Cat(ModelsFolder(here, run), "/", here.studio ? run.name : "model",
                             std::filesystem::path(fresh).extension().string());
  artefact::ModelEntry entry{.name = run.name, .path = to, .manifest = artefact::DescribeFile(fresh)};
  entry.manifest.name = run.name;
  entry.manifest.sha256 = artefact::HashFile(fresh);
  entry.manifest.source = SourceOfRun(run.folder);
  entry.manifest.created_at = NowMillis();
  if (base != nullptr && !base->licence.empty()) entry.manifest.licence = base->licence;
  if (base != nullptr) entry.manifest.terms = base->terms;
  if (here.studio && here.models->Registered(run.name)) here.models->Remove(run.name, /*weights=*/false);
  Rename(fresh, to);
  if (!here.studio) return to;
  here.models->Register(entry, "model.trained");
  return run.name;
}

std::string BestOfRun(const TrainingRun& run) {
  const std::string best = Cat(run.folder, "/best.safetensors");
  return FileExists(best) ? best : Cat(run.folder, "/last.safetensors");
}

std::string ExportRun(StudioHere& here, const TrainingRun& run, const std::string& ending,
                      const artefact::Manifest* base) {
  const std::string fresh = FreshModelPath(here, run, ending);
  job::LearnerOptions options;
  options.stop = &TrainingInterrupted();
  options.background = false;
  job::RunLearner({"export", "--model", BestOfRun(run), "--out", fresh, "--name", run.name}, options, nullptr);
  return KeepModelOfRun(here, run, fresh, base);
}

void PrintTrainingEnd(const Json& done, const std::string& model) {
  std::cout << done["ending"].get<std::string>() << " after " << done["step"] << " steps; best at step "
            << done["best_step"];
  if (done.contains("best")) {
    std::cout << ", " << done["metric"].get<std::string>() << " " << FormatValue(done["best"]);
  }
  std::cout << "\npage: " << done["report"].get<std::string>() << "\n";
  if (!model.empty()) std::cout << "model: " << model << "\n";
}

}  // namespace atelier::app
