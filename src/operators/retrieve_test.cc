#include "operators/retrieve.h"

#include <gtest/gtest.h>

#include "operators/searching_run.h"

namespace atelier::operators {
namespace {

std::unique_ptr<recipe::Operator> Step(const std::string& toml) {
  Table table = Table::Parse(toml, "recipe.toml");
  std::unique_ptr<recipe::Operator> step = MakeRetrieve(table, {.id = "find", .folder = "."});
  table.Done();
  return step;
}

TEST(RetrieveTest, AsksAsTheStepSaysAndFillsTheField) {
  SearchingRun run;
  run.searcher.passages = {{.document = "a.html",
                            .title = "A",
                            .source = "docs/a.html",
                            .anchor = "x",
                            .lang = "zh",
                            .headings = {"A", "升级"},
                            .text = "<b>升级</b>😀",
                            .begin = 10,
                            .end = 27,
                            .begin_char = 4,
                            .end_char = 14,
                            .score = 0.5,
                            .bm25 = 7,
                            .cosine = 0.9},
                           {.document = "b", .title = "B"}};
  run.Ask("  怎么{{ 升级 }}\"? ", "zh");
  run.Apply(
      *Step("index = \"docs\"\nquery = \" {{ question }} \"\nk = 2\nmode = \"bm25\"\n"
            "filter = [\"lang={{ lang }}\", \"team=sales\"]\ninto = \"found\""));
  ASSERT_EQ(run.searcher.requests.size(), 1U);
  const artefact::SearchRequest& asked = run.searcher.requests[0];
  EXPECT_EQ(asked.index, "docs");
  EXPECT_EQ(asked.query, "怎么{{ 升级 }}\"?") << "a question is a value, not a template";
  EXPECT_EQ(asked.k, 2U);
  EXPECT_EQ(asked.mode, "bm25");
  EXPECT_EQ(asked.filter, (std::vector<std::string>{"lang=zh", "team=sales"}));
  const Json& found = run.records()[0].input["found"];
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0], (Json{{"number", 1},
                            {"document", "a.html"},
                            {"title", "A"},
                            {"source", "docs/a.html"},
                            {"anchor", "x"},
                            {"lang", "zh"},
                            {"headings", {"A", "升级"}},
                            {"heading", "升级"},
                            {"text", "<b>升级</b>😀"},
                            {"begin", 4},
                            {"end", 14},
                            {"score", 0.5},
                            {"bm25", 7.0},
                            {"cosine", 0.9}}));
  EXPECT_EQ(found[1]["number"], 2);
  EXPECT_EQ(found[1]["heading"], "B") << "without headings the document's title stands for them";
}

TEST(RetrieveTest, AnEmptyIndexGivesAnEmptyList) {
  SearchingRun run;
  run.Ask("anything", "en");
  run.Apply(*Step("index = \"docs\"\nquery = \"{{ question }}\""));
  EXPECT_EQ(run.records()[0].input["passages"], Json::array());
}

TEST(RetrieveTest, PassesOverWhatNeedsAPerson) {
  SearchingRun run;
  run.Ask("x", "en").needs_person = "no question in it";
  run.Apply(*Step("index = \"docs\"\nquery = \"{{ question }}\""));
  EXPECT_TRUE(run.searcher.requests.empty());
  EXPECT_FALSE(run.records()[0].input.contains("passages"));
}

TEST(RetrieveTest, FaultsNameTheStep) {
  SearchingRun run;
  run.searcher.fault = "there is no index \"docs\"";
  run.Ask("x", "en");
  try {
    run.Apply(*Step("index = \"docs\"\nquery = \"{{ question }}\""));
    FAIL() << "nobody threw";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "step find: there is no index \"docs\"");
    EXPECT_EQ(e.code(), Code::kNotFound);
  }
  for (const char* wrong :
       {"query = \"x\"", "index = \"d\"", "index = \"d\"\nquery = \"{{ x\"", "index = \"d\"\nquery = \"x\"\nk = 0",
        "index = \"d\"\nquery = \"x\"\nmode = \"near\"", "index = \"d\"\nquery = \"x\"\nfilter = [\"{% if %}\"]",
        "index = \"d\"\nquery = \"x\"\nkk = 3"}) {
    EXPECT_THROW(Step(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace atelier::operators
