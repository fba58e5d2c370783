// The schema's history. Every table carries its tenant from the first migration on; no migration is ever changed once
// it was released: what must change goes into a new one.
#pragma once

#include <span>
#include <string_view>

#include "store/database.h"

namespace atelier::store {

struct Migration {
  int number;             // 1, 2, 3 ...: their place in the list
  std::string_view name;  // what it is for
  std::string_view sql;
};

std::span<const Migration> AllMigrations();

// Brings the database up to the last migration, all in one transaction; does nothing when it is there already. Throws
// kUnsupported for a schema newer than this program, kInvalidInput for a database that is not a studio's.
void Migrate(Database& db);
void Migrate(Database& db, std::span<const Migration> migrations);  // tests bring their own list

int SchemaVersion(Database& db);

}  // namespace atelier::store
