// atelier studio verify [FILE]: whether a backup, or the studio itself, is whole.
#include <filesystem>

#include "app/atelier/command.h"
#include "app/atelier/print_backup.h"
#include "base/file.h"
#include "base/hash.h"

namespace atelier::app {
namespace {

class StudioVerify : public Command {
 public:
  void Declare(Cli& cli) override { cli.Text("file", &file_, "a backup (default: the studio itself)"); }

  int Run(const Globals& globals) override {
    if (!file_.empty()) {
      store::BackupManifest sound;
      {
        Progress progress("reading", ProgressUnit::kBytes, globals.quiet);
        sound = store::CheckBackup(file_, progress.Callback());
      }
      PrintBackup(sound, Cat(file_, " is sound"), globals);
      return 0;
    }
    store::Studio studio = store::Studio::Require(globals.studio, ".", store::Access::kReadIfMust);
    std::vector<std::string> faults;
    if (const std::string why = studio.db().Check(); !why.empty()) faults.push_back(Cat("studio.db: ", why));
    const size_t objects = CheckObjects(studio, globals, &faults);
    if (globals.json) {
      std::cout << ToText({{"sound", faults.empty()}, {"objects", objects}, {"faults", faults}}) << "\n";
    } else {
      for (const std::string& fault : faults) std::cout << fault << "\n";
      std::cout << (faults.empty() ? "The studio is sound: its database, " : "Looked at its database, ") << objects
                << " objects.\n";
    }
    return faults.empty() ? 0 : 1;
  }

 private:
  // Every object against its name, which is its hash.
  static size_t CheckObjects(const store::Studio& studio, const Globals& globals, std::vector<std::string>* faults) {
    Progress progress("objects", ProgressUnit::kItems, globals.quiet);
    size_t count = 0;
    for (const std::string& folder : ListFolder(studio.Path("objects"))) {
      if (folder.size() != 2) continue;
      for (const std::string& name : ListFolder(studio.Path(Cat("objects/", folder)))) {
        if (name.size() != 62) continue;
        progress.Update(++count, 0);
        const std::string path = Cat("objects/", folder, "/", name);
        if (Sha256HexOfFile(studio.Path(path)) != Cat(folder, name)) faults->push_back(Cat(path, ": is damaged"));
      }
    }
    return count;
  }

  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakeStudioVerify() { return Make<StudioVerify>(); }

}  // namespace atelier::app
