#include "store/database.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {
namespace {

std::string Fresh(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_", name);
  for (const char* end : {"", "-wal", "-shm"}) RemoveFile(path + end);
  return path;
}

Code CodeOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Code::kInternal;
}

TEST(Database, ValuesComeBackAsTheyWent) {
  Database db = Database::Open(Fresh("values.db"));
  db.Execute("CREATE TABLE t (a INTEGER, b REAL, c TEXT, d TEXT, e INTEGER) STRICT");
  const std::string ugly = std::string("最好 🙂\0nul", 15);
  db.Run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", uint64_t{0xffffffffffffffffull}, -0.1, ugly, nullptr,
         std::optional<int64_t>());
  db.Run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", int64_t{-7}, 1.5, std::string_view(), "", true);
  Statement query = db.Prepare("SELECT a, b, c, d, e FROM t ORDER BY rowid");
  ASSERT_TRUE(query.Step());
  EXPECT_EQ(query.Uint(0), 0xffffffffffffffffull);
  EXPECT_EQ(query.Double(1), -0.1);
  EXPECT_EQ(query.Text(2), ugly);
  EXPECT_TRUE(query.IsNull(3));
  EXPECT_TRUE(query.IsNull(4));
  ASSERT_TRUE(query.Step());
  EXPECT_EQ(query.Int(0), -7);
  EXPECT_EQ(query.Text(2), "");
  EXPECT_FALSE(query.IsNull(2));
  EXPECT_FALSE(query.IsNull(3));
  EXPECT_EQ(query.Int(4), 1);
  EXPECT_FALSE(query.Step());
  EXPECT_EQ(CodeOf([&] { db.Run("INSERT INTO t (b) VALUES (?)", std::nan("")); }), Code::kInvalidInput);
}

TEST(Database, TransactionsUndoThemselves) {
  Database db = Database::Open(Fresh("undo.db"));
  db.Execute("CREATE TABLE t (a INTEGER) STRICT");
  {
    Transaction transaction(db);
    db.Run("INSERT INTO t VALUES (1)");
    EXPECT_EQ(CodeOf([&] { Transaction inner(db); }), Code::kInternal);
  }
  EXPECT_EQ(db.QueryInt("SELECT count(*) FROM t"), 0);
  {
    Transaction transaction(db);
    db.Run("INSERT INTO t VALUES (1)");
    transaction.Commit();
  }
  EXPECT_EQ(db.QueryInt("SELECT count(*) FROM t"), 1);
}

TEST(Database, FailuresHaveTheirCodes) {
  const std::string path = Fresh("codes.db");
  Database db = Database::Open(path);
  db.Execute("CREATE TABLE p (id TEXT PRIMARY KEY) STRICT; CREATE TABLE c (p TEXT NOT NULL REFERENCES p (id)) STRICT");
  db.Run("INSERT INTO p VALUES ('a')");
  EXPECT_EQ(CodeOf([&] { db.Run("INSERT INTO p VALUES ('a')"); }), Code::kConflict);
  EXPECT_EQ(CodeOf([&] { db.Run("INSERT INTO c VALUES ('b')"); }), Code::kConflict) << "foreign keys are off";
  EXPECT_EQ(CodeOf([&] { db.Run("SELEKT 1"); }), Code::kInternal);
  EXPECT_EQ(CodeOf([&] { db.Run("SELECT 1; SELECT 2"); }), Code::kInternal);
  EXPECT_EQ(CodeOf([] { Database::Open("/nowhere/at/all.db"); }), Code::kIo);
  const std::string other = Fresh("other.db");
  WriteFileAtomic(other, std::string(5000, 'x'));
  EXPECT_EQ(CodeOf([&] { Database::Open(other); }), Code::kCorrupt);
  // What the system said, and what to do.
  const auto line = [](const std::string& file) {
    try {
      Database::Open(file);
    } catch (const Error& error) {
      return error.hint().empty() ? "no hint: " + error.Line() : error.Line();
    }
    return std::string();
  };
  EXPECT_NE(line(other).find("restore it from a backup"), std::string::npos) << line(other);
  EXPECT_NE(line("/nowhere/at/all.db").find("No such file or directory"), std::string::npos)
      << line("/nowhere/at/all.db");
}

TEST(Database, WaitsForAnotherWriterOnlySoLong) {
  const std::string path = Fresh("waits.db");
  Database one = Database::Open(path), two = Database::Open(path);
  one.Execute("CREATE TABLE t (n INTEGER NOT NULL) STRICT");
  two.WaitForWriters(20);
  {
    Transaction holds(one);
    EXPECT_EQ(CodeOf([&] { two.Run("INSERT INTO t VALUES (1)"); }), Code::kUnavailable);
    EXPECT_EQ(two.QueryInt("SELECT count(*) FROM t"), 0) << "readers do not wait";
  }
  two.Run("INSERT INTO t VALUES (1)");
}

TEST(Database, WritersWaitForEachOther) {
  const std::string path = Fresh("writers.db");
  Database::Open(path).Execute("CREATE TABLE t (n INTEGER NOT NULL) STRICT; INSERT INTO t VALUES (0)");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Database db = Database::Open(path);
      for (int k = 0; k < 25; ++k) {
        Transaction transaction(db);
        const int64_t n = db.QueryInt("SELECT n FROM t");
        db.Run("UPDATE t SET n = ?", n + 1);
        transaction.Commit();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Database::Open(path).QueryInt("SELECT n FROM t"), 100);
}

// A child writes transactions of ten rows and says through a pipe how many it has committed; it is killed at some
// moment. Every transaction it had announced must be there, none in part.
TEST(Database, KilledInMidWriteLosesNothing) {
  constexpr int kRows = 10;
  bool cut_one = false;
  for (int round = 0; round < 12; ++round) {
    const std::string path = Fresh(Cat("killed", round, ".db"));
    Database::Open(path).Execute("CREATE TABLE t (batch INTEGER NOT NULL, pad TEXT NOT NULL) STRICT");
    int announced[2];
    ASSERT_EQ(::pipe(announced), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Database db = Database::Open(path);
      const std::string pad(3000, 'p');
      for (int batch = 1;; ++batch) {
        Transaction transaction(db);
        for (int i = 0; i < kRows; ++i) db.Run("INSERT INTO t VALUES (?, ?)", batch, pad);
        transaction.Commit();
        if (::write(announced[1], &batch, sizeof(batch)) != sizeof(batch)) ::_exit(1);
      }
    }
    ::close(announced[1]);
    int last = 0;
    while (last < 3 + round) ASSERT_EQ(::read(announced[0], &last, sizeof(last)), static_cast<ssize_t>(sizeof(last)));
    ::usleep(static_cast<useconds_t>(137 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    int batch = 0;
    while (::read(announced[0], &batch, sizeof(batch)) == static_cast<ssize_t>(sizeof(batch))) last = batch;
    ::close(announced[0]);

    Database db = Database::Open(path);
    EXPECT_EQ(db.Check(), "");
    const int64_t batches = db.QueryInt("SELECT count(DISTINCT batch) FROM t");
    EXPECT_GE(batches, last) << "a committed transaction is gone";
    EXPECT_LE(batches, last + 1);
    EXPECT_EQ(db.QueryInt("SELECT count(*) FROM t"), batches * kRows) << "a transaction is there in part";
    cut_one = cut_one || FileExists(path + "-wal");
    db.Run("INSERT INTO t VALUES (0, '')");
  }
  EXPECT_TRUE(cut_one) << "no kill came while the log was in use: the test tests nothing";
}

}  // namespace
}  // namespace atelier::store
