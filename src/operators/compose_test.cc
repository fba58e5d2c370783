#include "operators/compose.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::operators {
namespace {

Grammar Small(const std::string& more = "") {
  return Grammar::Parse(Cat(R"(format = 1
lang = "en"
[[class]]
name = "thing"
head = ["slot", "base"]
[[group]]
name = "service"
when = { category = "services" }
[[group]]
name = "service"
when = { match = { name = 'visit$' } }
[[words]]
name = "day"
any = ["Sunday", "Monday"]
[[words]]
name = "end"
any = ["For {audience}.", "Also: {rest}."]
[[pattern]]
id = "h1"
part = "headline"
device = "fact"
text = "{name} with {f1:thing|a}"
[[pattern]]
id = "h2"
part = "headline"
device = "moment"
text = "{name} for <day>"
[[pattern]]
id = "b1"
part = "body"
device = "fact"
text = "{f1}. {f2}. <end>"
[[pattern]]
id = "b2"
part = "body"
device = "moment"
text = "<day>, {name?is:are} it? {f1}."
when = { not_group = "service" }
)",
                            more),
                        "small.toml");
}

Json Row() {
  return Json{{"lang", "en"},
              {"name", "Phone Stand"},
              {"category", "desk"},
              {"features", {"solid walnut", "cable slot", "5 mm felt"}},
              {"audience", "office workers"},
              {"price", "$24"}};
}

std::vector<std::string> Texts(const Composed& composed) {
  std::vector<std::string> texts;
  for (const recipe::Candidate& c : composed.candidates)
    texts.push_back(c.output["headline"].get<std::string>() + " | " + c.output["body"].get<std::string>());
  return texts;
}

Composed Make(const Grammar& grammar, const Json& row, size_t count, uint64_t seed = 1) {
  Rng rng(seed, "compose/0/0");
  ComposeOptions options;
  options.count = count;
  return Compose(grammar, row, options, rng);
}

TEST(Compose, FillsSlotsAndSaysWhatItChose) {
  Composed all = Make(Small(), Row(), 1000);
  std::vector<std::string> texts = Texts(all);
  std::set<std::string> set(texts.begin(), texts.end());
  EXPECT_EQ(set.size(), texts.size());
  EXPECT_TRUE(set.contains("Phone Stand with a cable slot | Solid walnut. 5 mm felt. For office workers."));
  EXPECT_TRUE(set.contains("Phone Stand with a cable slot | Solid walnut. 5 mm felt. Also: cable slot."));
  EXPECT_TRUE(set.contains("Phone Stand for Sunday | Monday, is it? Cable slot."));
  EXPECT_FALSE(set.contains("Phone Stand for Sunday | Sunday, is it? Cable slot."));  // one word, twice
  const recipe::Candidate& first = all.candidates[0];
  const Json& choice = first.choices["body"];
  EXPECT_TRUE(choice["pattern"] == "b1" || choice["pattern"] == "b2");
  EXPECT_TRUE(choice["slots"].contains("f1"));
  EXPECT_EQ(first.output["tags"][0], "Phone Stand");
  for (const recipe::Candidate& c : all.candidates) {
    EXPECT_EQ(c.choices.dump().find('\x01'), std::string::npos);
    EXPECT_EQ(c.choices.dump().find("\\u0001"), std::string::npos);
  }
}

TEST(Compose, ConditionsHold) {
  Json row = Row();
  row["category"] = "Services";
  for (const std::string& text : Texts(Make(Small(), row, 1000))) EXPECT_EQ(text.find("is it?"), text.npos) << text;
  row = Row();
  row["name"] = "Desk Visit";
  for (const std::string& text : Texts(Make(Small(), row, 1000))) EXPECT_EQ(text.find("is it?"), text.npos) << text;
  row["name"] = "Bookends";
  bool plural = false;
  for (const std::string& text : Texts(Make(Small(), row, 1000))) plural |= text.find("are it?") != text.npos;
  EXPECT_TRUE(plural);
}

TEST(Compose, TheSameStreamGivesTheSameCandidates) {
  Grammar grammar = Small();
  EXPECT_EQ(Texts(Make(grammar, Row(), 12, 7)), Texts(Make(grammar, Row(), 12, 7)));
  EXPECT_NE(Texts(Make(grammar, Row(), 12, 7)), Texts(Make(grammar, Row(), 12, 8)));
}

TEST(Compose, ThinSheetsNeedAPerson) {
  Grammar grammar = Small();
  EXPECT_NE(Make(grammar, Json{{"name", "Mug"}}, 5).lacking.find("no features"), std::string::npos);
  EXPECT_NE(Make(grammar, Json{{"features", {"a", "b", "c"}}}, 5).lacking.find("no name"), std::string::npos);
  EXPECT_NE(
      Make(grammar, Json{{"name", "Mug"}, {"features", {"blue"}}, {"price", "$5"}}, 5).lacking.find("one feature only"),
      std::string::npos);
  EXPECT_EQ(Make(grammar, Json{{"name", "Mug"}, {"features", "blue; 12 oz"}, {"audience", "tea drinkers"}}, 5).lacking,
            "");
  EXPECT_TRUE(Make(grammar, Json::object(), 5).candidates.empty());
  EXPECT_TRUE(Make(grammar, Json{{"name", 3}, {"features", {1, 2}}}, 5).candidates.empty());
}

TEST(Compose, KeepsTheSheetLetterForLetter) {
  Json row = Row();
  row["features"] = {"Solid walnut", "iPhone slot", "Approx. 5.5 mm felt."};
  row["name"] = "pH Meter";
  for (const std::string& text : Texts(Make(Small(), row, 1000))) {
    EXPECT_EQ(text.find("IPhone"), text.npos) << text;
    EXPECT_EQ(text.find("PH Meter"), text.npos) << text;
    EXPECT_EQ(text.find(".."), text.npos) << text;
    if (text.find("pprox") != text.npos) {
      EXPECT_NE(text.find("pprox. 5.5 mm felt"), text.npos) << text;
    }
  }
}

TEST(Compose, LengthsAreKept) {
  Rng rng(1);
  ComposeOptions options;
  options.count = 1000;
  options.max_headline = 22;
  Composed composed = Compose(Small(), Row(), options, rng);
  ASSERT_FALSE(composed.candidates.empty());
  for (const recipe::Candidate& c : composed.candidates) EXPECT_LE(c.output["headline"].get<std::string>().size(), 22u);
}

// Lists in lists in lists, and forty features in five slots: 20^4 words, 78 million assignments.
TEST(Compose, WorkIsBounded) {
  std::string lists;
  for (int depth = 0; depth < 4; ++depth) {
    lists += Cat("[[words]]\nname = \"w", depth, "\"\nany = [");
    for (int i = 0; i < 20; ++i)
      lists += Cat(i > 0 ? ", " : "", "\"", i, depth < 3 ? Cat(" <w", depth + 1, ">") : std::string(), "\"");
    lists += "]\n";
  }
  Grammar grammar = Small(
      Cat(lists, "[[pattern]]\nid = 'big'\npart = 'body'\ndevice = 'fact'\ntext = '{f1} {f2} {f3} {f4} {f5} <w0>'\n"));
  Json row = Row();
  row["features"] = Json::array();
  for (int i = 0; i < 200; ++i) row["features"].push_back(Cat("feature ", i));
  Facts facts = ReadFacts(row, grammar);
  EXPECT_EQ(facts.features.size(), 40u);
  Rng rng(1);
  ExpandOptions options;
  size_t big = 0;
  for (const Expansion& expansion : Expand(grammar, facts, Part::kBody, rng, options))
    big += expansion.pattern->id == "big";
  EXPECT_EQ(big, options.per_pattern);
  EXPECT_EQ(Make(grammar, row, 200).candidates.size(), 200u);
}

class FakeRun final : public recipe::Run {
 public:
  std::vector<recipe::Record>& records() override { return records_; }
  uint64_t seed() const override { return 5; }
  const std::string& folder() const override { return text_; }
  const std::string& out() const override { return text_; }
  const std::string& recipe_name() const override { return text_; }
  const std::string& variant() const override { return text_; }
  const std::string& config_hash() const override { return text_; }
  std::shared_ptr<artefact::Generator> Model(const std::string&) override { return nullptr; }
  void Rerun(const std::string&, std::span<const size_t>, int) override {}
  void Report(uint64_t, uint64_t, std::string_view) override {}
  std::vector<recipe::Record> records_;
  std::string text_;
};

TEST(ComposeStep, WritesPerRecordAndBringsNewTextsWhenAskedAgain) {
  std::string folder = std::string(ATELIER_SOURCE_DIR) + "/recipes/ad_copy";
  Table step = Table::Parse(
      "grammar = { en = \"grammar/en.toml\", zh = \"grammar/zh.toml\" }\ncount = 16\n"
      "max_chars = { headline = 60, body = 200 }\n",
      "recipe.toml");
  std::unique_ptr<recipe::Operator> compose = MakeCompose(step, {"phrases", folder});
  step.Done();
  FakeRun run;
  run.records_.resize(4);
  for (size_t i = 0; i < 4; ++i) run.records_[i].index = i;
  run.records_[0].input = Row();
  run.records_[0].lang = "en";
  run.records_[1].input = Json{{"name", "Mug"}};
  run.records_[1].lang = "en";
  run.records_[2].lang = "fr";
  run.records_[3].input = Row();
  run.records_[3].lang = "en";
  run.records_[3].needs_person = "asked for";
  std::vector<size_t> all = {0, 1, 2, 3};
  compose->Apply(run, all, 0);
  ASSERT_EQ(run.records_[0].candidates.size(), 16u);
  EXPECT_EQ(run.records_[0].candidates[3].writer, "phrases");
  EXPECT_NE(run.records_[1].needs_person.find("too little"), std::string::npos);
  EXPECT_TRUE(run.records_[2].candidates.empty() && run.records_[2].needs_person.empty());
  EXPECT_TRUE(run.records_[3].candidates.empty());
  std::vector<size_t> one = {0};
  compose->Apply(run, one, 1);
  std::set<std::string> texts;
  for (const recipe::Candidate& c : run.records_[0].candidates) texts.insert(c.output.dump());
  EXPECT_EQ(texts.size(), run.records_[0].candidates.size());
  EXPECT_GT(texts.size(), 24u);
  EXPECT_EQ(run.records_[0].candidates.back().attempt, 1);
  size_t before = run.records_[0].candidates.size();
  compose->Apply(run, one, 0);  // the first stream again: every text is known
  EXPECT_EQ(run.records_[0].candidates.size(), before);
  // Alone or among others: the same.
  FakeRun alone;
  alone.records_.push_back(run.records_[0]);
  alone.records_[0].candidates.clear();
  compose->Apply(alone, one, 0);
  for (size_t i = 0; i < 16; ++i)
    EXPECT_EQ(alone.records_[0].candidates[i].output, run.records_[0].candidates[i].output);
}

TEST(ComposeStep, RefusesAGrammarOfAnotherLanguageAndPathsThatLeadOut) {
  std::string folder = std::string(ATELIER_SOURCE_DIR) + "/recipes/ad_copy";
  Table wrong = Table::Parse("grammar = { zh = \"grammar/en.toml\" }\n", "recipe.toml");
  EXPECT_THROW(MakeCompose(wrong, {"phrases", folder}), Error);
  Table out = Table::Parse("grammar = { en = \"../../../etc/passwd\" }\n", "recipe.toml");
  EXPECT_THROW(MakeCompose(out, {"phrases", folder}), Error);
}

}  // namespace
}  // namespace atelier::operators
