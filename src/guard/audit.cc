#include "guard/audit.h"

#include <pwd.h>
#include <unistd.h>

#include "base/ids.h"
#include "base/str.h"

namespace atelier::guard {

void Audit(store::Database& db, std::string_view tenant, std::string_view actor, std::string_view event,
           std::string_view subject, const Json& details) {
  db.Run("INSERT INTO audit (tenant, actor, event, subject, details, created_at) VALUES (?, ?, ?, ?, ?, ?)", tenant,
         actor, event, subject, ToText(details), NowMillis());
}

std::vector<AuditRow> ListAudit(store::Database& db, std::string_view tenant, std::string_view subject, int64_t most) {
  store::Statement query = db.Prepare(
      "SELECT number, tenant, actor, event, subject, details, created_at FROM audit "
      "WHERE tenant = ?1 AND (?2 = '' OR subject = ?2) ORDER BY number DESC LIMIT ?3");
  query.Bind(tenant, subject, most);
  std::vector<AuditRow> rows;
  while (query.Step()) {
    rows.push_back({query.Int(0), query.Text(1), query.Text(2), query.Text(3), query.Text(4),
                    ParseJson(query.Text(5), "audit.details"), query.Int(6)});
  }
  return rows;
}

std::string LocalActor() {
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found != nullptr) {
    return Cat("user:", found->pw_name);
  }
  return Cat("user:", static_cast<int64_t>(::geteuid()));
}

}  // namespace atelier::guard
