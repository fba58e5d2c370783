// atelier model rm NAME: takes a model out of the studio, and with --weights its files out of the user's store.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "base/json.h"

namespace atelier::app {
namespace {

class ModelRm : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &name_, "the model's name", true);
    cli.Flag("--weights", &weights_,
             "delete its files from $ATELIER_HOME/models too (files elsewhere are never deleted)");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const artefact::ModelEntry removed = here->models->Remove(name_, weights_);
    const bool gone = !FileExists(removed.path);
    if (globals.json) {
      std::cout << ToText({{"removed", removed.name}, {"path", removed.path}, {"weights_deleted", gone}}) << "\n";
    } else {
      std::cout << "Removed " << removed.name
                << (gone ? " and its weights.\n" : ". Its weights stay in " + removed.path + "\n");
    }
    return 0;
  }

 private:
  std::string name_;
  bool weights_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelRm() { return Make<ModelRm>(); }

}  // namespace atelier::app
