#include "store/foreground.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/str.h"

namespace atelier::store {
namespace {

class ForegroundTest : public testing::Test {
 protected:
  ForegroundTest() : path_(Cat(testing::TempDir(), "foreground_", ::getpid(), ".lock")) {}
  ~ForegroundTest() override { std::filesystem::remove(path_); }
  const std::string path_;
};

TEST_F(ForegroundTest, IsHeldUntilTheLastLetsGo) {
  Foreground server(path_), other(path_);
  const Foreground training(path_);
  EXPECT_FALSE(training.Taken());
  std::shared_ptr<void> first = server.Hold(), second = server.Hold(), third = other.Hold();
  EXPECT_TRUE(training.Taken());
  first.reset();
  second.reset();
  EXPECT_TRUE(training.Taken()) << "another program's";
  third.reset();
  EXPECT_FALSE(training.Taken());
  const std::shared_ptr<void> again = server.Hold();
  EXPECT_TRUE(training.Taken());
}

TEST_F(ForegroundTest, IsFreeWhenItsHolderDies) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Foreground server(path_);
    const std::shared_ptr<void> held = server.Hold();
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const Foreground training(path_);
  EXPECT_TRUE(training.Taken());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(training.Taken());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(ForegroundTest, WhereThereIsNoFileNobodyIsInFront) {
  for (const std::string& path : {std::string(), std::string("/nowhere/at/all.lock")}) {
    Foreground server(path);
    const std::shared_ptr<void> held = server.Hold();
    EXPECT_FALSE(Foreground(path).Taken());
  }
}

}  // namespace
}  // namespace atelier::store
