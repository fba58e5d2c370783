#include "operators/select.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"
#include "operators/searching_run.h"
#include "operators/shape.h"

namespace atelier::operators {
namespace {

recipe::Record Sheet(bool zh) {
  recipe::Record record;
  record.lang = zh ? "zh" : "en";
  record.input = zh ? Json{{"name", "亚麻床单"},
                           {"features", {"纯亚麻", "水洗做旧", "1.8米床"}},
                           {"price", "329元"},
                           {"lang", "zh"}}
                    : Json{{"name", "Wool Insoles"},
                           {"features", {"merino felt", "cut to size", "sizes 36 to 46"}},
                           {"price", "$15"}};
  return record;
}

TEST(Shape, CountsWhatIsTheTextsOwn) {
  const recipe::Record zh = Sheet(true), en = Sheet(false);
  const Shape list = MeasureShape("亚麻床单，1.8米床，329元", SheetPieces(zh), "亚麻床单");
  EXPECT_EQ(list.own, 0u);
  EXPECT_EQ(list.joins, 2u);
  EXPECT_EQ(list.named, 1u);
  EXPECT_EQ(list.chars, 4u + 4u + 4u);
  const Shape framed = MeasureShape("铺好亚麻床单，早点睡。纯亚麻，水洗做旧。", SheetPieces(zh), "亚麻床单");
  EXPECT_EQ(framed.own, 5u);
  EXPECT_EQ(framed.joins, 1u);
  const Shape english = MeasureShape("Merino felt, cut to size, for you", SheetPieces(en), "Wool Insoles");
  EXPECT_EQ(english.own, 6u);
  EXPECT_EQ(english.joins, 1u);
  EXPECT_EQ(english.named, 0u);
  EXPECT_EQ(MeasureShape("", SheetPieces(en), "").chars, 0u);
}

TEST(Shape, SentencesBeforeLists) {
  struct Pair {
    bool zh;
    const char *headline, *body;
  };
  // Each is better built than the one below it in its language.
  const std::vector<Pair> falling = {
      {true, "铺好亚麻床单，早点睡", "忙完一天，回家歇着。纯亚麻，水洗做旧，1.8米床。"},
      {true, "亚麻床单，1.8米床", "忙完一天，回家歇着。亚麻床单，纯亚麻，水洗做旧。"},
      {true, "亚麻床单，1.8米床，329元", "亚麻床单，纯亚麻，水洗做旧，1.8米床，329元。"},
      {false, "Wool Insoles for a day out", "Merino felt, in sizes 36 to 46. You have them cut to size."},
      {false, "Wool Insoles, $15", "Wool Insoles for a day out. Merino felt, sizes 36 to 46."},
      {false, "Wool Insoles, $15, merino felt", "Wool Insoles, merino felt, cut to size, sizes 36 to 46, $15."},
  };
  for (size_t i = 0; i + 1 < falling.size(); ++i) {
    if (falling[i].zh != falling[i + 1].zh) continue;
    const recipe::Record record = Sheet(falling[i].zh);
    EXPECT_GT(RateShape(record, falling[i].headline, falling[i].body),
              RateShape(record, falling[i + 1].headline, falling[i + 1].body) + 0.05)
        << falling[i].headline;
  }
}

TEST(Shape, SaysNothingTwice) {
  const recipe::Record zh = Sheet(true), en = Sheet(false);
  const double once = RateShape(zh, "铺好床单，早点睡", "忙完一天，回家歇着。亚麻床单，纯亚麻，水洗做旧。");
  EXPECT_LT(RateShape(zh, "铺好床单，早点睡", "忙完一天，铺好歇着。亚麻床单，纯亚麻，水洗做旧。"), once - 0.05);
  EXPECT_LT(RateShape(zh, "铺好床单，水洗做旧", "忙完一天，回家歇着。亚麻床单，纯亚麻，水洗做旧。"), once - 0.05);
  EXPECT_LT(RateShape(en, "Felt for your morning", "Every morning: Wool Insoles, cut to size."),
            RateShape(en, "Felt for your morning", "Every evening: Wool Insoles, cut to size.") - 0.05);
}

recipe::Candidate Copy(const std::string& headline, const std::string& body, const std::string& pattern, double grade) {
  recipe::Candidate candidate;
  candidate.output = {{"headline", headline}, {"body", body}};
  candidate.writer = "phrases";
  candidate.choices = {{"headline", {{"pattern", pattern}, {"device", pattern}}}};
  candidate.scores["grade"] = grade;
  return candidate;
}

void Choose(recipe::Run& run, std::string_view toml) {
  Table step = Table::Parse(toml, "t.toml");
  const auto select = MakeSelect(step, {.id = "select", .earlier = {"likelihood"}, .outputs = {"headline", "body"}});
  step.Done();
  std::vector<size_t> all(run.records().size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  select->Apply(run, all, 0);
}

TEST(Select, NeighboursDoNotSoundTheSame) {
  const auto fill = [](SearchingRun& run) {
    for (int i = 0; i < 2; ++i) {
      run.records().push_back(Sheet(false));
      run.records().back().candidates = {Copy(Cat("One for you, ", i), "Merino felt.", "a", 0.8),
                                         Copy(Cat("Two for you, ", i), "Merino felt.", "a", 0.85),
                                         Copy(Cat("Six for you, ", i), "Merino felt.", "b", 0.7)};
    }
  };
  SearchingRun run, again;
  fill(run);
  fill(again);
  const std::string toml = "weights = { grade = 1.0, variety = 1.0 }\nunique = 'headline'\nrepeat = 0.2\nshow = 2\n";
  Choose(run, toml);
  EXPECT_EQ(run.records()[0].ranking[0], 1u);  // the best grade
  EXPECT_EQ(run.records()[0].ranking[1], 2u);  // another device before a better grade
  EXPECT_EQ(run.records()[1].ranking[0], 2u);  // the first card has used pattern a
  Choose(again, toml);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(run.records()[i].ranking, again.records()[i].ranking);
}

TEST(Select, LikelihoodOnlySinks) {
  SearchingRun run;
  run.records().push_back(Sheet(false));
  auto& candidates = run.records()[0].candidates;
  const double likelihood[] = {-1.0, -3.0, -3.1, -3.2, -9.0};
  for (int i = 0; i < 5; ++i) {
    candidates.push_back(Copy(Cat("Felt ", i), "Merino felt.", Cat("p", i), i == 2 ? 0.6 : 0.5));
    candidates.back().scores["likelihood"] = likelihood[i];
  }
  Choose(run, "weights = { likelihood = 1.0, grade = 0.1 }\n");
  EXPECT_EQ(run.records()[0].ranking.front(), 2u);  // the likeliest gains nothing over the ordinary
  EXPECT_LT(candidates[4].scores["total"], candidates[3].scores["total"] - 0.2);
}

TEST(Select, OffersNoHeadlineTwice) {
  SearchingRun run;
  run.records().push_back(Sheet(false));
  auto& candidates = run.records()[0].candidates;
  candidates = {Copy("Felt for you", "Merino felt.", "a", 0.9), Copy("Felt for you", "Cut to size.", "b", 0.8),
                Copy("Felt for them", "Cut to size.", "c", 0.7), Copy("Felt for them", "Merino felt.", "d", 0.6)};
  Choose(run, "weights = { grade = 1.0 }\nunique = 'headline'\nshow = 4\n");
  EXPECT_EQ(run.records()[0].offered, 2u);
  EXPECT_EQ(run.records()[0].ranking, (std::vector<size_t>{0, 2, 1, 3}));
}

TEST(Select, RefusesScoresThatNobodyGives) {
  SearchingRun run;
  EXPECT_THROW(Choose(run, "weights = { likelyhood = 1.0 }\n"), Error);
  EXPECT_THROW(Choose(run, "weights = { grade = 1.0 }\nunique = 'title'\n"), Error);
  EXPECT_THROW(Choose(run, "weights = {}\n"), Error);
}

}  // namespace
}  // namespace atelier::operators
