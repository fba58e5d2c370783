// atelier data rm NAME@VERSION, or NAME --all: takes a version, or a whole dataset, off the disk.
#include <iostream>

#include "app/atelier/command.h"
#include "base/error.h"
#include "base/str.h"
#include "data/dataset.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class DataRm : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &ref_, "NAME@3: one version; NAME with --all: every version", true);
    cli.Flag("--all", &all_, "every version of the name");
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    const data::Datasets datasets(studio.Path("data"));
    const data::DatasetRef ref = data::ParseDatasetRef(ref_);
    if (ref.version == 0 && !all_) {
      throw Error(Code::kUsage, Cat(ref_, ": which version?"), Cat(ref_, "@3 removes one, --all every version"));
    }
    if (ref.version != 0 && all_) throw Error(Code::kUsage, "--all takes a name without a version");
    datasets.Remove(ref);
    if (globals.json) {
      std::cout << ToText(Json{{"removed", {{"name", ref.name}, {"version", ref.version}}}}) << "\n";
    } else {
      std::cout << "Removed " << ref_ << ".\n";
    }
    return 0;
  }

 private:
  std::string ref_;
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDataRm() { return Make<DataRm>(); }

}  // namespace atelier::app
