// atelier studio gc: removes objects that nothing refers to any more. `data rm` does it for what it removes; this finds
// what killed imports and removals left.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/print_collected.h"
#include "base/error.h"
#include "base/progress.h"
#include "guard/audit.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class StudioGc : public Command {
 public:
  void Declare(Cli& cli) override { cli.Flag("--dry-run", &dry_, "only say what would be removed"); }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    data::Collected collected;
    {
      Progress progress("looking for references", ProgressUnit::kItems, globals.quiet || globals.json);
      collected = data::CollectAll(studio, data::Datasets(studio.Path("data")), dry_, progress.Callback());
    }
    if (collected.busy) {
      throw Error(Code::kConflict, "somebody is at work on the studio's datasets, and may need any object",
                  "try again when imports, exports and backups have ended");
    }
    if (!dry_ && collected.objects > 0) {
      guard::Audit(studio.db(), studio.tenant(), guard::LocalActor(), "objects.collected", studio.name(),
                   {{"objects", collected.objects}, {"bytes", collected.bytes}});
    }
    if (globals.json) {
      Json body = ToJson(collected);
      body["dry_run"] = dry_;
      std::cout << ToText(body) << "\n";
    } else {
      std::cout << (dry_ ? "Nothing refers to " : "Removed ") << Counted(collected) << "; " << collected.kept
                << (dry_ ? " are needed.\n" : " are kept.\n");
    }
    return 0;
  }

 private:
  bool dry_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStudioGc() { return Make<StudioGc>(); }

}  // namespace atelier::app
