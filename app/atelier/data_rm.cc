// atelier data rm NAME@VERSION, or NAME --all: takes a version, or a whole dataset, off the disk, with the
// objects that nothing else refers to.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/print_collected.h"
#include "base/error.h"
#include "base/str.h"
#include "data/collect.h"
#include "store/studio.h"
#include "text/unicode.h"

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
    // What it names is found while it is there; what else names that, once it is gone. A version that cannot be read is
    // removed all the same.
    datasets.Path(ref);  // throws where there is none
    std::set<std::string> named;
    std::string why;
    try {
      named = data::ObjectsOf(studio, datasets, ref);
    } catch (const Error& e) {
      why = e.what();
    }
    datasets.Remove(ref);
    data::Collected collected;
    try {
      collected = data::Collect(studio, datasets, std::move(named));
    } catch (const Error& e) {  // another version is damaged: what it names is not known
      why = e.what();
    }
    if (collected.busy) why = "somebody is at work on the studio's datasets";
    if (globals.json) {
      Json body = {{"removed", {{"name", ref.name}, {"version", ref.version}}}, {"objects", ToJson(collected)}};
      if (!why.empty()) body["objects"]["left_because"] = why;
      std::cout << ToText(body) << "\n";
    } else {
      std::cout << "Removed " << ref_;
      if (collected.objects > 0) std::cout << ", and " << Counted(collected) << ", that nothing else refers to";
      std::cout << ".\n";
      if (!why.empty()) {
        std::cerr << "Its objects are left: " << text::ForTerminal(why, 500)
                  << ". `atelier studio gc` removes what nothing refers to.\n";
      }
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
