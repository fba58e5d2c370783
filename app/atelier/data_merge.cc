// atelier data merge OUT A B...: datasets become one, records with the same key one record.
#include <functional>
#include <iostream>
#include <memory>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/str.h"
#include "data/merge/merge.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class DataMerge : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &name_, "the dataset to make, or to give a new version", true);
    cli.Texts("sources", &sources_, "NAME or NAME@VERSION, in the order in which they count");
    cli.Texts("--key", &key_, "the field whose equal values are the same record; repeat for a key of several");
    cli.Text("--on-conflict", &rule_, "first, newest:FIELD, longest, error or keep-both (default first)");
    cli.Flag("--fold-key", &fold_, "case, width and white space of keys do not count");
    cli.Text("--config", &config_, "a TOML file with key, fold_key, on_conflict and [fields], instead of the above");
    cli.Int("--memory", &memory_, "MiB before it spills to disk (default 256)", 1, 1 << 20);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    data::MergeOptions options;
    if (!config_.empty()) {
      if (!key_.empty() || !rule_.empty() || fold_)
        throw Error(Code::kUsage, "--config says what --key and the others would");
      options = data::ReadMergeOptions(Table::Load(config_));
    } else {
      options.key = key_;
      options.fold_key = fold_;
      options.rule = data::ReadConflictRule(rule_.empty() ? "first" : rule_, false);
    }
    options.memory = static_cast<size_t>(memory_) << 20;
    Stages stages(name_, globals);
    const data::MergeOutcome outcome =
        data::MergeDatasets(data::Datasets(studio.Path("data")), name_, sources_, options, std::ref(stages));
    stages.End();
    if (globals.json) {
      std::cout << ToText(Json{{"dataset", data::ToJson(outcome.manifest)}, {"report", outcome.report}}) << "\n";
      return 0;
    }
    PrintVersion(outcome.manifest);
    const Json& report = outcome.report;
    std::cout << report["records"] << " records, " << report["merged"] << " made of several";
    if (report["kept_apart"] != 0) std::cout << ", " << report["kept_apart"] << " kept apart";
    if (report["without_key"] != 0) std::cout << ", " << report["without_key"] << " without a key";
    std::cout << "\n";
    if (!report["conflicts"].empty()) {
      TextTable table({"field", "conflicts"});
      for (const auto& [field, count] : report["conflicts"].items()) table.Add({field, Cat(count.get<uint64_t>())});
      std::cout << table.Text();
      std::cerr << "merge.json in the version's folder shows the first " << report["examples"].size() << ".\n";
    }
    return 0;
  }

 private:
  std::string name_, rule_, config_;
  std::vector<std::string> sources_, key_;
  int64_t memory_ = 256;
  bool fold_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDataMerge() { return Make<DataMerge>(); }

}  // namespace atelier::app
