#include "guard/audit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "store/migrations.h"

namespace atelier::guard {
namespace {

store::Database Fresh(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_a_", name);
  for (const char* end : {"", "-wal", "-shm"}) RemoveFile(path + end);
  store::Database db = store::Database::Open(path);
  store::Migrate(db);
  return db;
}

TEST(Audit, RowsComeBackNewestFirstAndByTenant) {
  store::Database db = Fresh("list.db");
  Audit(db, "default", "user:a", "model.pulled", "smollm2", {{"sha256", "ab"}});
  Audit(db, "other", "user:b", "model.pulled", "gemma3-270m");
  Audit(db, "default", "user:a", "model.removed", "smollm2", {{"why", "空间 \xff"}});
  const std::vector<AuditRow> rows = ListAudit(db, "default");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].event, "model.removed");
  EXPECT_EQ(rows[0].details["why"], "空间 \xef\xbf\xbd");
  EXPECT_EQ(rows[1].details["sha256"], "ab");
  EXPECT_GT(rows[1].created_at, 0);
  EXPECT_EQ(ListAudit(db, "default", "gemma3-270m").size(), 0u);
  EXPECT_EQ(ListAudit(db, "default", "", 1).size(), 1u);
}

TEST(Audit, TheDatabaseRefusesEveryWayToRewriteIt) {
  store::Database db = Fresh("append.db");
  Audit(db, "default", "user:a", "model.pulled", "smollm2");
  for (const char* sql :
       {"UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "DELETE FROM audit WHERE number = 1",
        "INSERT OR REPLACE INTO audit (number, actor, event, subject, created_at) VALUES (1, 'x', 'y', 'z', 0)",
        "INSERT INTO audit (number, actor, event, subject, created_at) VALUES (1, 'x', 'y', 'z', 0) "
        "ON CONFLICT (number) DO UPDATE SET actor = 'x'"}) {
    try {
      db.Run(sql);
      ADD_FAILURE() << "went through: " << sql;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("append-only"), std::string::npos) << sql << ": " << error.what();
    }
  }
  ASSERT_EQ(ListAudit(db, "default").size(), 1u);
  EXPECT_EQ(ListAudit(db, "default")[0].actor, "user:a");
}

TEST(Audit, IsPartOfTheTransactionItIsCalledIn) {
  store::Database db = Fresh("transaction.db");
  {
    store::Transaction transaction(db);
    Audit(db, "default", "user:a", "model.pulled", "smollm2");
  }
  EXPECT_TRUE(ListAudit(db, "default").empty());
}

}  // namespace
}  // namespace atelier::guard
