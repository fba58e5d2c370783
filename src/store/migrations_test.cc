#include "store/migrations.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {
namespace {

std::string Fresh(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_m_", name);
  for (const char* end : {"", "-wal", "-shm"}) RemoveFile(path + end);
  return path;
}

TEST(Migrations, NumbersAreTheirPlaces) {
  int number = 0;
  for (const Migration& migration : AllMigrations()) EXPECT_EQ(migration.number, ++number);
  EXPECT_GT(number, 0);
}

TEST(Migrations, EveryTableIsStrictAndHasItsTenant) {
  Database db = Database::Open(Fresh("tenant.db"));
  Migrate(db);
  Migrate(db);  // again is nothing
  EXPECT_EQ(SchemaVersion(db), AllMigrations().back().number);
  Statement tables = db.Prepare(
      "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
      "AND name NOT LIKE 'sqlite_%'");
  int count = 0;
  while (tables.Step()) {
    ++count;
    EXPECT_EQ(tables.Int(1), 1) << tables.Text(0) << " is not STRICT";
    EXPECT_EQ(db.QueryInt("SELECT count(*) FROM pragma_table_info(?) WHERE name = 'tenant' AND \"notnull\" = 1 "
                          "AND dflt_value = '''default'''",
                          tables.Text(0)),
              1)
        << tables.Text(0) << " has no tenant";
  }
  EXPECT_EQ(count, 9);
}

TEST(Migrations, ANewerSchemaIsRefused) {
  Database db = Database::Open(Fresh("newer.db"));
  Migrate(db);
  db.Execute("PRAGMA user_version = 999");
  try {
    Migrate(db);
    FAIL() << "a newer schema was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_NE(error.Line().find("newer Atelier"), std::string::npos);
  }
}

TEST(Migrations, AForeignDatabaseIsRefusedUntouched) {
  Database db = Database::Open(Fresh("foreign.db"));
  db.Execute("CREATE TABLE theirs (a INTEGER)");
  EXPECT_THROW(Migrate(db), Error);
  EXPECT_EQ(db.QueryInt("SELECT count(*) FROM sqlite_master"), 1);
}

TEST(Migrations, AFailureLeavesTheOldSchema) {
  Database db = Database::Open(Fresh("fails.db"));
  const Migration first[] = {{1, "one", "CREATE TABLE a (x INTEGER) STRICT"}};
  Migrate(db, first);
  const Migration second[] = {first[0], {2, "two", "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE a (y INTEGER)"}};
  try {
    Migrate(db, second);
    FAIL() << "a broken migration went through";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("migration 2 (two)"), std::string::npos) << error.what();
  }
  EXPECT_EQ(SchemaVersion(db), 1);
  EXPECT_EQ(db.QueryInt("SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
}

TEST(Migrations, RowsCannotPointAtAnotherTenant) {
  Database db = Database::Open(Fresh("cross.db"));
  Migrate(db);
  db.Run("INSERT INTO runs (id, tenant, recipe, config_hash, seed, started_at) VALUES ('r', 'a', 'x', '', 0, 0)");
  const std::string insert =
      "INSERT INTO generations (id, tenant, run_id, recipe, config_hash, record, seed, input, output, writer, status, "
      "created_at) VALUES (?, ?, 'r', 'x', '', 0, 0, '{}', '{}', 'w', 'chosen', 0)";
  EXPECT_THROW(db.Run(insert, "g", "b"), Error);
  EXPECT_EQ(db.Run(insert, "g", "a"), 1);
}

}  // namespace
}  // namespace atelier::store
