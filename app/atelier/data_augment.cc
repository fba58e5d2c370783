// atelier data augment NAME --config F.toml: the next version of a dataset, with changed copies of its train side.
#include <functional>
#include <iostream>
#include <memory>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "base/str.h"
#include "data/augment/augment.h"
#include "store/objects.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class DataAugment : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("dataset", &ref_, "NAME or NAME@VERSION, split before", true);
    cli.Text("--config", &config_, "a TOML file: seed, copies, and [[step]]s (docs/formats/data_operations.md)", true);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    const data::AugmentOptions options = data::ReadAugmentOptions(config_);
    Stages stages(ref_, globals);
    const store::Objects objects = studio.objects();
    const data::AugmentOutcome outcome =
        data::AugmentDataset(data::Datasets(studio.Path("data")), ref_, options, std::ref(stages), &objects);
    stages.End();
    if (globals.json) {
      std::cout << ToText(Json{{"dataset", data::ToJson(outcome.manifest)}, {"report", outcome.report}}) << "\n";
      return 0;
    }
    PrintVersion(outcome.manifest);
    const Json& report = outcome.report;
    std::cout << report["copies"] << " copies of " << report["chosen"] << " records; " << report["unchanged"]
              << " came out unchanged and were left out\n";
    if (report["unreadable"] > 0) {
      std::cerr << report["unreadable"] << (report["unreadable"] == 1 ? " file" : " files")
                << " could not be read and got no copies; `atelier data show " << outcome.manifest.Reference()
                << " --rejects` says which and why.\n";
    }
    for (size_t i = 0; i < report["examples"].size() && i < 3; ++i) {
      const Json& example = report["examples"][i];
      std::cout << "  " << text::ForTerminal(example["text"].get<std::string>(), 200) << "\n  -> "
                << text::ForTerminal(example["copy"].get<std::string>(), 200) << "\n";
    }
    return 0;
  }

 private:
  std::string ref_, config_;
};

}  // namespace

std::unique_ptr<Command> MakeDataAugment() { return Make<DataAugment>(); }

}  // namespace atelier::app
