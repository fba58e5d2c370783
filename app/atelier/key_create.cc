// atelier key create NAME: makes an API key and shows it once.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/key_json.h"
#include "base/ids.h"
#include "base/str.h"
#include "guard/audit.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class KeyCreate : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &wanted_.name, "what the key is for, or whose it is", true);
    cli.Texts("--scope", &wanted_.scopes,
              "what it may do: " + Join(guard::AllScopes(), ", ") + "; repeat for more (default: generate)");
    cli.Int("--requests-per-minute", &wanted_.requests_per_minute, "0: no limit", 0, 1'000'000);
    cli.Int("--tokens-per-day", &wanted_.tokens_per_day, "prompt and output together, days in UTC; 0: no limit", 0,
            1'000'000'000'000);
    cli.Int("--days", &days_, "how long it holds; 0: until it is revoked", 0, 36'500);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    if (wanted_.scopes.empty()) wanted_.scopes = {"generate"};
    if (days_ > 0) wanted_.expires_at = NowMillis() + days_ * 86'400'000;
    const std::string secret = guard::StudioSecret(studio.SecretPath());
    const guard::CreatedKey made = guard::CreateKey(studio.db(), studio.tenant(), guard::LocalActor(), secret, wanted_);
    if (globals.json) {
      std::cout << ToText({{"key", made.key}, {"info", KeyJson(made.info)}}) << "\n";
      return 0;
    }
    // The key alone on standard output, so that it can be piped into a file or a password store.
    std::cout << made.key << "\n";
    std::cerr << "Key " << made.info.name << " (" << Join(made.info.scopes, ", ")
              << "). It is shown this once; a running server knows it after SIGHUP.\n";
    return 0;
  }

 private:
  guard::NewKey wanted_;
  int64_t days_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeKeyCreate() { return Make<KeyCreate>(); }

}  // namespace atelier::app
