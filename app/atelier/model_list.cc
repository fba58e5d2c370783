// atelier model list: the studio's models, then those that only the user's store has.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "app/atelier/text_table.h"
#include "base/json.h"
#include "base/str.h"

namespace atelier::app {
namespace {

class ModelList : public Command {
 public:
  void Declare(Cli&) override {}

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const std::vector<artefact::ModelEntry> models = here->models->List();
    if (globals.json) {
      Json list = Json::array();
      for (const artefact::ModelEntry& entry : models) {
        const artefact::Manifest& m = entry.manifest;
        list.push_back({{"name", entry.name},
                        {"path", entry.path},
                        {"registered", entry.registered},
                        {"present", entry.present},
                        {"architecture", m.architecture},
                        {"quantisation", m.quantisation},
                        {"parameters", m.parameters},
                        {"bytes", m.bytes},
                        {"licence", m.licence},
                        {"sha256", m.sha256},
                        {"source", m.source}});
      }
      std::cout << ToText({{"models", list}}) << "\n";
      return 0;
    }
    if (models.empty()) {
      std::cout << "No models yet. `atelier model pull smollm2` fetches one.\n";
      return 0;
    }
    TextTable table({"NAME", "ARCHITECTURE", "QUANTISATION", "SIZE", "LICENCE", "WHERE"});
    for (const artefact::ModelEntry& entry : models) {
      const artefact::Manifest& m = entry.manifest;
      const std::string where = !entry.present     ? "registered, its file is gone"
                                : entry.registered ? "studio"
                                                   : "your store";
      table.Add({entry.name, m.architecture, m.quantisation, FormatBytes(m.bytes), m.licence, where});
    }
    std::cout << table.Text();
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> MakeModelList() { return Make<ModelList>(); }

}  // namespace atelier::app
