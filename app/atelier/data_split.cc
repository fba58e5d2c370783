// atelier data split NAME: the next version of a dataset, every record with its part: train, valid or test.
#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <memory>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "data/split/split.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class DataSplit : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("dataset", &ref_, "NAME or NAME@VERSION", true);
    cli.Double("--train", &options_.parts[0].second, "share of the records (default 0.8)", 0, 1);
    cli.Double("--valid", &options_.parts[1].second, "share of the records (default 0.1)", 0, 1);
    cli.Double("--test", &options_.parts[2].second, "share of the records (default 0.1)", 0, 1);
    cli.Text("--stratify", &options_.stratify, "a field, such as a label, whose values get the same shares");
    cli.Text("--group", &options_.group, "a field, such as a reader, whose equal values stay together");
    cli.Text("--time", &options_.time, "a field with dates or numbers: the past is train, the latest is test");
    cli.Int("--seed", &seed_, "of the division (default 1)", 0, INT64_MAX);
    cli.Flag("--no-near", &no_near_, "near duplicates need not stay together");
    cli.Double("--threshold", &options_.similar.threshold, "least similarity of near duplicates (default 0.8)", 0.3, 1);
    cli.Texts("--field", &options_.similar.fields, "a field that near duplicates share; repeat (default: all text)");
    cli.Flag("--fresh", &options_.fresh, "place all records anew, wherever older versions had them");
    cli.Int("--memory", &memory_, "MiB before it spills to disk (default 256)", 1, 1 << 20);
    cli.Int("--threads", &threads_, "default: all processors", 1, 256);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    options_.seed = static_cast<uint64_t>(seed_);
    options_.near = !no_near_;
    options_.similar.recall = 0.99;  // a missed pair is a leak, a needless comparison only time
    options_.similar.memory = static_cast<size_t>(memory_) << 20;
    options_.similar.threads = static_cast<int>(threads_.value_or(ThreadPool::DefaultThreads()));
    Stages stages(ref_, globals);
    const data::SplitOutcome outcome =
        data::SplitDataset(data::Datasets(studio.Path("data")), ref_, options_, std::ref(stages));
    stages.End();
    if (globals.json) {
      std::cout << ToText(Json{{"dataset", data::ToJson(outcome.manifest)}, {"report", outcome.report}}) << "\n";
      return 0;
    }
    PrintVersion(outcome.manifest);
    const Json& report = outcome.report;
    if (!report["older"].is_null()) {
      std::cout << report["known_before"] << " records stay where " << report["older"].get<std::string>()
                << " had them";
      if (report["moved"] != 0) std::cout << ", but " << report["moved"] << " that new records tie to another part";
      std::cout << "\n";
    }
    TellOff(outcome);
    return 0;
  }

 private:
  // A part far from its share wants a reason.
  void TellOff(const data::SplitOutcome& outcome) const {
    constexpr double kFar = 0.05;
    const Json& report = outcome.report;
    const auto all = static_cast<double>(std::max<uint64_t>(1, outcome.manifest.records));
    const bool stayed = report["known_before"].get<double>() > all / 2;
    const bool large = report["largest_component"].get<double>() > kFar * all / 2;
    for (const auto& [name, share] : options_.parts) {
      const auto at = outcome.manifest.splits.find(name);
      const double got = at == outcome.manifest.splits.end() ? 0 : static_cast<double>(at->second) / all;
      if (std::abs(got - share) <= kFar || !(stayed || large)) continue;
      std::cerr << "note: " << name << " has " << std::lround(100 * got) << " % of the records instead of "
                << std::lround(100 * share) << " %: ";
      if (stayed) {
        std::cerr << "most stay where an older version had them; --fresh places all anew\n";
      } else {
        std::cerr << report["largest_component"]
                  << " of them belong together (the same group, or near duplicates) and are "
                  << "never divided"
                  << (options_.near ? "; --no-near lets near duplicates part, dedup takes them out" : "") << "\n";
      }
      return;
    }
  }

  data::SplitOptions options_;
  std::string ref_;
  int64_t seed_ = 1, memory_ = 256;
  std::optional<int64_t> threads_;
  bool no_near_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDataSplit() { return Make<DataSplit>(); }

}  // namespace atelier::app
