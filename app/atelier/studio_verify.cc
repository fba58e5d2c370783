// atelier studio verify [FILE]: whether a backup, or the studio itself, is whole.
#include <filesystem>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/print_backup.h"
#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "retrieve/index.h"

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
    const size_t versions = CheckDatasets(studio, globals, &faults), indexes = CheckIndexes(studio, &faults);
    if (globals.json) {
      std::cout << ToText({{"sound", faults.empty()},
                           {"objects", objects},
                           {"datasets", versions},
                           {"indexes", indexes},
                           {"faults", faults}})
                << "\n";
    } else {
      for (const std::string& fault : faults) std::cout << fault << "\n";
      std::cout << (faults.empty() ? "The studio is sound: its database, " : "Looked at its database, ") << objects
                << " objects, " << versions << " versions of datasets, " << indexes << " indexes.\n";
    }
    return faults.empty() ? 0 : 1;
  }

 private:
  // Every object against its name, which is its hash.
  static size_t CheckObjects(const store::Studio& studio, const Globals& globals, std::vector<std::string>* faults) {
    Progress progress("objects", ProgressUnit::kItems, globals.quiet);
    const store::Objects objects = studio.objects();
    const std::vector<std::string> hashes = objects.Hashes();
    size_t count = 0;
    for (const std::string& hash : hashes) {
      progress.Update(++count, hashes.size());
      if (!objects.IsSound(hash)) faults->push_back(Cat(objects.Path(hash), ": is damaged"));
    }
    return count;
  }

  // Every shard of every version against its hash.
  static size_t CheckDatasets(const store::Studio& studio, const Globals& globals, std::vector<std::string>* faults) {
    Progress progress("datasets", ProgressUnit::kItems, globals.quiet);
    const data::Datasets datasets(studio.Path("data"));
    size_t count = 0;
    for (const std::string& name : datasets.Names()) {
      for (const int version : datasets.Versions(name)) {
        progress.Update(++count, 0);
        Try(faults, [&] {
          const data::DatasetReader reader(datasets.Path({name, version}));
          reader.ReadAll([](std::string_view) { return true; });
          reader.ReadRejects([](std::string_view) { return true; });
        });
      }
    }
    return count;
  }

  // Opening holds every part against its checksum.
  static size_t CheckIndexes(store::Studio& studio, std::vector<std::string>* faults) {
    size_t count = 0;
    for (const std::string& name : retrieve::ListIndexes(studio.folder())) {  // not what a killed writer began
      ++count;
      Try(faults, [&] { retrieve::Index::Open(studio.Path(Cat("indexes/", name)), WordsOf(studio)); });
    }
    return count;
  }

  template <typename Work>
  static void Try(std::vector<std::string>* faults, const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      faults->push_back(error.Line());
    }
  }

  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakeStudioVerify() { return Make<StudioVerify>(); }

}  // namespace atelier::app
