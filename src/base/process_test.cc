#include "base/process.h"

#include <gtest/gtest.h>

#include <string>

#include "base/ids.h"

namespace atelier {
namespace {

// A child that ticks every ten milliseconds.
const std::vector<std::string> kTicks = {"/bin/sh", "-c",
                                         "i=0; while [ $i -lt 100 ]; do echo tick; sleep 0.01; i=$((i+1)); done"};

TEST(Process, StandsStillWhileItIsHeld) {
  ProcessOptions options;
  const double start = MonotonicSeconds();
  size_t ticks = 0, at_hold = 0, at_end_of_hold = 0;
  options.holds = [&] {
    const double now = MonotonicSeconds() - start;
    const bool hold = now > 0.2 && now < 1.2;
    if (now < 0.4) at_hold = ticks;  // what was under way has arrived by then
    if (hold) at_end_of_hold = ticks;
    return hold;
  };
  options.on_output_text = [&](std::string_view text) {
    ticks += text.size() / 5;
    return true;
  };
  EXPECT_EQ(RunProcess(kTicks, options).exit_code, 0);
  EXPECT_EQ(ticks, 100u) << "it goes on behind it";
  EXPECT_GT(at_hold, 0u);
  EXPECT_EQ(at_end_of_hold, at_hold);
  EXPECT_GT(MonotonicSeconds() - start, 2) << "its second of ticks, and the one it stood still";
}

TEST(Process, HearsAStopWhileItIsHeld) {
  std::atomic<bool> stop{false};
  ProcessOptions options;
  const double start = MonotonicSeconds();
  options.holds = [&] {
    const double now = MonotonicSeconds() - start;
    if (now > 0.6) stop = true;
    return now > 0.3;  // the shell has set its trap by then
  };
  options.stop = &stop;
  options.grace_seconds = 5;
  const ProcessResult result =
      RunProcess({"/bin/sh", "-c", "trap 'exit 7' INT; while :; do sleep 0.01; done"}, options);
  EXPECT_EQ(result.exit_code, 7);
}

}  // namespace
}  // namespace atelier
