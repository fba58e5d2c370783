// atelier data list: the studio's datasets. Reads manifests only.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "data/dataset.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class DataList : public Command {
 public:
  void Declare(Cli& cli) override { cli.Flag("--all", &all_, "every version, not the newest of each name alone"); }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio, ".", store::Access::kReadIfMust);
    const data::Datasets datasets(studio.Path("data"));
    Json list = Json::array();
    TextTable table({"dataset", "records", "rejected", "text", "made by", "at"});
    for (const std::string& name : datasets.Names()) {
      std::vector<int> versions = datasets.Versions(name);
      if (!all_) versions = {versions.back()};
      for (const int version : versions) {
        data::Manifest m;
        try {
          m = datasets.Load(data::DatasetRef{name, version});
        } catch (const Error& e) {  // one that is damaged does not hide the others
          std::cerr << "atelier: " << e.Line() << "\n";
          continue;
        }
        if (globals.json) {
          list.push_back({{"name", m.name},
                          {"version", m.version},
                          {"records", m.records},
                          {"rejects", m.rejects},
                          {"bytes", m.bytes},
                          {"operation", m.recipe.operation},
                          {"created_at", m.created_at},
                          {"licence", m.licence},
                          {"content_hash", m.content_hash}});
        } else {
          table.Add({m.Reference(), Cat(m.records), Cat(m.rejects), FormatBytes(m.bytes), m.recipe.operation,
                     FormatTime(m.created_at)});
        }
      }
    }
    if (globals.json) {
      std::cout << ToText(Json{{"datasets", std::move(list)}}) << "\n";
    } else if (datasets.Names().empty()) {
      std::cout << "No datasets yet. `atelier data import FILE --name NAME` makes one.\n";
    } else {
      std::cout << table.Text();
    }
    return 0;
  }

 private:
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDataList() { return Make<DataList>(); }

}  // namespace atelier::app
