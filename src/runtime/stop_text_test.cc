#include "runtime/stop_text.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace atelier::runtime {
namespace {

struct Outcome {
  std::string text;
  bool stopped;
  bool operator==(const Outcome&) const = default;
};

Outcome Feed(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopText stop(stops);
  std::string text;
  for (const std::string& piece : pieces) text += stop.Append(piece);
  text += stop.Finish();
  return {text, stop.stopped()};
}

TEST(StopText, EndsBeforeTheStopTextWhereverTokensCutIt) {
  const std::vector<std::string> stops = {"\n\n", "END"};
  EXPECT_EQ(Feed(stops, {"one EN", "D two"}), (Outcome{"one ", true}));
  EXPECT_EQ(Feed(stops, {"one E", "N", "D"}), (Outcome{"one ", true}));
  EXPECT_EQ(Feed(stops, {"a\n", "b\n", "\nc"}), (Outcome{"a\nb", true}));
  EXPECT_EQ(Feed(stops, {"ENEND"}), (Outcome{"EN", true}));
  EXPECT_EQ(Feed(stops, {"END"}), (Outcome{"", true}));
  EXPECT_EQ(Feed(stops, {"no such EN"}), (Outcome{"no such EN", false}));
  EXPECT_EQ(Feed({""}, {"an empty one stops nothing"}), (Outcome{"an empty one stops nothing", false}));
  EXPECT_EQ(Feed({}, {}), (Outcome{"", false}));
  EXPECT_EQ(Feed({"。", "🛑"}, {"好", "的\xe3", "\x80", "\x82再见"}), (Outcome{"好的", true}));
}

TEST(StopText, ShowsWhatIsCertainAtOnceAndHoldsTheRest) {
  StopText stop({"<end>"});
  EXPECT_EQ(stop.Append("abc<"), "abc");
  EXPECT_EQ(stop.Append("en"), "");
  EXPECT_EQ(stop.Append("x"), "<enx");
  EXPECT_EQ(stop.Append("<<end"), "<");
  EXPECT_FALSE(stop.stopped());
  EXPECT_EQ(stop.Append(">tail"), "");
  EXPECT_TRUE(stop.stopped());
  EXPECT_EQ(stop.Append("more"), "");
  EXPECT_EQ(stop.Finish(), "");
}

TEST(StopText, OfSeveralTheOneThatIsCompleteFirst) {
  EXPECT_EQ(Feed({"xabc", "ab"}, {"1xabc2"}), (Outcome{"1x", true}));
  EXPECT_EQ(Feed({"xabc", "ab"}, {"1x", "a", "b", "c2"}), (Outcome{"1x", true}));
  EXPECT_EQ(Feed({"bc", "abc"}, {"1abc2"}), (Outcome{"1", true}));  // together: the longest
  EXPECT_EQ(Feed({"abc", "ab"}, {"1abc2"}), (Outcome{"1", true}));
}

TEST(StopText, BrokenUtf8BecomesReplacementsAndSplitOnesAreJoined) {
  EXPECT_EQ(Feed({}, {"a\xf0\x9f", "\x98\x80z"}), (Outcome{"a😀z", false}));
  EXPECT_EQ(Feed({}, {"a\xf0\x9f", "z"}), (Outcome{"a\xef\xbf\xbdz", false}));
  EXPECT_EQ(Feed({}, {"a\xff\xfe", "\xe4\xbd"}), (Outcome{"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false}));
}

// Random texts over few letters, cut at random: the cut must not matter, and nothing shown may hold a stop text.
TEST(StopText, TheCutDoesNotMatter) {
  Rng rng(1);
  const std::string letters[] = {"a", "b", "ab", "你", "\xe4", "\xbd\xa0", "😀"};
  int stopped = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (uint64_t i = rng.Below(12) + 1; i > 0; --i) bytes += letters[rng.Below(7)];
    std::vector<std::string> stops;
    for (uint64_t i = rng.Below(3); i > 0; --i) {
      stops.emplace_back();
      for (uint64_t n = rng.Below(3) + 1; n > 0; --n) stops.back() += letters[rng.Below(4)];
    }
    std::vector<std::string> pieces;
    for (size_t at = 0; at < bytes.size();) {
      const size_t n = rng.Below(4) + 1;
      pieces.push_back(bytes.substr(at, n));
      at += n;
    }
    const Outcome whole = Feed(stops, {bytes}), cut = Feed(stops, pieces);
    ASSERT_EQ(whole.text, cut.text) << testing::PrintToString(pieces) << testing::PrintToString(stops);
    ASSERT_EQ(whole.stopped, cut.stopped);
    for (const std::string& stop : stops) ASSERT_EQ(whole.text.find(stop), std::string::npos);
    stopped += whole.stopped;
  }
  EXPECT_GT(stopped, 300);
}

}  // namespace
}  // namespace atelier::runtime
