// atelier init DIR: makes a folder a studio.
#include <iostream>

#include "app/atelier/command.h"
#include "base/json.h"
#include "base/str.h"
#include "guard/audit.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class Init : public Command {
 public:
  void Declare(Cli& cli) override { cli.Text("dir", &folder_, "the folder; made if it is not there", true); }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Init(folder_);
    guard::Audit(studio.db(), studio.tenant(), guard::LocalActor(), "studio.made", studio.name());
    if (globals.json) {
      std::cout << ToText({{"studio", studio.folder()}, {"name", studio.name()}, {"tenant", studio.tenant()}}) << "\n";
    } else {
      std::cout << "Made the studio " << studio.name() << " in " << studio.folder() << "\n"
                << "Next: cd there, and `atelier model pull smollm2`.\n";
    }
    return 0;
  }

 private:
  std::string folder_;
};

}  // namespace

std::unique_ptr<Command> MakeInit() { return Make<Init>(); }

}  // namespace atelier::app
