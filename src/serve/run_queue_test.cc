#include "serve/run_queue.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <thread>

namespace atelier::serve {
namespace {

TEST(RunQueue, TakesOwnersInTurnAndRefusesWhatIsTooMuch) {
  std::promise<void> begun, go;
  std::shared_future<void> going = go.get_future().share();
  std::mutex mutex;
  std::vector<std::string> order;
  {
    RunQueue queue(1, 6);
    ASSERT_TRUE(queue.Add(
        "a",
        [&] {
          begun.set_value();
          going.wait();
        },
        [] { return true; }));
    begun.get_future().wait();
    const auto job = [&](const std::string& name) {
      return [&, name] {
        const std::lock_guard lock(mutex);
        order.push_back(name);
      };
    };
    bool wanted = true;
    const auto always = [] { return true; };
    EXPECT_TRUE(queue.Add("a", job("a1"), always));
    EXPECT_TRUE(queue.Add("a", job("a2"), always));
    EXPECT_TRUE(queue.Add("a", job("a3"), always));
    EXPECT_FALSE(queue.HasRoom("a"));
    EXPECT_FALSE(queue.Add("a", job("a4"), always)) << "half of the places";
    EXPECT_TRUE(queue.Add("b", job("b1"), always));
    EXPECT_TRUE(queue.Add("b", job("b2"), always));
    EXPECT_TRUE(queue.Add("c", job("c1"), [&] { return wanted; }));
    EXPECT_FALSE(queue.Add("d", job("d1"), always)) << "six wait";
    EXPECT_EQ(queue.waiting(), 6u);
    EXPECT_EQ(queue.running(), 1u);
    wanted = false;
    queue.DropUnwanted();
    EXPECT_EQ(queue.waiting(), 5u) << "what nobody wants any more makes room";
    EXPECT_TRUE(queue.HasRoom("d"));
    EXPECT_TRUE(queue.Add("d", job("d1"), always));
    EXPECT_EQ(queue.waiting(), 6u);
    go.set_value();
  }  // what waits is still run
  EXPECT_EQ(order, (std::vector<std::string>{"b1", "d1", "a1", "b2", "a2", "a3"}));
}

TEST(RunQueue, AnIdleThreadTakesAJobThoughNoneMayWait) {
  RunQueue queue(1, 0);
  std::promise<void> done;
  for (int tries = 0; !queue.HasRoom(""); ++tries) {  // until the thread is there
    ASSERT_LT(tries, 1000);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(queue.Add(
      "", [&] { done.set_value(); }, [] { return true; }));
  done.get_future().wait();
}

}  // namespace
}  // namespace atelier::serve
