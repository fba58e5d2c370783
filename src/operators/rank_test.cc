#include "operators/rank.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "operators/searching_run.h"
#include "operators/select.h"

namespace atelier::operators {
namespace {

// The more characters, the better, by what an option brings times two.
class LongRanker : public artefact::Ranker {
 public:
  const artefact::ModelInfo& info() const override { return info_; }
  const std::vector<std::string>& wants() const override { return wanted; }
  std::vector<double> Score(const Json& context, const std::vector<artefact::RankOption>& options) override {
    contexts.push_back(context);
    std::vector<double> scores;
    for (const artefact::RankOption& option : options) {
      texts.push_back(option.text);
      scores.push_back(static_cast<double>(option.text.size()));
      for (const std::string& name : wanted) scores.back() += 2 * option.features.at(name);
    }
    return scores;
  }
  std::vector<std::string> wanted, texts;
  std::vector<Json> contexts;

 private:
  artefact::ModelInfo info_;
};

class RankingRun : public SearchingRun {
 public:
  std::shared_ptr<artefact::Ranker> Ranker(const std::string& name) override {
    if (name != "clicks") throw Error(Code::kNotFound, Cat("no ranker ", name));
    return ranker;
  }
  void Note(std::string_view note) override { notes_.emplace_back(note); }
  std::vector<std::string> notes() const override { return notes_; }
  std::shared_ptr<LongRanker> ranker = std::make_shared<LongRanker>();

 private:
  std::vector<std::string> notes_;
};

recipe::Candidate Copy(const std::string& headline, const std::string& body) {
  recipe::Candidate candidate;
  candidate.output = {{"headline", headline}, {"body", body}};
  return candidate;
}

std::unique_ptr<recipe::Operator> Step(const std::string& toml) {
  Table table = Table::Parse(toml, "recipe.toml");
  auto step = MakeRank(table, {.id = "taste", .outputs = {"headline", "body"}});
  table.Done();
  return step;
}

const std::string kStep = "model = { zh = \"clicks\" }\nfields = [\"headline\", \"body\"]\n";

TEST(RankOperator, ScoresAreChances) {
  RankingRun run;
  recipe::Record& record = run.Ask("壶", "zh");
  record.candidates = {Copy("a", "b"), Copy("a", "bb"), Copy("", "")};
  run.Ask("壶", "en").candidates = {Copy("a", "b")};
  run.Ask("一个", "zh").candidates = {Copy("a", "")};
  run.Ask("人", "zh").candidates = {Copy("a", "b")};
  run.records()[3].needs_person = "why";
  run.Apply(*Step(kStep));
  const auto& scored = run.records()[0].candidates;
  EXPECT_NEAR(scored[0].scores.at("taste"), 1 / (1 + std::exp(1)), 1e-12);
  EXPECT_NEAR(scored[1].scores.at("taste"), 1 / (1 + std::exp(-1)), 1e-12);
  EXPECT_TRUE(scored[2].scores.empty());  // says nothing
  EXPECT_TRUE(run.records()[1].candidates[0].scores.empty());
  EXPECT_EQ(run.records()[2].candidates[0].scores.at("taste"), 0.5);
  EXPECT_TRUE(run.records()[3].candidates[0].scores.empty());
  EXPECT_EQ(run.ranker->texts, (std::vector<std::string>{"a\nb", "a\nbb", "a"}));
  EXPECT_EQ(run.ranker->contexts[0], Json({{"question", "壶"}}));
  EXPECT_TRUE(run.notes().empty());
}

TEST(RankOperator, BringsScoresAndChecks) {
  RankingRun run;
  run.ranker->wanted = {"likelihood", "check.length"};
  recipe::Record& record = run.Ask("壶", "zh");
  record.candidates = {Copy("a", "b"), Copy("a", "b"), Copy("a", "b")};
  record.candidates[0].scores["likelihood"] = 1;
  record.candidates[0].checks = {{.check = "length", .reason = "", .margin = 0.5}};
  record.candidates[1].scores["likelihood"] = 1;
  record.candidates[1].checks = {{.check = "length", .reason = "", .margin = 0.25}};
  record.candidates[2].scores = {{"likelihood", 1}, {"taste", 0.9}};  // of an earlier pass
  run.Apply(*Step(kStep));
  const auto& scored = run.records()[0].candidates;
  EXPECT_NEAR(scored[0].scores.at("taste"), 1 / (1 + std::exp(-0.5)), 1e-12);
  EXPECT_NEAR(scored[0].scores.at("taste") + scored[1].scores.at("taste"), 1, 1e-12);
  EXPECT_FALSE(scored[2].scores.contains("taste"));
  ASSERT_EQ(run.notes().size(), 1u);
  EXPECT_EQ(run.notes()[0], "taste: 1 candidate has no 'check.length', without which clicks does not rank");
}

TEST(RankOperator, AMissingRankerIsAnErrorUnlessOptional) {
  RankingRun run;
  run.Ask("壶", "zh").candidates = {Copy("a", "b")};
  const std::string missing = "model = { zh = \"gone\" }\nfields = [\"body\"]\n";
  try {
    run.Apply(*Step(missing));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kNotFound);
    EXPECT_TRUE(std::string_view(e.what()).starts_with("step taste: ")) << e.what();
  }
  run.Apply(*Step(missing + "optional = true\n"));
  EXPECT_EQ(run.notes(), std::vector<std::string>{"left out: no ranker gone"});
  EXPECT_TRUE(run.records()[0].candidates[0].scores.empty());
  for (const char* wrong :
       {"model = { zh = \"clicks\" }\nfields = []\n", "model = { zh = \"clicks\" }\nfields = [\"bod\"]\n",
        "fields = [\"body\"]\n", "model = { zh = \"clicks\" }\nfields = [\"body\"]\nmost = 3\n"})
    EXPECT_THROW(Step(wrong), Error) << wrong;
  SearchingRun none;
  none.Ask("壶", "zh").candidates = {Copy("a", "b")};
  EXPECT_THROW(none.Apply(*Step(kStep)), Error);
}

TEST(RankOperator, SelectWeighsChancesAsTheyAre) {
  RankingRun run;
  recipe::Record& record = run.Ask("壶", "zh");
  // Above the mean all three times: as a score without a scale the first two would be equally good.
  record.candidates = {Copy("a", "第一"), Copy("b", "第二"), Copy("c", "第三")};
  const double chances[] = {0.7, 0.9, 0.1};
  for (size_t i = 0; i < 3; ++i) record.candidates[i].scores["taste"] = chances[i];
  for (const bool rank : {true, false}) {
    Table table = Table::Parse("weights = { taste = 1.0 }\nshow = 1\n", "recipe.toml");
    const auto select = MakeSelect(table, {.id = "select",
                                           .earlier = {"taste"},
                                           .uses = {{"taste", rank ? "rank" : "score"}},
                                           .outputs = {"headline", "body"}});
    run.Apply(*select);
    EXPECT_EQ(run.records()[0].ranking[0], rank ? 1u : 0u);
    if (rank) {
      EXPECT_NEAR(run.records()[0].candidates[1].scores.at("total"), 0.9, 1e-12);
    }
  }
}

}  // namespace
}  // namespace atelier::operators
