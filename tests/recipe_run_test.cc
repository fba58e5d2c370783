// The whole of a recipe with a deterministic model: engine, writers, checks, retries, choice, files, database, replay.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "fake_generator.h"
#include "operators/generate_text.h"
#include "operators/operators.h"
#include "recipe/engine.h"
#include "recipe/input.h"
#include "recipe/keep.h"
#include "recipe/replay.h"
#include "store/studio.h"
#include "text/jinja.h"

namespace atelier::operators {
namespace {

constexpr std::string_view kGrammar = R"(
format = 1
lang = "LANG"
[[pattern]]
id = "LANG.h.1"
part = "headline"
device = "fact"
text = "{name} for every desk"
[[pattern]]
id = "LANG.h.2"
part = "headline"
device = "benefit"
text = "{name} on a slow evening"
[[pattern]]
id = "LANG.b.1"
part = "body"
device = "fact"
text = "Here is a good thing: {f1} and then {f2}, in {name}."
)";

constexpr std::string_view kRecipe = R"(
[recipe]
name = "small"
version = 1
[input]
language_field = "lang"
[[input.field]]
name = "name"
required = true
[[input.field]]
name = "features"
type = "list"
least_items = 2
[[input.field]]
name = "lang"
[[output.field]]
name = "headline"
[[output.field]]
name = "body"
[[output.field]]
name = "tags"
type = "list"
[[step]]
id = "phrases"
use = "compose"
grammar = { en = "grammar/en.toml" }
count = 6
[[step]]
id = "model"
use = "generate.text"
model = { en = "fake" }
optional = true
template = { en = "writer.jinja" }
tags = ["name", "features"]
[[step.slot]]
name = "headline"
samples = 6
keep = 3
stop = ["\n"]
[[step.slot]]
name = "body"
samples = 2
cut = "sentences"
[[step]]
id = "checks"
use = "check"
retry = { steps = ["model"], most = 2, want = 3 }
[[step.check]]
use = "debris"
lines = ["headline"]
sentences = ["body"]
[[step.check]]
use = "facts"
[[step.check]]
use = "about"
[[step.check]]
use = "duplicates"
[[step]]
id = "likelihood"
use = "score"
model = { en = "fake" }
optional = true
template = { en = "score.jinja" }
fields = ["headline", "body"]
[[step]]
id = "select"
use = "select"
weights = { likelihood = 1.0, coverage = 1.0, variety = 0.5 }
unique = "headline"
[[step]]
id = "page"
use = "render"
[[step.file]]
name = "copy.jsonl"
kind = "jsonl"
[[step.file]]
name = "index.html"
template = "page.jinja"
escape = true
[variants.quiet]
model = { skip = true }
[variants.hot]
model = { temperature = 1.5 }
)";

// Writes something for the prompt's product; every third text has a fault that a check finds.
std::string WriteSomething(const std::string& prompt, Rng& rng) {
  static const std::vector<std::string> kGood = {"oak that lasts",        "soft light for late readers",
                                                 "made for small desks",  "a lamp to keep",
                                                 "quiet oak, soft light", "light where you read"};
  static const std::vector<std::string> kBad = {"only 99 euro today", "light and the", "sheep on a hill {name}"};
  const bool body = prompt.ends_with("Body:");
  const std::string text = rng.Below(3) == 0 ? kBad[rng.Below(kBad.size())] : kGood[rng.Below(kGood.size())];
  return body ? Cat(" Oak lamp: ", text, ". Soft light ", rng.Below(9) == 0 ? "7 kg" : "too", ". And cut o")
              : Cat(" ", text, "\nProduct: next");
}

class RecipeRun : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = Cat(::testing::TempDir(), "run_", ::getpid(), "_",
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
    folder_ = root_ + "/recipe";
    MakeFolders(folder_ + "/grammar");
    WriteFileAtomic(folder_ + "/grammar/en.toml", ReplaceAll(kGrammar, "LANG", "en"));
    WriteFileAtomic(folder_ + "/writer.jinja",
                    "Product: {{ name }}\nHeadline:{% if slot == 'body' %} {{ headline }}\nBody:{% endif %}");
    WriteFileAtomic(folder_ + "/score.jinja", "Product: {{ name }}\n");
    WriteFileAtomic(folder_ + "/page.jinja",
                    "<ul>{% for r in records %}<li>{{ r.input.name }}|{{ r.needs_person }}|"
                    "{% if r.chosen %}{{ r.chosen.output.headline }}{% endif %}</li>{% endfor %}</ul>");
    WriteFileAtomic(folder_ + "/recipe.toml", kRecipe);
    WriteFileAtomic(
        root_ + "/rows.jsonl",
        R"({"name":"Oak Desk Lamp","features":["solid oak","soft light","2 m cable"]})"
        "\n"
        R"({"name":"Reading Lamp <script>alert(\"1\")</script>","features":["oak base","soft 'light'","linen shade"]})"
        "\n"
        R"({"name":"","features":["oak","light"]})"
        "\n"
        R"({"name":"Lonely Lamp","features":["oak"]})"
        "\n");
  }

  recipe::RunOptions Options() {
    recipe::RunOptions options;
    options.operators = AllOperators();
    options.models = [this](const std::string&) { return model_; };
    options.seed = 5;
    return options;
  }

  // Runs the recipe; the engine for a look at what came out.
  std::unique_ptr<recipe::Engine> Go(recipe::RunOptions options, const std::string& variant = "") {
    recipe::Recipe recipe = recipe::LoadRecipe(folder_, variant);
    std::vector<recipe::Record> records = recipe::ReadInput(recipe, root_ + "/rows.jsonl");
    auto engine = std::make_unique<recipe::Engine>(std::move(recipe), std::move(options));
    engine->Execute(std::move(records));
    return engine;
  }

  static std::string Dump(recipe::Run& run) {
    std::string out;
    for (const recipe::Record& record : run.records()) {
      out += Cat(record.index, " ", record.needs_person, "\n");
      for (const size_t i : record.ranking)
        out += Cat(ToText(record.candidates[i].output), " ", record.candidates[i].scores.at("total"), "\n");
      for (const recipe::Candidate& c : record.dropped) out += Cat("- ", ToText(c.output), " ", c.attempt, "\n");
    }
    return out;
  }

  std::string MessageOf(const std::string& text) {
    WriteFileAtomic(folder_ + "/recipe.toml", text);
    try {
      recipe::Engine engine(recipe::LoadRecipe(folder_, ""), Options());
    } catch (const Error& e) {
      return e.Line();
    }
    return "";
  }

  std::string root_, folder_;
  std::shared_ptr<FakeGenerator> model_ = std::make_shared<FakeGenerator>("fake", &WriteSomething);
};

TEST_F(RecipeRun, TwoWritersCompeteUnderTheSameChecks) {
  auto engine = Go(Options());
  const std::vector<recipe::Record>& records = engine->records();
  ASSERT_EQ(records.size(), 4u);
  std::set<std::string> headlines;
  for (size_t i = 0; i < 2; ++i) {
    const recipe::Record& record = records[i];
    EXPECT_EQ(record.needs_person, "");
    ASSERT_GE(record.ranking.size(), 4u);
    EXPECT_EQ(record.ranking.size(), record.candidates.size());
    std::map<std::string, int> by;
    for (const recipe::Candidate& c : record.candidates) {
      ++by[c.writer];
      EXPECT_TRUE(c.passed());
      EXPECT_EQ(c.checks.size(), 4u);
      EXPECT_FALSE(c.generation_id.empty());
      if (c.writer == "model") {
        EXPECT_EQ(c.model, "fake");
        EXPECT_EQ(c.model_hash, model_->info().hash);
        EXPECT_EQ(c.output["body"].get<std::string>().find("cut o"), std::string::npos);
      }
    }
    EXPECT_GE(by["phrases"], 2);
    EXPECT_GE(by["model"], 3);
    std::set<std::string> shown;  // the chosen one and its runner-ups: all different
    for (size_t place = 0; place < 4; ++place)
      shown.insert(record.candidates[record.ranking[place]].output["headline"]);
    EXPECT_EQ(shown.size(), 4u);
    headlines.insert(record.candidates[record.ranking[0]].output["headline"]);
    bool facts = false;
    for (const recipe::Candidate& c : record.dropped) {
      EXPECT_FALSE(c.passed());
      for (const recipe::CheckResult& check : c.checks)
        facts = facts || check.reason.find("not on the sheet") != std::string::npos;
    }
    EXPECT_TRUE(facts);
  }
  EXPECT_EQ(headlines.size(), 2u);  // no two chosen ones are equal
  EXPECT_EQ(records[2].needs_person, "the name is missing");
  EXPECT_EQ(records[3].needs_person, "only 1 of the features given, at least 2 are needed");
  EXPECT_TRUE(records[3].candidates.empty());
}

TEST_F(RecipeRun, TheSameSeedGivesTheSameAndAnotherDoesNot) {
  auto a = Go(Options()), b = Go(Options());
  EXPECT_EQ(Dump(*a), Dump(*b));
  recipe::RunOptions other = Options();
  other.seed = 6;
  EXPECT_NE(Dump(*a), Dump(*Go(std::move(other))));
}

TEST_F(RecipeRun, WhatIsWrittenNeverDependsOnOtherRecords) {
  auto all = Go(Options());
  recipe::Recipe recipe = recipe::LoadRecipe(folder_, "");
  std::vector<recipe::Record> records = recipe::ReadInput(recipe, root_ + "/rows.jsonl");
  recipe::Engine alone(std::move(recipe), Options());
  alone.Execute({records[1]});  // keeps its index 1
  std::set<std::string> with, without;
  for (const auto* list : {&all->records()[1].candidates, &all->records()[1].dropped}) {
    for (const recipe::Candidate& c : *list) with.insert(Cat(c.writer, c.attempt, c.sample, ToText(c.output)));
  }
  for (const auto* list : {&alone.records()[0].candidates, &alone.records()[0].dropped}) {
    for (const recipe::Candidate& c : *list) without.insert(Cat(c.writer, c.attempt, c.sample, ToText(c.output)));
  }
  EXPECT_EQ(with, without);
}

TEST_F(RecipeRun, RetriesAskAgainAndStop) {
  model_ = std::make_shared<FakeGenerator>("fake", [](const std::string& prompt, Rng&) -> std::string {
    return prompt.ends_with("Body:") ? "It costs 99 euro today." : "only 99 euro today";
  });
  auto engine = Go(Options());
  std::set<int> attempts;
  for (const recipe::Candidate& c : engine->records()[0].dropped) {
    if (c.writer == "model") attempts.insert(c.attempt);
  }
  EXPECT_EQ(attempts, (std::set<int>{0, 1, 2}));
  for (const recipe::Candidate& c : engine->records()[0].candidates) EXPECT_EQ(c.writer, "phrases");
}

TEST_F(RecipeRun, WithoutTheModelThePhrasesWriteAlone) {
  recipe::RunOptions options = Options();
  options.models = [](const std::string& name) -> std::shared_ptr<artefact::Generator> {
    throw Error(Code::kNotFound, Cat("no model ", name), "pull it");
  };
  auto engine = Go(std::move(options));
  EXPECT_EQ(engine->records()[0].needs_person, "");
  ASSERT_EQ(engine->notes().size(), 1u);  // writer and score say the same
  EXPECT_NE(engine->notes()[0].find("no model fake (pull it)"), std::string::npos);
}

TEST_F(RecipeRun, VariantsLayKeysOverSteps) {
  auto quiet = Go(Options(), "quiet");
  for (const recipe::Candidate& c : quiet->records()[0].candidates) EXPECT_EQ(c.writer, "phrases");
  auto hot = Go(Options(), "hot");
  bool seen = false;
  for (const recipe::Candidate& c : hot->records()[0].candidates) {
    if (c.writer != "model") continue;
    seen = true;
    EXPECT_EQ(c.choices["temperature"], 1.5);
  }
  EXPECT_TRUE(seen);
  EXPECT_NE(hot->config_hash(), quiet->config_hash());
  EXPECT_THROW(Go(Options(), "hott"), Error);
}

TEST_F(RecipeRun, EveryWrongKeyIsFoundBeforeAnythingRuns) {
  const std::string good(kRecipe);
  EXPECT_EQ(MessageOf(good), "");
  const auto with = [&](std::string_view from, std::string_view to) { return MessageOf(ReplaceAll(good, from, to)); };
  EXPECT_NE(with("keep = 3", "kep = 3").find("did you mean 'keep'?"), std::string::npos);
  EXPECT_NE(with("use = \"score\"", "use = \"scor\"").find("did you mean 'score'?"), std::string::npos);
  EXPECT_NE(with("use = \"debris\"", "use = \"debri\"").find("did you mean 'debris'?"), std::string::npos);
  EXPECT_NE(with("steps = [\"model\"]", "steps = [\"modle\"]").find("did you mean 'model'?"), std::string::npos);
  EXPECT_NE(with("weights = { likelihood", "weights = { likelihod").find("did you mean 'likelihood'?"),
            std::string::npos);
  EXPECT_NE(with("[variants.hot]\nmodel", "[variants.hot]\nmodle").find("did you mean 'model'?"), std::string::npos);
  EXPECT_NE(with("least_items = 2", "least_item = 2").find("did you mean 'least_items'?"), std::string::npos);
  EXPECT_NE(with("unique = \"headline\"", "unique = \"head\"").find("no output field 'head'"), std::string::npos);
  EXPECT_NE(with("name = \"copy.jsonl\"", "name = \"../copy.jsonl\"").find("is not a file name"), std::string::npos);
  EXPECT_NE(
      with("template = { en = \"writer.jinja\" }", "template = { en = \"../x\" }").find("leads out of its folder"),
      std::string::npos);
  EXPECT_NE(with("id = \"checks\"", "id = \"model\"").find("two steps are named 'model'"), std::string::npos);
  EXPECT_NE(with("version = 1\n[input]", "version = 1\nauthor = 1\n[input]").find("unknown key"), std::string::npos);
}

TEST_F(RecipeRun, HostileTextStaysTextOnThePage) {
  recipe::RunOptions options = Options();
  options.out = root_ + "/out";
  Go(std::move(options));
  const std::string page = ReadFile(root_ + "/out/index.html");
  EXPECT_EQ(page.find("<script"), std::string::npos) << page;
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  size_t lines = 0;
  for (const std::string& line : Split(ReadFile(root_ + "/out/copy.jsonl"), '\n')) {
    if (line.empty()) continue;
    const Json row = ParseJson(line, "line");
    EXPECT_EQ(row["status"], lines < 2 ? "ready" : "needs_person");
    EXPECT_EQ(row["runners_up"].size(), lines < 2 ? 3u : 0u);
    ++lines;
  }
  EXPECT_EQ(lines, 4u);
}

class Kept : public RecipeRun {
 protected:
  void SetUp() override {
    RecipeRun::SetUp();
    store::Studio::Init(root_ + "/studio");
  }
  void Make(recipe::RunOptions options) {
    store::Studio studio = store::Studio::Open(root_ + "/studio");
    std::unique_ptr<recipe::Keeper> keeper;
    options.keep = [&](recipe::Run& run, bool finished) { (*keeper)(run, finished); };
    recipe::Recipe recipe = recipe::LoadRecipe(folder_, "");
    std::vector<recipe::Record> records = recipe::ReadInput(recipe, root_ + "/rows.jsonl");
    feedback::RunRow row;
    row.recipe = recipe.name;
    row.config_hash = recipe.hash;
    row.seed = options.seed;
    row.engine_build = "atelier test";
    recipe::Engine engine(std::move(recipe), std::move(options));
    feedback::Generations generations(studio.db(), studio.tenant());
    keeper = std::make_unique<recipe::Keeper>(
        [&](const std::function<void(feedback::Generations&)>& write, size_t) { write(generations); }, row);
    engine.Execute(std::move(records));
  }
};

TEST_F(Kept, EveryGenerationIsStoredAndCanBeMadeAgain) {
  Make(Options());
  store::Studio studio = store::Studio::Open(root_ + "/studio");
  feedback::Generations generations(studio.db(), studio.tenant());
  const std::vector<feedback::RunRow> runs = generations.ListRuns();
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_GT(runs[0].ended_at, 0);
  const std::vector<feedback::GenerationRow> rows = generations.ListByRun(runs[0].id);
  std::map<feedback::Status, int> by;
  std::set<std::string> writers;
  int again = 0;
  for (const feedback::GenerationRow& row : rows) {
    ++by[row.status];
    writers.insert(row.writer);
    EXPECT_EQ(row.status == feedback::Status::kDropped, !row.reason.empty());
    EXPECT_EQ(row.input["name"].get<std::string>().empty(), false);
    if (row.writer == "model") {
      EXPECT_EQ(row.engine_build, "fake 1");
    }
    if (again >= 40) continue;
    ++again;
    const recipe::Replayed replayed = recipe::Replay(generations, row.id, folder_, Options(), "atelier test", false);
    EXPECT_TRUE(replayed.same) << ToText(row.output) << " / " << ToText(replayed.output);
  }
  EXPECT_EQ(writers, (std::set<std::string>{"model", "phrases"}));
  EXPECT_EQ(by[feedback::Status::kChosen], 2);
  EXPECT_EQ(by[feedback::Status::kRunnerUp], 6);
  EXPECT_GT(by[feedback::Status::kDropped], 0);
  EXPECT_GT(again, 10);
}

TEST_F(Kept, ReplaySaysWhatIsDifferent) {
  Make(Options());
  store::Studio studio = store::Studio::Open(root_ + "/studio");
  feedback::Generations generations(studio.db(), studio.tenant());
  std::string id;
  for (const feedback::GenerationRow& row : generations.ListByRun(generations.ListRuns()[0].id)) {
    if (row.writer == "model") id = row.id;
  }
  const auto message = [&]() -> std::string {
    try {
      recipe::Replay(generations, id, folder_, Options(), "atelier test", false);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message(), "");
  model_->set_engine({"fake 2", "avx2", 3});
  EXPECT_NE(
      message().find("engine's build: was fake 1, is fake 2; instruction set: was test, is avx2; threads: was 1, is 3"),
      std::string::npos);
  model_->set_engine({"fake 1", "test", 1});
  WriteFileAtomic(folder_ + "/score.jinja", "Product {{ name }}\n");
  EXPECT_NE(message().find("config hash"), std::string::npos);
  EXPECT_TRUE(recipe::Replay(generations, id, folder_, Options(), "atelier test", true).same);
  WriteFileAtomic(folder_ + "/writer.jinja",
                  "Changed: {{ name }}\nHeadline:{% if slot == 'body' %} {{ headline }}\nBody:{% endif %}");
  EXPECT_FALSE(recipe::Replay(generations, id, folder_, Options(), "atelier test", true).same);
  EXPECT_THROW(recipe::Replay(generations, "0190a1b2-0000-7000-8000-000000000000", folder_, Options(), "", false),
               Error);
}

TEST_F(Kept, AStopEndsTheRunBetweenTwoPieces) {
  recipe::RunOptions options = Options();
  options.out = root_ + "/out";
  int asked = 0;
  options.cancelled = [&] { return ++asked > 12; };
  try {
    Make(std::move(options));
    FAIL() << "it ran on";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kCancelled);
    EXPECT_EQ(Info(e.code()).exit_code, 130);
  }
  EXPECT_FALSE(FileExists(root_ + "/out/index.html"));
  store::Studio studio = store::Studio::Open(root_ + "/studio");
  EXPECT_EQ(studio.db().Check(), "");
  EXPECT_EQ(feedback::Generations(studio.db(), studio.tenant()).ListRuns().at(0).ended_at, 0);
}

TEST_F(Kept, AKilledProcessLeavesASoundDatabase) {
  // The child dies by SIGKILL in mid-run, at several places; what it had committed stays, and nothing is half there.
  for (const int calls : {1, 9, 22, 31}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      recipe::RunOptions options = Options();
      options.out = root_ + "/out";
      int asked = 0;
      options.cancelled = [&] {
        if (++asked > calls) ::kill(::getpid(), SIGKILL);
        return false;
      };
      try {
        Make(std::move(options));
      } catch (...) {
        ::_exit(3);
      }
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status << " after " << calls;
    store::Studio studio = store::Studio::Open(root_ + "/studio");
    EXPECT_EQ(studio.db().Check(), "");
    EXPECT_EQ(studio.db().QueryInt("SELECT count(*) FROM generations WHERE output = '' OR writer = ''"), 0);
  }
  store::Studio studio = store::Studio::Open(root_ + "/studio");
  feedback::Generations generations(studio.db(), studio.tenant());
  EXPECT_EQ(generations.ListRuns().size(), 4u);
  EXPECT_GT(studio.db().QueryInt("SELECT count(*) FROM generations"), 0);  // dropped ones of the later kills
  Make(Options());                                                         // and the studio goes on
  EXPECT_GT(generations.ListRuns().at(0).ended_at, 0);
}

TEST_F(Kept, AFullDiskLosesNothingAndLeavesNoHalfFile) {
  MakeFolders(root_ + "/out");
  WriteFileAtomic(root_ + "/out/index.html", "the page of before");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Files may not grow beyond 60 bytes: what a full disk is to a writer, without filling one.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit most{60, 60};
    recipe::RunOptions options = Options();
    options.out = root_ + "/out";
    recipe::Recipe recipe = recipe::LoadRecipe(folder_, "");
    std::vector<recipe::Record> records = recipe::ReadInput(recipe, root_ + "/rows.jsonl");
    recipe::Engine engine(std::move(recipe), std::move(options));
    ::setrlimit(RLIMIT_FSIZE, &most);
    try {
      engine.Execute(std::move(records));
    } catch (const Error& e) {
      ::_exit(e.code() == Code::kIo || e.code() == Code::kResourceExhausted ? 0 : 4);
    }
    ::_exit(5);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(ListFolder(root_ + "/out"), std::vector<std::string>{"index.html"});
  EXPECT_EQ(ReadFile(root_ + "/out/index.html"), "the page of before");
}

TEST_F(RecipeRun, ATemplateThatFailsLeavesTheFilesOfBefore) {
  MakeFolders(root_ + "/out");
  WriteFileAtomic(root_ + "/out/copy.jsonl", "the lines of before");
  WriteFileAtomic(folder_ + "/page.jinja", "{{ nosuch.name }}");
  recipe::RunOptions options = Options();
  options.out = root_ + "/out";
  EXPECT_THROW(Go(std::move(options), "quiet"), Error);
  EXPECT_EQ(ListFolder(root_ + "/out"), std::vector<std::string>{"copy.jsonl"});
  EXPECT_EQ(ReadFile(root_ + "/out/copy.jsonl"), "the lines of before");
}

TEST(AdCopy, WhatTheSheetSaysIsNotMarkdown) {
  const text::Template page = text::Template::Parse(
      ReadFile(Cat(ATELIER_SOURCE_DIR, "/recipes/ad_copy/templates/copy.md.jinja")), "copy.md.jinja");
  const Json output = {
      {"headline", "<script>x</script>"}, {"body", "[a](javascript:b) `c`"}, {"tags", {"**d**", "e_f"}}};
  const Json record = {{"number", 1},  {"input", {{"name", "![n](http://n)"}}}, {"needs_person", ""},
                       {"lang", "en"}, {"chosen", {{"output", output}}},        {"runners", Json::array()}};
  const std::string made = page.Render({{"recipe", {{"name", "r"}}},
                                        {"summary", Json::object()},
                                        {"facts", Json::object()},
                                        {"run", {{"notes", Json::array()}}},
                                        {"records", Json::array({record})}});
  EXPECT_TRUE(made.starts_with("# r\n")) << made;
  for (const char* text : {"## 1. !\\[n](http://n)", "**\\<script>x\\</script>**", "\\[a](javascript:b) \\`c\\`",
                           "\\*\\*d\\*\\* · e\\_f"}) {
    EXPECT_NE(made.find(text), std::string::npos) << text << made;
  }
}

TEST_F(RecipeRun, APipeAmongTheRecipesFilesIsRefusedNotWaitedFor) {
  RemoveFile(folder_ + "/page.jinja");
  ASSERT_EQ(::mkfifo((folder_ + "/page.jinja").c_str(), 0600), 0);
  EXPECT_NE(MessageOf(std::string(kRecipe)).find("'page.jinja' is a pipe or a device"), std::string::npos);
}

TEST_F(RecipeRun, ACellOfManyItemsTakesNoTimeToSay) {
  std::string items;
  for (int i = 0; i < 140'000; ++i) items += Cat(i, ";");
  WriteFileAtomic(root_ + "/rows.csv", Cat("name,features\nLamp,", items, "\n"));
  const auto started = std::chrono::steady_clock::now();
  const auto records = recipe::ReadInput(recipe::LoadRecipe(folder_, ""), root_ + "/rows.csv");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));  // minutes, were each held to all
  ASSERT_EQ(records.size(), 1u);
  EXPECT_NE(records[0].needs_person.find("140000 features given"), std::string::npos) << records[0].needs_person;
}

TEST_F(RecipeRun, InputIsReadOnceSoThatItMayBeAPipe) {
  const recipe::Recipe recipe = recipe::LoadRecipe(folder_, "");
  const std::string rows = ReadFile(root_ + "/rows.jsonl"), pipe = root_ + "/pipe.jsonl";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << rows; });
  std::string sha256;
  EXPECT_EQ(recipe::ReadInput(recipe, pipe, &sha256).size(), 4u);
  EXPECT_EQ(sha256, Sha256Hex(rows));
  writer.join();
}

TEST(GenerateText, CutsLinesAndSentences) {
  EXPECT_EQ(CutLine("  \"Slow water\"\nProduct: x"), "Slow water");
  EXPECT_EQ(CutLine("**Slow** water"), "Slow** water");  // debris, for a check to find
  EXPECT_EQ(CutLine("- “慢慢来”"), "慢慢来");
  EXPECT_EQ(CutLine("“一”和“二”"), "“一”和“二”");
  EXPECT_EQ(CutLine("\n\n"), "");
  EXPECT_EQ(CutSentences("One. Two! Three? Fo", 2), "One. Two!");
  EXPECT_EQ(CutSentences("It holds 1.5 litres. And", 2), "It holds 1.5 litres.");
  EXPECT_EQ(CutSentences("他说：“好。”然后走", 3), "他说：“好。”");
  EXPECT_EQ(CutSentences("no end", 2), "");
}

}  // namespace
}  // namespace atelier::operators
