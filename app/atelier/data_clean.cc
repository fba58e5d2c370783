// atelier data clean NAME --config F.toml: a declared list of operations gives the next version of a dataset.
#include <algorithm>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "data/clean/clean_dataset.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

std::string Pad(const std::string& text, size_t width, bool right) {
  const auto columns = static_cast<size_t>(text::DisplayWidth(text));
  const std::string blanks(columns < width ? width - columns : 0, ' ');
  return right ? blanks + text : text + blanks;
}

void PrintReport(const data::clean::Report& report) {
  std::cout << report.read << " records read, " << report.kept << " kept\n\n";
  std::cout << Pad("operation", 18, false) << Pad("seen", 12, true) << Pad("changed", 12, true)
            << Pad("dropped", 12, true) << "\n";
  const auto row = [](const std::string& name, const data::clean::Tally& tally) {
    std::cout << Pad(name, 18, false) << Pad(Cat(tally.seen), 12, true) << Pad(Cat(tally.changed), 12, true)
              << Pad(Cat(tally.dropped), 12, true) << "\n";
    for (const auto& [reason, count] : tally.reasons) {
      std::cout << "  " << count << " × " << text::ForTerminal(reason) << "\n";
    }
    for (const data::clean::Example& example : tally.changes) {
      std::cout << "  record " << example.record << ": " << text::TakeColumns(text::ForTerminal(example.before), 60)
                << "\n    → " << text::TakeColumns(text::ForTerminal(example.after), 60) << "\n";
    }
    for (const data::clean::Example& example : tally.drops) {
      std::cout << "  record " << example.record << " dropped, " << example.reason << ": "
                << text::TakeColumns(text::ForTerminal(example.before), 60) << "\n";
    }
  };
  if (report.unreadable.dropped > 0) row("read", report.unreadable);
  for (const data::clean::OperationReport& one : report.operations) {
    row(one.name, one.tally);
    if (!one.findings.is_null()) std::cout << "  " << text::ForTerminal(ToText(one.findings), 400) << "\n";
  }
  std::cout << "\n";
}

class DataClean : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("dataset", &request_.dataset, "NAME, or NAME@3 for an older version", true);
    cli.Text("--config", &config_, "the list of operations, TOML", true);
    cli.Text("--into", &request_.into, "the dataset that gets the new version (default: the same)");
    cli.Text("--fitted", &request_.fitted,
             "take means, categories and the like from this version or file instead of fitting them");
    cli.Text("--lang", &language_, "of the report's page: zh or en (default: by LANG)");
    cli.Int("--threads", &threads_, "threads; the result is the same with any number (default: all processors)", 1,
            256);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    request_.language = PageLanguage(language_);
    request_.toml = ReadFile(config_, 4u << 20);
    request_.toml_file = config_;
    request_.threads = static_cast<int>(threads_.value_or(ThreadPool::DefaultThreads()));
    const data::Datasets datasets(studio.Path("data"));
    data::clean::CleanedDataset cleaned;
    {
      Progress progress(Cat("cleaning ", request_.dataset), ProgressUnit::kBytes, globals.quiet || globals.json);
      request_.progress = progress.Callback();
      cleaned = data::clean::CleanDataset(datasets, request_);
    }
    const std::string page = datasets.Path(cleaned.manifest.Reference()) + "/clean.html";
    if (globals.json) {
      std::cout << ToText(Json{{"dataset", data::ToJson(cleaned.manifest)},
                               {"report", cleaned.report.ToJson()},
                               {"page", page}})
                << "\n";
      return 0;
    }
    PrintReport(cleaned.report);
    PrintVersion(cleaned.manifest);
    std::cerr << "What changed, as a page: " << page << "\n";
    if (cleaned.manifest.rejects > 0) {
      std::cerr << cleaned.manifest.rejects << " records were dropped; `atelier data show "
                << cleaned.manifest.Reference() << " --rejects` says which and why.\n";
    }
    return 0;
  }

 private:
  data::clean::CleanRequest request_;
  std::string config_, language_;
  std::optional<int64_t> threads_;
};

}  // namespace

std::unique_ptr<Command> MakeDataClean() { return Make<DataClean>(); }

}  // namespace atelier::app
