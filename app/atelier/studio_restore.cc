// atelier studio restore FILE DIR: a studio from its backup.
#include "app/atelier/command.h"
#include "app/atelier/print_backup.h"
#include "artefact/registry.h"
#include "guard/audit.h"

namespace atelier::app {
namespace {

class StudioRestore : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("file", &file_, "what `atelier studio backup` wrote", true);
    cli.Text("dir", &folder_, "the folder to make; it must not be there, or be empty", true);
  }

  int Run(const Globals& globals) override {
    store::BackupManifest restored;
    {
      Progress progress("restoring", ProgressUnit::kBytes, globals.quiet);
      restored = store::RestoreBackup(file_, folder_, progress.Callback());
    }
    store::Studio studio = store::Studio::Open(folder_);
    guard::Audit(studio.db(), studio.tenant(), guard::LocalActor(), "studio.restored", file_,
                 {{"files", restored.files.size()}, {"created_at", restored.created_at}});
    PrintBackup(restored, Cat("Restored in ", folder_), globals);
    const artefact::Registry registry(&studio);
    for (const artefact::ModelEntry& model : registry.List()) {
      if (model.registered && !model.present)
        std::cerr << "The model " << model.name << " lies in its user's store, which is not here: fetch it again by "
                  << "`atelier model pull`.\n";
    }
    return 0;
  }

 private:
  std::string file_, folder_;
};

}  // namespace

std::unique_ptr<Command> MakeStudioRestore() { return Make<StudioRestore>(); }

}  // namespace atelier::app
