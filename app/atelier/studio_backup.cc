// atelier studio backup FILE: the whole studio in one file.
#include "app/atelier/command.h"
#include "app/atelier/print_backup.h"
#include "guard/audit.h"

namespace atelier::app {
namespace {

class StudioBackup : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("file", &file_, "where to write it, by custom NAME.tar.zst", true);
    cli.Flag("--without-secrets", &without_secrets_, "leave keys.secret out: after a restore no API key works");
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    store::BackupManifest made;
    {
      Progress progress("saving", ProgressUnit::kBytes, globals.quiet);
      made = store::MakeBackup(studio, file_, !without_secrets_, ATELIER_VERSION, progress.Callback());
    }
    guard::Audit(studio.db(), studio.tenant(), guard::LocalActor(), "studio.saved", file_,
                 {{"files", made.files.size()}, {"secrets", made.secrets}});
    PrintBackup(made, Cat("Saved in ", file_), globals);
    if (made.secrets && !globals.json)
      std::cerr << "It holds the studio's secret and its readers' data: keep it as you keep those.\n";
    return 0;
  }

 private:
  std::string file_;
  bool without_secrets_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStudioBackup() { return Make<StudioBackup>(); }

}  // namespace atelier::app
