#include "serve/run_queue.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>

namespace atelier::serve {
namespace {

TEST(RunQueue, TakesOwnersInTurnAndRefusesWhatIsTooMuch) {
  std::promise<void> begun, go;
  std::shared_future<void> going = go.get_future().share();
  std::mutex mutex;
  std::vector<std::string> order;
  {
    RunQueue queue(1, 5);
    ASSERT_TRUE(queue.Add("a", [&] {
      begun.set_value();
      going.wait();
    }));
    begun.get_future().wait();
    const auto job = [&](const std::string& name) {
      return [&, name] {
        const std::lock_guard lock(mutex);
        order.push_back(name);
      };
    };
    EXPECT_TRUE(queue.Add("a", job("a1")));
    EXPECT_TRUE(queue.Add("a", job("a2")));
    EXPECT_TRUE(queue.Add("a", job("a3")));
    EXPECT_TRUE(queue.Add("b", job("b1")));
    EXPECT_TRUE(queue.Add("b", job("b2")));
    EXPECT_FALSE(queue.Add("c", job("c1"))) << "five wait";
    EXPECT_EQ(queue.waiting(), 5u);
    EXPECT_EQ(queue.running(), 1u);
    go.set_value();
  }  // what waits is still run
  EXPECT_EQ(order, (std::vector<std::string>{"b1", "a1", "b2", "a2", "a3"}));
}

}  // namespace
}  // namespace atelier::serve
