// Suites from their file to results, with a recipe that says its record again.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "experiment/suite_report.h"
#include "experiment/suite_run.h"

namespace atelier::experiment {
namespace {

std::atomic<int> runs{0};

// Says the record's text again; "stop" needs a person, "break" fails, "none" is dropped.
class Echo : public recipe::Operator {
 public:
  explicit Echo(std::string ending) : ending_(std::move(ending)) {}
  void Apply(recipe::Run& run, std::span<const size_t> records, int) override {
    for (const size_t i : records) {
      recipe::Record& record = run.records()[i];
      if (!record.needs_person.empty()) continue;
      ++runs;
      const std::string text = record.input["text"].get<std::string>();
      if (text == "break") throw Error(Code::kInvalidInput, "this one breaks");
      if (text == "stop") {
        record.needs_person = "a person has to look";
        continue;
      }
      if (text == "none") continue;
      if (text.starts_with("model")) run.Model("m");
      if (text.starts_with("note")) run.Note("look at " + text);
      recipe::Candidate candidate;
      candidate.output = {{"said", text + ending_}, {"number", std::to_string(text.size())}, {"tags", {"a", "b"}}};
      if (text == "seed") candidate.output["number"] = std::to_string(run.seed());
      candidate.scores["total"] = static_cast<double>(text.size()) / 100;
      candidate.output_tokens = 3;
      record.candidates.push_back(std::move(candidate));
    }
  }

 private:
  std::string ending_;
};

// A model that is there, and no more.
class Mute : public artefact::Generator {
 public:
  const artefact::ModelInfo& info() const override { return info_; }
  artefact::EngineInfo engine() const override { return {}; }
  artefact::GenerateResult Generate(const artefact::GenerateRequest&, const artefact::StreamFn&) override { return {}; }
  std::vector<artefact::Scored> Score(std::string_view, const std::vector<std::string>&, bool) override { return {}; }
  std::vector<int32_t> Tokenize(std::string_view, bool) const override { return {}; }
  int32_t bos() const override { return -1; }
  bool wants_bos() const override { return false; }
  std::vector<float> Logprobs(std::span<const int32_t>, size_t) override { return {}; }

 private:
  artefact::ModelInfo info_;
};

const std::vector<recipe::OperatorEntry>& Operators() {
  static const std::vector<recipe::OperatorEntry> list = {
      {"echo", "says it again", [](Table& step, const recipe::StepContext&) -> std::unique_ptr<recipe::Operator> {
         return std::make_unique<Echo>(step.StringOr("ending", ""));
       }}};
  return list;
}

constexpr std::string_view kRecipe = R"(
[recipe]
name = "echo"
version = 1
[input]
[[input.field]]
name = "text"
most_chars = 2000
[[output.field]]
name = "said"
[[output.field]]
name = "number"
[[output.field]]
name = "tags"
type = "list"
[[step]]
id = "say"
use = "echo"
[variants.loud]
say = { ending = "!!!" }
)";

constexpr std::string_view kHead = R"(
[suite]
name = "s"
recipe = "./recipe"
[cases]
file = "cases.jsonl"
lists = ["ref"]
id = "id"
)";

class SuiteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(std::getenv("TEST_TMPDIR") != nullptr ? std::getenv("TEST_TMPDIR") : "/tmp/", "suite_",
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    MakeFolders(folder_ + "/recipe");
    WriteFileAtomic(folder_ + "/recipe/recipe.toml", kRecipe);
    Cases({R"({"id":"one","text":"Hello there","want":"hello","ref":"Hello there"})",
           R"({"id":"二","text":"你好，世界 😀","want":"世界","ref":"你好 世界"})",
           R"({"id":"three","text":"nothing of it","want":"something","ref":["x","nothing of it"]})"});
  }

  void Cases(const std::vector<std::string>& lines) { WriteFileAtomic(folder_ + "/cases.jsonl", Join(lines, "\n")); }

  Suite Parse(std::string_view rest, std::string_view head = kHead) {
    return ParseSuite(Cat(head, rest), folder_ + "/suite.toml",
                      [](const std::string& name) -> std::string { throw Error(Code::kNotFound, Cat("no ", name)); });
  }

  RunnerOptions Options() {
    RunnerOptions options;
    options.operators = Operators();
    options.model_hash = [](const std::string&) { return std::string(); };
    options.find = [this](const std::string& name) { return Cat(folder_, "/", name); };
    options.build = "test";
    return options;
  }

  SuiteResult Run(Suite& suite, const std::optional<Baseline>& baseline = std::nullopt) {
    CaseRunner runner(Options());
    return RunSuite(suite, runner, baseline);
  }

  SuiteResult Run(std::string_view rest) {
    suite_ = std::make_unique<Suite>(Parse(rest));
    return Run(*suite_);
  }

  // The message of what Parse throws.
  std::string Refusal(std::string_view rest, std::string_view head = kHead) {
    try {
      Suite suite = Parse(rest, head);
      Run(suite);
    } catch (const Error& e) {
      return e.Line();
    }
    return "";
  }

  std::string folder_;
  std::unique_ptr<Suite> suite_;
};

std::vector<std::string> Failures(const Cell& cell) {
  std::vector<std::string> failures;
  for (const Note& failure : cell.failures) {
    EXPECT_NE(failure.zh, failure.en);
    failures.push_back(failure.en);
  }
  return failures;
}

// What the one assertion says of each case.
std::vector<std::string> Reasons(const SuiteResult& result) {
  std::vector<std::string> reasons;
  for (const auto& value : result.arms[0].cells[0].values) reasons.push_back(value ? value->reason.en : "-");
  return reasons;
}

TEST_F(SuiteTest, AssertionsSayWhyTheyDoNotHold) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='contains'\nof='said'\nfield='want'")),
            (Strings{"", "", "does not say 'something'"}));
  EXPECT_FALSE(Run("[[assert]]\nuse='contains'\nof='said'\nfield='want'").passed);
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='contains'\nof='said'\nfield='want'\nfold=false")),
            (Strings{"does not say 'hello'", "", "does not say 'something'"}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='contains'\nof='said'\ntext=['nothing','hello']\nany=true")),
            (Strings{"", "does not say 'nothing' or 'hello'", ""}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='excludes'\nof=['said','tags']\ntext='ＨＥＬＬＯ'")),
            (Strings{"says 'ＨＥＬＬＯ'", "", ""}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='equals'\nof='said'\nfield='ref'")),
            (Strings{"", "is '你好，世界 😀', not '你好 世界'", ""}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='matches'\nof='said'\npattern='^[A-Z]'")),
            (Strings{"", "'你好，世界 😀' does not match ^[A-Z]", "'nothing of it' does not match ^[A-Z]"}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='length'\nof='said'\nleast_chars=8\nmost_chars=11")),
            (Strings{"", "7 characters, at least 8 are wanted", "13 characters, at most 11 are wanted"}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='language'\nof='said'\nis='zh'"))[0], "is en, not zh: 'Hello there'");
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='language'\nof='said'")), (Strings{"", "", ""}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='within'\nof='number'\nfrom=12\nto=30")),
            (Strings{"number is 11, not within 12 and 30", "", ""}));
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='within'\nof='said'"))[0], "said is no number: 'Hello there'");
  Cases({R"({"id":"a","text":"…… 42 !"})"});
  EXPECT_EQ(Reasons(Run("[[assert]]\nuse='language'\nof='said'\nis='en'"))[0],
            "has no word of any language: '…… 42 !'");
}

TEST_F(SuiteTest, WhereNothingCameOutNothingPasses) {
  Cases({R"({"id":"a","text":"stop"})", R"({"id":"b","text":"none"})", R"({"id":"c","text":"fine"})"});
  SuiteResult result = Run("[[assert]]\nuse='answered'\nleast=0.3");
  EXPECT_EQ(Reasons(result),
            (std::vector<std::string>{"a person has to look", "no candidate passed the recipe's checks", ""}));
  EXPECT_TRUE(result.passed);
  EXPECT_NEAR(result.arms[0].cells[0].score, 1.0 / 3, 1e-12);
  result = Run("[[assert]]\nuse='answered'\nexpect=false");
  EXPECT_EQ(Reasons(result)[2].substr(0, 21), "there is an output: '");
  result = Run("[[assert]]\nuse='excludes'\nof='said'\ntext='x'");
  EXPECT_EQ(Reasons(result)[0], "no output: a person has to look");
  // A metric without values is told and fails its cut-off; it is no 0.
  result = Run("[[metric]]\nuse='chars'\nof='said'\nleast=1");
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.arms[0].cells[0].missing, 2u);
  EXPECT_EQ(result.arms[0].cells[0].score, 4);
  EXPECT_EQ(Failures(result.arms[0].cells[0]), std::vector<std::string>{"2 of 3 cases have no value"});
  EXPECT_TRUE(Run("[[metric]]\nuse='chars'\nof='said'\nleast=1\nmissing=2").passed);
  EXPECT_FALSE(Run("[[metric]]\nuse='chars'\nof='said'\nleast=1\nwhere={id='z'}").passed);
}

TEST_F(SuiteTest, OneCaseThatFailsIsToldAndTheRestGoesOn) {
  Cases({R"({"id":"a","text":"break"})", R"({"id":"b","text":"fine"})"});
  const SuiteResult result =
      Run("[[metric]]\nuse='chars'\nof='said'\n[[metric]]\nuse='seconds'\n[[metric]]\nuse='tokens'");
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.arms[0].cells[1].missing, 1u);  // what failed took no 0 seconds
  EXPECT_EQ(result.arms[0].cells[2].score, 3);
  EXPECT_EQ(result.arms[0].errors, 1u);
  EXPECT_EQ(result.arms[0].outputs[0].error, "this one breaks");
  EXPECT_TRUE(result.arms[0].outputs[1].there());
  Cases({R"({"id":"a","text":"break"})"});
  EXPECT_THROW(Run("[[metric]]\nuse='chars'\nof='said'"), Error);
}

TEST_F(SuiteTest, MetricsAreThoseOfEvaluate) {
  const SuiteResult result =
      Run("[[metric]]\nuse='chrf'\nof='said'\nreference='ref'\nword_order=2\n"
          "[[metric]]\nuse='score'\n[[metric]]\nuse='field'\nof='number'\n[[metric]]\nuse='tokens'\n"
          "[[metric]]\nuse='repetition'\nof='said'\nn=1");
  const std::vector<Cell>& cells = result.arms[0].cells;
  EXPECT_NEAR(cells[0].values[0]->value, 100, 1e-9);
  EXPECT_NEAR(cells[0].values[2]->value, 100, 1e-9);  // the better of two references
  EXPECT_LT(cells[0].score, 100);
  EXPECT_NE(cells[0].signature.find("nw:2"), std::string::npos) << cells[0].signature;
  EXPECT_NEAR(cells[1].score, (0.11 + 0.20 + 0.13) / 3, 1e-9);
  EXPECT_NEAR(cells[2].score, (11 + 20 + 13) / 3.0, 1e-9);
  EXPECT_EQ(cells[3].score, 3);
  EXPECT_TRUE(suite_->measures[3].measure->score().lower_is_better());
  EXPECT_EQ(cells[4].score, 0);
}

TEST_F(SuiteTest, FaithfulTextsHoldNothingNew) {
  Cases({R"({"id":"a","text":"手冲壶，600毫升，128元","facts":["容量600毫升","128元"]})",
         R"({"id":"b","text":"The pot holds 900 ml.","facts":["holds 600 ml"]})"});
  suite_ = std::make_unique<Suite>(
      Parse("[[assert]]\nuse='faithful'\nof='said'\nsource='facts'", ReplaceAll(kHead, "\"ref\"", "\"facts\"")));
  EXPECT_EQ(Reasons(Run(*suite_)), (std::vector<std::string>{"", "the source does not say '900 ml'"}));
}

TEST_F(SuiteTest, RougeHasFourScores) {
  const SuiteResult result =
      Run("[[metric]]\nuse='rouge'\nof='said'\nreference='ref'\nscore='rougeL'\ntokenize='zh'\nstem=true");
  EXPECT_NEAR(result.arms[0].cells[0].values[0]->value, 1, 1e-9);
  EXPECT_EQ(suite_->measures[0].measure->which(), 2u);
  EXPECT_NE(Refusal("[[metric]]\nuse='bertscore'\nof='said'\nreference='ref'").find("no encoders here"),
            std::string::npos);
}

TEST_F(SuiteTest, ArmsAreComparedCaseByCase) {
  std::vector<std::string> lines;
  for (int i = 0; i < 40; ++i) lines.push_back(Cat(R"({"id":"c)", i, R"(","text":"text number )", i, "\"}"));
  Cases(lines);
  const SuiteResult result =
      Run("[[arm]]\n[[arm]]\nvariant='loud'\n[[metric]]\nuse='chars'\nof='said'\n"
          "[[assert]]\nuse='excludes'\nof='said'\ntext='!'\narms=['loud']");
  ASSERT_EQ(result.arms.size(), 2u);
  const Cell &plain = result.arms[0].cells[1], &loud = result.arms[1].cells[1];
  ASSERT_TRUE(loud.first.has_value());
  EXPECT_NEAR(loud.first->difference, 3, 1e-9);
  EXPECT_LT(loud.first->p, 0.01);
  EXPECT_FALSE(plain.first.has_value());
  EXPECT_FALSE(result.arms[0].cells[0].asked);
  EXPECT_EQ(Failures(result.arms[1].cells[0]), std::vector<std::string>{"0.0000 is below 1"});
  EXPECT_FALSE(result.passed);
}

TEST_F(SuiteTest, EachModelIsHeldAgainstTheFirstOfItsArm) {
  WriteFileAtomic(folder_ + "/theirs.jsonl", R"({"id":"one","said":"a"})");
  Suite suite = Parse(
      "[[arm]]\nname='plain'\n[[arm]]\nname='loud'\nvariant='loud'\nmodel='x'\n[[arm]]\nname='theirs'\n"
      "outputs='theirs.jsonl'\n[[metric]]\nuse='chars'\nof='said'\n[[metric]]\nname='of loud'\nuse='chars'\n"
      "of='said'\narms=['loud']");
  WithModels({"m", "m+a"}, &suite);
  std::vector<std::string> arms;
  for (const Arm& arm : suite.arms) arms.push_back(Cat(arm.name, "|", arm.model, "|", arm.against));
  EXPECT_EQ(arms, (std::vector<std::string>{"plain m|m|", "plain m+a|m+a|plain m", "loud m|m|", "loud m+a|m+a|loud m",
                                            "theirs||"}));
  const SuiteResult result = Run(suite);
  EXPECT_NEAR(result.arms[1].cells[0].first->difference, 0, 1e-9);
  EXPECT_NEAR(result.arms[2].cells[0].first->difference, 3, 1e-9) << "the first arm's";
  EXPECT_NEAR(result.arms[3].cells[0].first->difference, 0, 1e-9) << "its own first model's";
  EXPECT_FALSE(result.arms[1].cells[1].asked);
  EXPECT_TRUE(result.arms[3].cells[1].asked);
  EXPECT_EQ(ToJson(result, suite)["arms"][3]["against"], "loud m");
}

TEST_F(SuiteTest, ABaselineIsComparedWhereItWasMeasuredAlike) {
  Suite suite = Parse("[[metric]]\nuse='chars'\nof='said'\ndrop=0.5");
  const SuiteResult before = Run(suite);
  WriteFileAtomic(folder_ + "/results.json", ToText(ToJson(before, suite)));
  const Baseline baseline = ReadBaseline(folder_ + "/results.json");
  Cases({R"({"id":"one","text":"Hello","want":"hello","ref":""})", R"({"id":"new","text":"1"})"});
  SuiteResult result = Run(suite, baseline);
  for (const bool chinese : {false, true}) {
    const std::vector<std::string> page = Split(SuitePage(result, suite, {}, chinese), '<');
    for (const std::string tag : {"div", "span"}) {
      EXPECT_EQ(std::count_if(page.begin(), page.end(), [&](const auto& one) { return one.starts_with(tag); }),
                std::count_if(page.begin(), page.end(), [&](const auto& one) { return one.starts_with("/" + tag); }))
          << tag;
    }
  }
  ASSERT_TRUE(result.arms[0].cells[0].baseline.has_value());
  EXPECT_EQ(result.arms[0].cells[0].baseline->cases, 1u);  // the new case has no before
  EXPECT_NEAR(result.arms[0].cells[0].baseline->difference, -6, 1e-9);
  EXPECT_EQ(Failures(result.arms[0].cells[0]),
            std::vector<std::string>{"6.0000 worse than the run before, more than 0.5"});
  EXPECT_EQ(result.baseline_run, before.run);

  Suite other = Parse("[[metric]]\nname='chars'\nuse='chars'\nof=['said','number']");
  result = Run(other, baseline);
  EXPECT_FALSE(result.arms[0].cells[0].baseline.has_value());
  EXPECT_EQ(result.notes, std::vector<std::string>{"as written: chars was measured otherwise in the run before"});
  other = Parse("[[metric]]\nname='x'\nuse='chars'\nof='said'\ndrop=1", ReplaceAll(kHead, "\"s\"", "\"t\""));
  result = Run(other, baseline);
  EXPECT_EQ(result.notes,
            (std::vector<std::string>{"the run before is of the suite 's', this is 't'",
                                      "as written: x: the run before has nothing to hold `drop` against"}));
  EXPECT_EQ(Run(other).notes, std::vector<std::string>{"there is no run before: `drop` is held against nothing yet"});

  for (const std::string text :
       {"", "[]", "{}", R"({"format":2})", R"({"format":1,"run":"r","time":"t","arms":[{}],"outputs":[]})"}) {
    WriteFileAtomic(folder_ + "/broken.json", text);
    EXPECT_THROW(ReadBaseline(folder_ + "/broken.json"), Error) << text;
  }
  std::string huge = ToText(ToJson(before, suite));
  huge = ReplaceAll(huge, "\"counts\":[11,", "\"counts\":[9223372036854775807,");
  WriteFileAtomic(folder_ + "/huge.json", huge);
  EXPECT_THROW(ReadBaseline(folder_ + "/huge.json"), Error);
}

TEST_F(SuiteTest, WhatDidNotChangeIsNotMadeAgain) {
  RunnerOptions options = Options();
  options.cache = folder_ + "/cache";
  std::string hash = "first";
  options.model_hash = [&](const std::string&) { return hash; };
  CaseRunner runner(options);
  Suite suite = Parse("[[metric]]\nuse='chars'\nof='said'");
  runs = 0;
  const SuiteResult first = RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(runs, 3);
  SuiteResult again = RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(again.arms[0].cached, 3u);
  EXPECT_EQ(again.arms[0].outputs[1].fields, first.arms[0].outputs[1].fields);
  Cases({R"({"id":"other","text":"Hello there"})", R"({"id":"二","text":"你好"})"});
  again = RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(runs, 4);  // the first is the same input under another name
  suite.seed = 2;
  RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(runs, 6);
  WriteFileAtomic(folder_ + "/recipe/recipe.toml", ReplaceAll(kRecipe, "version = 1", "version = 2"));
  RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(runs, 8);
  // A damaged entry is made again.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.cache)) {
    if (entry.is_regular_file()) WriteFileAtomic(entry.path(), "{\"output\":3}");
  }
  RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(runs, 10);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.cache)) {
    if (!entry.is_regular_file()) continue;
    const std::string kept = ReplaceAll(ReadFile(entry.path()), "\"tokens\":3", "\"tokens\":1e300");
    WriteFileAtomic(entry.path(), kept);
  }
  RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(runs, 12);
}

TEST_F(SuiteTest, ACacheThatCannotBeWrittenCostsNoRun) {
  WriteFileAtomic(folder_ + "/full", "a file where a folder should be");
  RunnerOptions options = Options();
  options.cache = folder_ + "/full";
  CaseRunner runner(options);
  Suite suite = Parse("[[metric]]\nuse='chars'\nof='said'");
  const SuiteResult result = RunSuite(suite, runner, std::nullopt);
  EXPECT_TRUE(result.passed);
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_TRUE(result.notes[0].starts_with("outputs are not kept for the next run: ")) << result.notes[0];
  runner.cache().Prune(1);
}

TEST_F(SuiteTest, ModelsAreAskedForByOneCaseAtATime) {
  std::vector<std::string> lines;
  for (int i = 0; i < 64; ++i) lines.push_back(Cat(R"({"id":"c)", i, R"(","text":"model )", i, "\"}"));
  Cases(lines);
  std::atomic<int> inside{0}, asked{0}, together{0};
  const auto alone = [&] {
    together += inside++ > 0;
    ++asked;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    --inside;
  };
  RunnerOptions options = Options();
  options.cache = folder_ + "/cache";
  options.jobs = 16;
  options.model_hash = [&](const std::string&) { return alone(), "hash"; };
  options.models = [&](const std::string&) { return alone(), std::make_shared<Mute>(); };
  CaseRunner runner(options);
  Suite suite = Parse("[[metric]]\nuse='chars'\nof='said'");
  RunSuite(suite, runner, std::nullopt);
  EXPECT_EQ(RunSuite(suite, runner, std::nullopt).arms[0].cached, 64u);
  EXPECT_EQ(asked, 65);  // the model by each case, its hash once
  EXPECT_EQ(together, 0);
}

TEST(OutputCache, AnEntryHoldsWhileItsModelsAndIndexesAreTheSame) {
  const std::string folder =
      Cat(std::getenv("TEST_TMPDIR") != nullptr ? std::getenv("TEST_TMPDIR") : "/tmp/", "output_cache");
  std::filesystem::remove_all(folder);
  std::string model = "hash", index = "7";
  const OutputCache cache(
      folder, [&](const std::string&) { return model; }, [&](const std::string&) { return index; });
  Output output;
  output.fields = {{"said", "😀"}};
  output.scores["total"] = 0.5;
  const std::string key = OutputCache::Key({{"a", 1}});
  EXPECT_FALSE(cache.Get(key).has_value());
  cache.Put(key, output, {{{"gemma", "hash"}}, {{"docs", "7"}}});
  ASSERT_TRUE(cache.Get(key).has_value());
  EXPECT_EQ(cache.Get(key)->fields, output.fields);
  EXPECT_EQ(cache.Get(key)->scores, output.scores);
  model = "another";
  EXPECT_FALSE(cache.Get(key).has_value());
  model = "hash";
  index = "8";
  EXPECT_FALSE(cache.Get(key).has_value());
  index = "7";
  cache.Prune(1);
  EXPECT_TRUE(cache.Get(key).has_value());
  cache.Prune(-1);
  EXPECT_FALSE(cache.Get(key).has_value());
}

TEST_F(SuiteTest, OutputsMayBeInAFile) {
  WriteFileAtomic(folder_ + "/made.jsonl", R"({"id":"one","said":"Hello","number":5}
{"id":"二","said":"你好","tags":"a；b"}
{"id":"three","said":"","other":"x"})");
  SuiteResult result = Run("[[arm]]\noutputs='made.jsonl'\n[[metric]]\nuse='chars'\nof='said'\n");
  EXPECT_EQ(result.arms[0].arm.name, "made.jsonl");
  EXPECT_NEAR(result.arms[0].cells[0].score, 7.0 / 3, 1e-9);
  EXPECT_EQ(result.arms[0].outputs[1].fields["tags"].size(), 2u);
  WriteFileAtomic(folder_ + "/made.jsonl", R"({"id":"one","said":"Hello"})");
  result = Run("[[arm]]\noutputs='made.jsonl'\n[[metric]]\nuse='seconds'\nmost=1\n[[metric]]\nuse='tokens'");
  EXPECT_EQ(result.arms[0].cells[0].missing, 3u);  // a file does not say them
  EXPECT_EQ(result.arms[0].cells[1].values[0]->reason.en, "the output was there already, in a file");
  EXPECT_FALSE(result.passed);
  EXPECT_FALSE(ToJson(result.arms[0].outputs[0]).contains("seconds"));
  WriteFileAtomic(folder_ + "/made.jsonl", Cat("{\"id\":\"one\",\"sayd\":\"Hello\"}\n{\"id\":\"二\",\"said\":\"",
                                               std::string(100'000, 'x'), "\"}\n{\"id\":\"three\",\"said\":\"y\"}"));
  result =
      Run("[[arm]]\noutputs='made.jsonl'\n[[assert]]\nuse='answered'\n[[assert]]\nuse='excludes'\nof='said'\ntext='x'");
  EXPECT_EQ(Reasons(result)[0], Cat(folder_, "/made.jsonl:1: none of the output fields said, number, tags"));
  EXPECT_EQ(result.arms[0].errors, 1u);
  EXPECT_LT(JUnit(result, *suite_).size(), 20'000u);
  WriteFileAtomic(folder_ + "/made.jsonl", R"({"id":"one","said":"Hello"})");
  result = Run("[[arm]]\noutputs='made.jsonl'\n[[metric]]\nuse='chars'\nof='said'\n");
  EXPECT_EQ(result.arms[0].errors, 2u);
  WriteFileAtomic(folder_ + "/made.jsonl", "{\"id\":\"one\"}\n{\"id\":\"one\"}");
  EXPECT_NE(
      Refusal("[[arm]]\noutputs='made.jsonl'\n[[metric]]\nuse='chars'\nof='said'\n").find("made.jsonl:2: the case"),
      std::string::npos);
}

TEST_F(SuiteTest, AJudgeIsARecipe) {
  MakeFolders(folder_ + "/judge");
  WriteFileAtomic(folder_ + "/judge/recipe.toml", ReplaceAll(kRecipe, "name = \"echo\"", "name = \"judge\""));
  const std::string judge =
      "[[metric]]\nuse='judge'\nrecipe='judge'\nfield='number'\ninput={text='output.said'}\nleast=1\n";
  SuiteResult result = Run(judge);
  EXPECT_NEAR(result.arms[0].cells[0].score, (11 + 20 + 13) / 3.0, 1e-9);
  // Everything drawn comes from the suite's seed.
  Cases({R"({"id":"a","text":"seed"})"});
  suite_ = std::make_unique<Suite>(Parse(judge));
  suite_->seed = 77;
  EXPECT_EQ(Run(*suite_).arms[0].cells[0].score, 77);
  // One that says the same of everything is doubted, and a flood of notes is held back.
  std::vector<std::string> lines;
  for (int i = 100; i < 400; ++i) lines.push_back(Cat(R"({"id":"c)", i, R"(","text":"note )", i, "\"}"));
  Cases(lines);
  const std::vector<std::string> notes = Run(judge).notes;
  ASSERT_EQ(notes.size(), 52u);
  EXPECT_EQ(notes[50], "the judge judge says 8 of all 300 outputs: it tells nothing apart");
  EXPECT_TRUE(notes[0].starts_with("look at note ")) << notes[0];
  EXPECT_EQ(notes[51], "further notes of the cases' runs are left out");
  SetUp();
  MakeFolders(folder_ + "/judge");
  WriteFileAtomic(folder_ + "/judge/recipe.toml", ReplaceAll(kRecipe, "name = \"echo\"", "name = \"judge\""));
  // Slips are found before anything is made.
  for (const auto& [from, to, says] :
       {std::tuple("'output.said'", "'output.sayd'", "did you mean 'said'?"),
        std::tuple("'output.said'", "'case.wnat'", "no case has a field 'wnat'"),
        std::tuple("{text=", "{txet=", "the judge judge has no input field 'txet'"),
        std::tuple("'number'", "'nubmer'", "the judge judge has no output field 'nubmer'"),
        std::tuple("recipe='judge'", "recipe='jugde'", "jugde"), std::tuple("least=1", "variant='quiet'", "quiet")}) {
    runs = 0;
    EXPECT_NE(Refusal(ReplaceAll(judge, from, to)).find(says), std::string::npos)
        << Refusal(ReplaceAll(judge, from, to));
    EXPECT_EQ(runs, 0) << to;
  }
  // Nonsense is told case by case and never counted.
  result = Run(ReplaceAll(judge, "field='number'", "field='said'"));
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.arms[0].cells[0].missing, 3u);
  EXPECT_EQ(Reasons(result)[0], "the judge judge says 'Hello there' for said, which is no number");
  EXPECT_EQ(Failures(result.arms[0].cells[0]), std::vector<std::string>{"3 of 3 cases have no value"});
}

TEST_F(SuiteTest, RefusesWithTheLine) {
  const auto refuses = [&](std::string_view rest, std::string_view says, std::string_view head = kHead) {
    const std::string line = Refusal(rest, head);
    EXPECT_NE(line.find(says), std::string::npos) << line;
  };
  refuses("", "nothing is measured");
  refuses("[[assert]]\nuse='contians'\nof='said'\ntext='a'", "did you mean 'contains'?");
  refuses("[[assert]]\nuse='contains'\nof='sayd'\ntext='a'", "did you mean 'said'?");
  refuses("[[assert]]\nuse='contains'\nof='said'", "says nothing to look for");
  refuses("[[assert]]\nuse='contains'\nof='said'\ntext=''", "what is looked for is empty");
  runs = 0;
  refuses("[[assert]]\nuse='contains'\nof='said'\nfield='wnat'", "cases.jsonl:1: the case has no field 'wnat'");
  refuses("[[metric]]\nuse='chrf'\nof='said'\nreference='wnat'", "cases.jsonl:1: the case has no field 'wnat'");
  EXPECT_EQ(runs, 0);  // not after hours of writing
  refuses("[[assert]]\nuse='matches'\nof='said'\npattern='('",
          "suite.toml:12: [assert] pattern: no regular expression");
  refuses("[[assert]]\nuse='answered'\nleast=3", "an assertion's score is a share");
  refuses("[[assert]]\nuse='answered'\ncolour=3", "colour");
  refuses("[[assert]]\nuse='answered'\n[[assert]]\nuse='answered'", "two measures are named 'answered'");
  refuses("[[assert]]\nuse='answered'\narms=['x']", "there is no arm 'x'");
  refuses("[[arm]]\n[[arm]]\n[[assert]]\nuse='answered'", "two arms are named 'as written'");
  refuses("[[arm]]\nvariant='quiet'\n[[assert]]\nuse='answered'", "it has loud");
  refuses("[[arm]]\noutputs='../../etc/passwd'\n[[assert]]\nuse='answered'",
          "suite.toml:10: [arm] outputs: the path '../../etc/passwd' leads out");
  refuses("[[metric]]\nuse='bleu'\nof='said'\nreference='ref'\ntokenize='klingon'", "klingon");
  refuses("[[metric]]\nuse='chrf'\nof='said'\nreference='ref'\nscore='rouge1'", "the metric has no 'rouge1'");
  refuses("[[assert]]\nuse='answered'", "no field 'quack'", Cat(kHead, "input={quack='text'}\n"));
  refuses("[[assert]]\nuse='answered'", "no case has a field 'quack'", Cat(kHead, "input={text='quack'}\n"));
  refuses("[[assert]]\nuse='answered'", "none of 3 records is a case", Cat(kHead, "where={want='x'}\n"));
  Cases({R"({"id":"a","text":"x"})", R"({"id":"a","text":"y"})"});
  refuses("[[assert]]\nuse='answered'", "cases.jsonl:2: the case 'a' is also at ");
  Cases({R"({"text":"x"})"});
  refuses("[[assert]]\nuse='answered'", "cases.jsonl:1: the case has no field 'id'");
}

TEST_F(SuiteTest, PagesAndXmlHoldHostileText) {
  Cases({R"({"id":"<script>&\"]]>","text":"</script><b onload=1>\u0007\u202e\uffff"})", R"({"id":"b","text":"stop"})"});
  suite_ = std::make_unique<Suite>(Parse("[[assert]]\nname='<i>'\nuse='excludes'\nof='said'\ntext='onload'\n"));
  const SuiteResult result = Run(*suite_);
  const std::string xml = JUnit(result, *suite_);
  EXPECT_EQ(xml.find("<script>"), std::string::npos);
  EXPECT_EQ(xml.find('\a'), std::string::npos);
  EXPECT_EQ(xml.find("\xEF\xBF\xBF"), std::string::npos);
  EXPECT_NE(xml.find("tests=\"3\" failures=\"3\""), std::string::npos) << xml;
  for (const bool chinese : {false, true}) {
    const std::string page = SuitePage(result, *suite_, {}, chinese);
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_EQ(page.find("<b onload"), std::string::npos);
    EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
    EXPECT_NE(page.find(chinese ? "未达标" : "cut-off is missed"), std::string::npos);
    EXPECT_NE(page.find(chinese ? "没有输出：" : "no output: "), std::string::npos);
    EXPECT_NE(page.find(chinese ? "低于 1" : "is below 1"), std::string::npos);
  }
}

TEST_F(SuiteTest, TrendsSkipDamagedLines) {
  Suite suite = Parse("[[metric]]\nuse='chars'\nof='said'");
  const SuiteResult result = Run(suite);
  const std::string path = folder_ + "/history.jsonl";
  EXPECT_TRUE(ReadHistory(path).empty());
  WriteFileAtomic(path, Cat(HistoryLine(result, suite), "{\"run\":\n", HistoryLine(result, suite)));
  const std::vector<Trend> history = ReadHistory(path);
  ASSERT_EQ(history.size(), 2u);
  EXPECT_NEAR(history[1].scores.at("as written").at("chars"), 31.0 / 3, 1e-9);
  EXPECT_NE(SuitePage(result, suite, history, false).find("class=\"trend\""), std::string::npos);
  const report::Report pictures = SuiteReport(result, suite, history, true);
  ASSERT_EQ(pictures.figures.size(), 2u);
  EXPECT_EQ(pictures.figures[0].name, "chars");
  EXPECT_EQ(pictures.figures[1].name, "chars-trend");
  EXPECT_NE(pictures.figures[0].svg.find("10.333"), std::string::npos) << pictures.figures[0].svg;
}

TEST_F(SuiteTest, StopsWhenItIsTold) {
  RunnerOptions options = Options();
  options.cancelled = [] { return true; };
  CaseRunner runner(options);
  Suite suite = Parse("[[metric]]\nuse='chars'\nof='said'");
  try {
    RunSuite(suite, runner, std::nullopt);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kCancelled);
  }
}

}  // namespace
}  // namespace atelier::experiment
