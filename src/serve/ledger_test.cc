#include "serve/ledger.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
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
  // Waits for it; what it threw comes out.
  static void Write(Ledger& ledger, Ledger::Work work, double seconds) {
    std::promise<void> done;
    ledger.Write(std::move(work), seconds,
                 [&](const std::exception_ptr& error) { error ? done.set_exception(error) : done.set_value(); });
    done.get_future().get();
  }
  bool Kept(Ledger& ledger, double seconds) { return ledger.WaitFor(*group_, seconds); }
  int64_t Rows() { return store::Database::Open(path_).QueryInt("SELECT count(*) FROM t"); }
  std::string path_;
  std::shared_ptr<Ledger::Group> group_ = std::make_shared<Ledger::Group>();
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
      for (int i = 0; i < 25; ++i) Write(ledger, Insert(t * 100 + i), 30);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Rows(), 200);
  EXPECT_EQ(ledger.state().written, 200u);
}

TEST_F(LedgerTest, OneBadWriteFailsAloneAndLeavesNothing) {
  Ledger ledger(path_);
  Write(ledger, Insert(1), 30);
  ledger.Keep(Insert(2), 10, group_);
  EXPECT_EQ(CodeOf([&] {
              Write(
                  ledger,
                  [](store::Database& db) {
                    db.Run("INSERT INTO t VALUES (3)");
                    db.Run("INSERT INTO t VALUES (1)");
                  },
                  30);
            }),
            Code::kConflict);
  ledger.Keep(Insert(4), 10, group_);
  EXPECT_TRUE(Kept(ledger, 30));
  EXPECT_EQ(Rows(), 3) << "1, 2, 4";
}

TEST_F(LedgerTest, WhileAnotherHoldsTheDatabaseWhatIsKeptWaitsAndTheRestIsRefused) {
  Ledger ledger(path_, 100);
  store::Database other = store::Database::Open(path_);
  {
    store::Transaction holds(other);
    ledger.Keep(Insert(1), 60, group_);
    EXPECT_TRUE(ledger.HasRoom());
    ledger.Keep(Insert(2), 60, group_);
    EXPECT_FALSE(ledger.HasRoom()) << "bounded";
    EXPECT_FALSE(Kept(ledger, 0.8)) << "SQLite itself waits half a second";
    EXPECT_EQ(CodeOf([&] { Write(ledger, Insert(3), 0.1); }), Code::kUnavailable);
    const Ledger::State state = ledger.state();
    EXPECT_EQ(state.waiting, 2u);
    EXPECT_NE(state.trouble.find("another process is writing"), std::string::npos) << state.trouble;
  }
  EXPECT_TRUE(Kept(ledger, 30));
  EXPECT_TRUE(ledger.HasRoom());
  Write(ledger, Insert(4), 30);
  EXPECT_EQ(Rows(), 3) << "what was refused must not come later";
  EXPECT_EQ(ledger.state().trouble, "");
}

TEST_F(LedgerTest, ADatabaseThatIsAwayIsWaitedForAndNoneIsMadeInItsPlace) {
  const std::string aside = path_ + ".aside";
  Rename(path_, aside);
  Ledger ledger(path_);
  ledger.Keep(Insert(1), 10, group_);
  EXPECT_FALSE(Kept(ledger, 0.6));
  EXPECT_FALSE(FileExists(path_));
  WriteFileAtomic(path_, "");  // somebody else's mistake
  EXPECT_FALSE(Kept(ledger, 0.6));
  RemoveFile(path_);
  Rename(aside, path_);
  EXPECT_TRUE(Kept(ledger, 30));
  EXPECT_EQ(Rows(), 1);
}

TEST_F(LedgerTest, WhatTheDatabaseRefusesForGoodIsNotCalledStored) {
  Ledger ledger(path_);
  Write(ledger, Insert(1), 30);
  const auto other = std::make_shared<Ledger::Group>();
  ledger.Keep(Insert(1), 10, group_);
  ledger.Keep(Insert(2), 10, other);
  EXPECT_FALSE(Kept(ledger, 30));
  EXPECT_TRUE(ledger.WaitFor(*other, 30)) << "another's failure is not ours";
  EXPECT_EQ(ledger.state().failed, 1u);
}

TEST_F(LedgerTest, ADatabaseThatWasReadOnlyIsWrittenOnceItCanBe) {
  if (::getuid() != 0) GTEST_SKIP() << "needs to be two users";
  ASSERT_EQ(::chmod(path_.c_str(), 0444), 0);
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  for (const char* end : {"-wal", "-shm"}) RemoveFile(path_ + end);
  const std::string folder = path_ + ".folder";
  MakeFolders(folder);
  ASSERT_EQ(::chown(folder.c_str(), 65534, 65534), 0);
  Rename(path_, folder + "/studio.db");
  // Root may write everything: a child is a user who may write the folder and not the file.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(9);
    int code = 1;
    {
      Ledger ledger(folder + "/studio.db");
      const auto group = std::make_shared<Ledger::Group>();
      ledger.Keep(Insert(1), 10, group);
      const bool early = ledger.WaitFor(*group, 0.6);
      for (const char* end : {"", "-shm"}) ::chmod((folder + "/studio.db" + end).c_str(), 0644);
      code = early ? 2 : ledger.WaitFor(*group, 30) ? 0 : 3;
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
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
      ledger.Keep([n, pad](store::Database& db) { db.Run("INSERT INTO t VALUES (?, ?)", n, pad); }, pad.size(), group_);
    }
    EXPECT_FALSE(Kept(ledger, 0.5));
    EXPECT_NE(ledger.state().trouble.find("disk is full"), std::string::npos) << ledger.state().trouble;
    EXPECT_EQ(CodeOf([&] {
                Write(
                    ledger, [pad](store::Database& db) { db.Run("INSERT INTO t VALUES (99, ?)", pad); }, 0.1);
              }),
              Code::kUnavailable);
    ASSERT_EQ(::mount("tmpfs", folder.c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    EXPECT_TRUE(Kept(ledger, 30));
    EXPECT_EQ(store::Database::Open(path).QueryInt("SELECT count(*) FROM t"), 12);
  }
  ::umount(folder.c_str());
}

}  // namespace
}  // namespace atelier::serve
