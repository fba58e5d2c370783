// atelier data dedup NAME: the next version of a dataset, without its duplicates.
#include <functional>
#include <iostream>
#include <memory>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "data/dedup/dedup_dataset.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class DataDedup : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("dataset", &ref_, "NAME or NAME@VERSION", true);
    cli.Texts("--field", &options_.fields, "a field to compare; repeat for more (default: every field of text)");
    cli.Flag("--exact", &options_.exact, "only equal texts: case, width and white space do not count");
    cli.Double("--threshold", &options_.threshold, "least Jaccard similarity of near duplicates (default 0.8)", 0.3, 1);
    cli.Text("--keep", &keep_, "which record stays: longest, first or newest:FIELD (default longest)");
    cli.Double("--recall", &options_.recall, "chance to find a pair that is just as similar (default 0.95)", 0.5,
               0.999);
    cli.Int("--shingle-chars", &chars_, "characters in a shingle of Chinese (default 3)", 1, 16);
    cli.Int("--shingle-words", &words_, "words in a shingle of English (default 2)", 1, 16);
    cli.Int("--memory", &memory_, "MiB before it spills to disk (default 256)", 1, 1 << 20);
    cli.Int("--threads", &threads_, "default: all processors", 1, 256);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    data::ReadSurvivor(keep_, &options_);
    options_.shingles = {static_cast<int>(chars_), static_cast<int>(words_)};
    options_.memory = static_cast<size_t>(memory_) << 20;
    options_.threads = static_cast<int>(threads_.value_or(ThreadPool::DefaultThreads()));
    Stages stages(ref_, globals);
    const data::DedupOutcome outcome =
        data::DedupDataset(data::Datasets(studio.Path("data")), ref_, options_, std::ref(stages));
    stages.End();
    if (globals.json) {
      std::cout << ToText(Json{{"dataset", data::ToJson(outcome.manifest)}, {"report", outcome.report}}) << "\n";
      return 0;
    }
    const data::DedupStats& s = outcome.stats;
    PrintVersion(outcome.manifest);
    std::cout << s.records << " records, " << s.exact << " equal and " << s.near << " near ones left out of "
              << s.clusters << (s.clusters == 1 ? " cluster\n" : " clusters\n");
    if (s.exact + s.near > 0) {
      std::cerr << "`atelier data show " << outcome.manifest.Reference() << " --rejects` says which and why.\n";
    }
    return 0;
  }

 private:
  data::DedupOptions options_;
  std::string ref_, keep_ = "longest";
  int64_t chars_ = 3, words_ = 2, memory_ = 256;
  std::optional<int64_t> threads_;
};

}  // namespace

std::unique_ptr<Command> MakeDataDedup() { return Make<DataDedup>(); }

}  // namespace atelier::app
