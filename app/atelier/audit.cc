// atelier audit: what the studio's audit trail holds.
#include <algorithm>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/text_table.h"
#include "base/ids.h"
#include "guard/audit.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class AuditCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--subject", &subject_, "only what happened to this: a model's name, a key's id");
    cli.Int("--limit", &limit_, "the newest so many", 1, 1'000'000);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio, ".", store::Access::kReadIfMust);
    std::vector<guard::AuditRow> rows = guard::ListAudit(studio.db(), studio.tenant(), subject_, limit_);
    std::reverse(rows.begin(), rows.end());  // as it happened
    Json list = Json::array();
    TextTable table({"TIME", "WHO", "EVENT", "SUBJECT", "DETAILS"});
    for (const guard::AuditRow& row : rows) {
      list.push_back({{"number", row.number},
                      {"created_at", row.created_at},
                      {"actor", row.actor},
                      {"event", row.event},
                      {"subject", row.subject},
                      {"details", row.details}});
      table.Add({FormatTime(row.created_at), row.actor, row.event, row.subject, ToText(row.details)});
    }
    if (globals.json) {
      std::cout << ToText({{"events", list}}) << "\n";
    } else if (rows.empty()) {
      std::cout << "Nothing yet.\n";
    } else {
      std::cout << table.Text();
    }
    return 0;
  }

 private:
  std::string subject_;
  int64_t limit_ = 50;
};

}  // namespace

std::unique_ptr<Command> MakeAudit() { return Make<AuditCommand>(); }

}  // namespace atelier::app
