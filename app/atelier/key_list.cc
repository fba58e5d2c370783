// atelier key list: the studio's API keys, without the keys themselves.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/key_json.h"
#include "app/atelier/text_table.h"
#include "base/ids.h"
#include "base/str.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class KeyList : public Command {
 public:
  void Declare(Cli& cli) override { cli.Flag("--all", &all_, "revoked and expired ones too"); }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    Json list = Json::array();
    TextTable table({"NAME", "KEY", "SCOPES", "STATE", "LIMITS", "LAST USED"});
    for (const guard::KeyInfo& key : guard::ListKeys(studio.db(), studio.tenant())) {
      if (!all_ && KeyState(key) != "live") continue;
      list.push_back(KeyJson(key));
      std::vector<std::string> limits;
      if (key.requests_per_minute > 0) limits.push_back(Cat(key.requests_per_minute, "/min"));
      if (key.tokens_per_day > 0) limits.push_back(Cat(key.tokens_per_day, " tokens/day"));
      table.Add({key.name, key.prefix + "...", Join(key.scopes, ","), KeyState(key), Join(limits, ", "),
                 key.last_used_at == 0 ? "never" : FormatTime(key.last_used_at)});
    }
    if (globals.json) {
      std::cout << ToText({{"keys", list}}) << "\n";
    } else if (list.empty()) {
      std::cout << "No keys. `atelier key create NAME` makes one.\n";
    } else {
      std::cout << table.Text();
    }
    return 0;
  }

 private:
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeKeyList() { return Make<KeyList>(); }

}  // namespace atelier::app
