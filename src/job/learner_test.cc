#include "job/learner.h"

#include <gtest/gtest.h>

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
  // A gap between two requests is none.
  for (int i = 0; i < 10; ++i) {
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

}  // namespace
}  // namespace atelier::job
