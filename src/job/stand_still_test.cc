#include "job/stand_still.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "base/ids.h"
#include "base/str.h"
#include "store/foreground.h"

namespace atelier::job {
namespace {

// How long it runs in `seconds` of looks every 5 ms, and in how many turns.
struct Ran {
  double seconds = 0;
  int turns = 0;
};
Ran Look(Courtesy* courtesy, double from, double seconds, bool taken) {
  Ran ran;
  bool before = false;
  for (double t = from; t < from + seconds; t += 0.005) {
    const bool runs = !courtesy->Waits(taken, t);
    if (runs) ran.seconds += 0.005;
    if (runs && !before) ++ran.turns;
    before = runs;
  }
  return ran;
}

TEST(Courtesy, WaitsWhileSomebodyAnswersAndAMomentLonger) {
  Courtesy courtesy;
  EXPECT_NEAR(Look(&courtesy, 1000, 5, false).seconds, 5, 0.02);
  EXPECT_EQ(Look(&courtesy, 1005, 10, true).seconds, 0);
  const Ran after = Look(&courtesy, 1015, 5, false);
  EXPECT_NEAR(after.seconds, 5 - Courtesy::kQuiet, 0.02);
  EXPECT_EQ(after.turns, 1);
  for (int i = 0; i < 10; ++i) {  // a gap between two requests is none
    EXPECT_EQ(Look(&courtesy, 1020 + i, 0.8, true).seconds, 0);
    EXPECT_EQ(Look(&courtesy, 1020.8 + i, 0.2, false).seconds, 0);
  }
}

TEST(Courtesy, GetsShortTurnsUnderLoadWithoutEnd) {
  Courtesy courtesy;
  const Ran ran = Look(&courtesy, 50, 3015, true);
  EXPECT_NEAR(ran.turns, 100, 2);
  EXPECT_LT(ran.seconds, 0.006 * 3015);
  EXPECT_GT(ran.seconds, 0.004 * 3015);
}

TEST(StandStill, HoldsAllThreadsUntilTheForegroundIsFree) {
  const std::string path = Cat(testing::TempDir(), "stand_still_", ::getpid(), ".lock");
  store::Foreground server(path);
  std::atomic<bool> stop{false}, ending{false};
  std::atomic<int64_t> counted[2] = {0, 0};
  std::shared_ptr<void> request;
  std::atomic<int64_t> at_half{-1}, at_end{-1};
  const StandStill still(path, stop);
  std::vector<std::thread> threads;
  for (std::atomic<int64_t>& count : counted) {
    threads.emplace_back([&] {
      std::vector<std::unique_ptr<int>> work;  // allocates, as training does
      while (!ending) {
        work.push_back(std::make_unique<int>(1));
        if (work.size() > 1000) work.clear();
        ++count;
      }
    });
  }
  // Who serves is another process: here a thread that blocks the signal.
  std::thread serves([&] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    const auto sleep = [](int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); };
    sleep(200);
    request = server.Hold();
    sleep(500);
    at_half = counted[0] + counted[1];
    sleep(700);
    at_end = counted[0] + counted[1];
    request.reset();
    sleep(1500);
    ending = true;
  });
  serves.join();
  for (std::thread& t : threads) t.join();
  EXPECT_GT(at_half, 0);
  EXPECT_EQ(at_half, at_end) << "nobody counts while it is taken";
  EXPECT_GT(counted[0] + counted[1], at_end) << "they go on behind it";
  std::filesystem::remove(path);
}

TEST(StandStill, AStopEndsIt) {
  const std::string path = Cat(testing::TempDir(), "stand_still_stop_", ::getpid(), ".lock");
  store::Foreground server(path);
  const std::shared_ptr<void> request = server.Hold();
  std::atomic<bool> stop{false};
  std::atomic<bool> ready{false};
  std::thread stops([&] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ready = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(800));
    stop = true;
  });
  while (!ready) std::this_thread::yield();
  const double start = MonotonicSeconds();
  {
    const StandStill still(path, stop);
    stops.join();  // held in here, until the stop
  }
  EXPECT_LT(MonotonicSeconds() - start, 20);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace atelier::job
