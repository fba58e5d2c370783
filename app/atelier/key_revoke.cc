// atelier key revoke KEY: a key stops working for good.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/key_json.h"
#include "base/str.h"
#include "guard/audit.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class KeyRevoke : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("key", &key_, "its id, or its first characters as `atelier key list` shows them", true);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    std::string_view which = key_;
    if (which.ends_with("...")) which.remove_suffix(3);
    const guard::KeyInfo revoked = guard::RevokeKey(studio.db(), studio.tenant(), guard::LocalActor(), which);
    if (globals.json) {
      std::cout << ToText({{"revoked", KeyJson(revoked)}}) << "\n";
    } else {
      std::cout << "Revoked " << revoked.name << " (" << revoked.prefix
                << "...). A running server knows it after SIGHUP.\n";
    }
    return 0;
  }

 private:
  std::string key_;
};

}  // namespace

std::unique_ptr<Command> MakeKeyRevoke() { return Make<KeyRevoke>(); }

}  // namespace atelier::app
