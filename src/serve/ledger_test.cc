#include "serve/ledger.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"

namespace atelier::serve {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = Cat(::testing::TempDir(), "/ledger_", ::getpid(), "_",
                ::testing::UnitTest::GetInstance()->current_test_info()->name(), ".db");
    for (const char* end : {"", "-wal", "-shm"}) RemoveFile(path_ + end);
    store::Database::Open(path_).Execute("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT");
  }
  static Ledger::Work Insert(int n) {
    return [n](store::Database& db) { db.Run("INSERT INTO t VALUES (?)", n); };
  }
  int64_t Rows() { return store::Database::Open(path_).QueryInt("SELECT count(*) FROM t"); }
  std::string path_;
};

Code CodeOf(const std::function<void()>& what) {
  try {
    what();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

TEST_F(LedgerTest, WritesOfManyThreadsAreAllThereWhenTheyReturn) {
  Ledger ledger(path_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) ledger.Write(Insert(t * 100 + i), 30);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Rows(), 200);
  EXPECT_EQ(ledger.state().written, 200u);
}

TEST_F(LedgerTest, OneBadWriteFailsAloneAndLeavesNothing) {
  Ledger ledger(path_);
  ledger.Write(Insert(1), 30);
  ledger.Keep(Insert(2), 10);
  EXPECT_EQ(CodeOf([&] {
              ledger.Write(
                  [](store::Database& db) {
                    db.Run("INSERT INTO t VALUES (3)");
                    db.Run("INSERT INTO t VALUES (1)");
                  },
                  30);
            }),
            Code::kConflict);
  ledger.Keep(Insert(4), 10);
  EXPECT_TRUE(ledger.WaitForKept(30));
  EXPECT_EQ(Rows(), 3) << "1, 2, 4";
}

TEST_F(LedgerTest, WhileAnotherHoldsTheDatabaseWhatIsKeptWaitsAndTheRestIsRefused) {
  Ledger ledger(path_, 100);
  store::Database other = store::Database::Open(path_);
  {
    store::Transaction holds(other);
    ledger.Keep(Insert(1), 60);
    EXPECT_TRUE(ledger.HasRoom());
    ledger.Keep(Insert(2), 60);
    EXPECT_FALSE(ledger.HasRoom()) << "bounded";
    EXPECT_FALSE(ledger.WaitForKept(0.8)) << "SQLite itself waits half a second";
    EXPECT_EQ(CodeOf([&] { ledger.Write(Insert(3), 0.1); }), Code::kUnavailable);
    const Ledger::State state = ledger.state();
    EXPECT_EQ(state.waiting, 2u);
    EXPECT_NE(state.trouble.find("another process is writing"), std::string::npos) << state.trouble;
  }
  EXPECT_TRUE(ledger.WaitForKept(30));
  EXPECT_TRUE(ledger.HasRoom());
  ledger.Write(Insert(4), 30);
  EXPECT_EQ(Rows(), 3) << "what was refused must not come later";
  EXPECT_EQ(ledger.state().trouble, "");
}

TEST_F(LedgerTest, ADatabaseThatIsNotThereYetIsTriedAgain) {
  const std::string aside = path_ + ".aside";
  Rename(path_, aside);
  MakeFolders(path_);  // a folder in its place
  Ledger ledger(path_);
  ledger.Keep(Insert(1), 10);
  EXPECT_FALSE(ledger.WaitForKept(0.3));
  ::rmdir(path_.c_str());
  Rename(aside, path_);
  EXPECT_TRUE(ledger.WaitForKept(30));
  EXPECT_EQ(Rows(), 1);
}

// A file system of its own that is full: needs root, as CI is.
TEST_F(LedgerTest, AFullDiskLosesNothingThatIsKept) {
  const std::string folder = path_ + ".disk";
  MakeFolders(folder);
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=512k") != 0) GTEST_SKIP() << "no right to mount";
  const std::string path = folder + "/studio.db";
  {
    store::Database::Open(path).Execute("CREATE TABLE t (n INTEGER PRIMARY KEY, pad TEXT) STRICT");
    WriteFileAtomic(folder + "/fill", std::string(200 << 10, 'x'));
    Ledger ledger(path);
    const std::string pad(40 << 10, 'p');
    for (int n = 0; n < 12; ++n) {
      ledger.Keep([n, pad](store::Database& db) { db.Run("INSERT INTO t VALUES (?, ?)", n, pad); }, pad.size());
    }
    EXPECT_FALSE(ledger.WaitForKept(0.5));
    EXPECT_NE(ledger.state().trouble.find("disk is full"), std::string::npos) << ledger.state().trouble;
    EXPECT_EQ(
        CodeOf([&] { ledger.Write([pad](store::Database& db) { db.Run("INSERT INTO t VALUES (99, ?)", pad); }, 0.1); }),
        Code::kUnavailable);
    ASSERT_EQ(::mount("tmpfs", folder.c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    EXPECT_TRUE(ledger.WaitForKept(30));
    EXPECT_EQ(store::Database::Open(path).QueryInt("SELECT count(*) FROM t"), 12);
  }
  ::umount(folder.c_str());
}

}  // namespace
}  // namespace atelier::serve
