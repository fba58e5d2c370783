// The audit trail: who did what to what, appended and never changed (the database itself refuses).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "store/database.h"

namespace atelier::guard {

struct AuditRow {
  int64_t number = 0;
  std::string tenant, actor, event, subject;
  Json details;
  int64_t created_at = 0;  // Unix milliseconds
};

// Appends one row, as part of the transaction that is open, if one is. `event` is room.verb ("model.pulled"), `subject`
// what it happened to, `details` an object without personal data.
void Audit(store::Database& db, std::string_view tenant, std::string_view actor, std::string_view event,
           std::string_view subject, const Json& details = Json::object());

// The newest `most` rows of a tenant, newest first; of one subject only where it is not empty.
std::vector<AuditRow> ListAudit(store::Database& db, std::string_view tenant, std::string_view subject = "",
                                int64_t most = 100);

// Who is at work when nobody signed in: "user:NAME" from the operating system.
std::string LocalActor();

}  // namespace atelier::guard
