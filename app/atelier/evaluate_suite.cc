// atelier evaluate suite SUITE.toml: cases through every arm, measures against their cut-offs, a page that compares.
#include <algorithm>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "app/atelier/recipe_run.h"
#include "app/atelier/report_option.h"
#include "app/atelier/segmenter_option.h"
#include "app/atelier/suite_here.h"
#include "app/atelier/text_table.h"
#include "artefact/registry.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::app {
namespace {

constexpr size_t kShownCases = 3;  // per missed cut-off, in the terminal

class EvaluateSuite : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("suite", &suite_file_, "the suite's file", true);
    cli.Text("--out", &out_,
             "folder for results.json, junit.xml, index.html and history.jsonl (default: in the studio)");
    cli.Text("--baseline", &baseline_,
             "results.json to compare with, or none (default: the last run in --out that held)");
    cli.Texts("--arm", &only_, "only this arm; again for further ones");
    cli.Texts("--model", &models_,
              "this model, or MODEL+ADAPTER, in the place of all that the arms name; again for further ones, each held "
              "against the first");
    cli.Int("--jobs", &jobs_, "cases at once (default: twice the processors)", 1, 256);
    cli.Flag("--no-cache", &no_cache_, "make every output anew");
    segmenter_.Declare(cli);
    report_.Declare(cli);
    cli.Text("--lang", &language_, "of the page: zh or en (default: by LANG)");
  }

  int Run(const Globals& globals) override {
    const bool chinese = PageLanguage(language_) == "zh";
    if (report_.wanted()) report_.Check({suite_file_});
    store::Studio studio = StudioForRuns(globals.studio);
    experiment::Suite suite = LoadSuiteHere(studio, suite_file_, &segmenter_, globals);
    ChooseArms(&suite);
    if (!models_.empty()) {
      const artefact::Registry registry(&studio);
      for (const std::string& model : models_)
        registry.ResolveAdapted(model);  // a slip is found before minutes of work
      experiment::WithModels(models_, &suite);
    }
    if (out_.empty()) out_ = studio.Path(Cat("suites/", suite.name));
    MakeFolders(out_);  // a folder that cannot be written is found now, not after minutes
    const experiment::SuiteResult result = RunSuiteHere(studio, &suite, {FindBaseline(), !no_cache_, jobs_}, globals);
    const bool whole = only_.empty() && models_.empty();
    Json json = experiment::ToJson(result, suite);
    const std::vector<experiment::Trend> history = WriteSuite(out_, result, suite, json, whole, chinese);

    json.erase("outputs");  // they are in results.json
    json["files"] = {{"results", Cat(out_, "/results.json")},
                     {"junit", Cat(out_, "/junit.xml")},
                     {"page", Cat(out_, "/index.html")}};
    if (report_.wanted()) {
      Notes notes;
      for (const std::string& note : result.notes) notes.push_back({note, note});
      report_.Write(experiment::SuiteReport(result, suite, history, report_.chinese()), notes, globals, &json);
    }
    if (globals.json) {
      std::cout << ToText(json) << "\n";
    } else {
      Print(result, suite);
    }
    return result.passed ? 0 : 1;
  }

 private:
  void ChooseArms(experiment::Suite* suite) const {
    if (only_.empty()) return;
    std::vector<std::string> names;
    for (const experiment::Arm& arm : suite->arms) names.push_back(arm.name);
    for (const std::string& name : only_) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      throw Error(Code::kUsage, Cat("the suite ", suite->name, " has no arm ", Quote(name)),
                  Cat("it has ", Join(names, ", ")));
    }
    std::erase_if(suite->arms, [&](const experiment::Arm& arm) {
      return std::find(only_.begin(), only_.end(), arm.name) == only_.end();
    });
  }

  std::optional<experiment::Baseline> FindBaseline() const {
    if (baseline_ == "none") return std::nullopt;
    if (!baseline_.empty()) return experiment::ReadBaseline(baseline_);
    if (!models_.empty()) return std::nullopt;  // its arms are others
    const std::string last = Cat(out_, "/passed.json");
    if (!FileExists(last)) return std::nullopt;
    return experiment::ReadBaseline(last);
  }

  static std::string Show(const std::optional<experiment::Difference>& difference) {
    if (!difference) return "";
    const std::string text = FormatFixed(difference->difference, 3);
    if (text == "-0.000" || text == "0.000") return "0.000";
    return Cat(difference->difference > 0 ? "+" : "", text, difference->p < 0.05 ? "*" : "");
  }

  void Print(const experiment::SuiteResult& result, const experiment::Suite& suite) const {
    TextTable table({"MEASURE", "ARM", "SCORE", "95 %", "CASES", "LAST RUN", "FIRST ARM", "CUT-OFF"});
    for (size_t m = 0; m < suite.measures.size(); ++m) {
      for (const experiment::ArmResult& arm : result.arms) {
        const experiment::Cell& cell = arm.cells[m];
        if (!cell.asked) continue;
        const bool any = !cell.rows.empty();
        table.Add({suite.measures[m].name, arm.arm.name, any ? FormatFixed(cell.score, 3) : "-",
                   any ? Cat(FormatFixed(cell.interval.low, 3), " to ", FormatFixed(cell.interval.high, 3)) : "",
                   Cat(cell.rows.size()), Show(cell.baseline), Show(cell.first),
                   !suite.measures[m].cutoff.any() ? ""
                   : cell.failures.empty()         ? "holds"
                                                   : experiment::FailureLine(cell)});
      }
    }
    std::cout << table.Text();
    for (size_t m = 0; m < suite.measures.size(); ++m) {
      for (const experiment::ArmResult& arm : result.arms) PrintWhy(result, suite.measures[m], arm, m);
    }
    for (const experiment::ArmResult& arm : result.arms) {
      for (size_t i = 0, shown = 0; i < arm.outputs.size() && shown < kShownCases; ++i) {
        if (arm.outputs[i].error.empty()) continue;
        std::cout << "failed: " << arm.arm.name << ", case " << result.cases[i].id << " (" << result.cases[i].where
                  << "): " << arm.outputs[i].error << "\n";
        ++shown;
      }
    }
    for (const std::string& note : result.notes) std::cout << "note: " << note << "\n";
    size_t cached = 0, all = 0;
    for (const experiment::ArmResult& arm : result.arms) {
      cached += arm.cached;
      if (arm.arm.outputs.empty()) all += arm.outputs.size();
    }
    std::cout << (result.passed ? "every cut-off holds" : "NOT GOOD ENOUGH") << ": " << result.cases.size()
              << (result.cases.size() == 1 ? " case, " : " cases, ") << result.arms.size()
              << (result.arms.size() == 1 ? " arm, " : " arms, ") << cached << " of " << all
              << " outputs from the cache";
    if (!result.baseline_time.empty()) std::cout << "; against the run of " << result.baseline_time.substr(0, 16);
    std::cout << "\npage: " << out_ << "/index.html\n";
  }

  // The cases that show why a cut-off is missed.
  static void PrintWhy(const experiment::SuiteResult& result, const experiment::MeasureSpec& spec,
                       const experiment::ArmResult& arm, size_t m) {
    const experiment::Cell& cell = arm.cells[m];
    if (cell.failures.empty()) return;
    std::cout << "\n" << spec.name << ", " << arm.arm.name << ": " << experiment::FailureLine(cell) << "\n";
    size_t shown = 0;
    for (const size_t i : experiment::WorstCases(cell, spec.measure->score().lower_is_better())) {
      const experiment::Value& value = *cell.values[i];
      if ((spec.measure->assertion() && value.held) || shown++ == kShownCases) break;
      std::cout << "  case " << result.cases[i].id << " (" << result.cases[i].where
                << "): " << (value.counted && !spec.measure->assertion() ? FormatFixed(value.value, 4) : "")
                << (value.reason.empty() ? "" : " ") << value.reason.en << "\n";
      const experiment::Output& output = arm.outputs[i];
      if (output.there()) std::cout << "    " << Quote(ToText(output.fields), 300) << "\n";
    }
  }

  std::string suite_file_, out_, baseline_, language_;
  std::vector<std::string> only_, models_;
  std::optional<int64_t> jobs_;
  bool no_cache_ = false;
  SegmenterOption segmenter_;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateSuite() { return Make<EvaluateSuite>(); }

}  // namespace atelier::app
