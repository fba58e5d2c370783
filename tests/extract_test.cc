// The operator `extract` and the check `verbatim` through the engine, with a model whose replies a test says.
#include "operators/extract.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <numeric>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "fake_generator.h"
#include "operators/model_loop.h"
#include "operators/operators.h"
#include "operators/searching_run.h"
#include "recipe/engine.h"
#include "recipe/input.h"

namespace atelier::operators {
namespace {

constexpr std::string_view kExtraction = R"([recipe]
name = "rows"
version = 1
[input]
[[input.field]]
name = "listing"
required = true
lines = true
most_chars = 2000
[[output.field]]
name = "lang"
[[output.field]]
name = "name"
[[output.field]]
name = "features"
type = "list"
[[output.field]]
name = "grams"
type = "number"
[[step]]
id = "rows"
use = "extract"
model = { zh = "m", en = "m" }
template = { zh = "t.jinja", en = "t.jinja" }
language = "lang"
[[step]]
id = "checks"
use = "check"
retry = { steps = ["rows"], most = 1, want = 1 }
[[step.check]]
use = "verbatim"
from = "listing"
fields = ["name", "features", "grams"]
)";

class Teller : public FakeGenerator {
 public:
  using FakeGenerator::FakeGenerator;
  artefact::GenerateResult Generate(const artefact::GenerateRequest& request,
                                    const artefact::StreamFn& stream) override {
    requests.push_back(request);
    artefact::GenerateResult result = FakeGenerator::Generate(request, stream);
    for (artefact::Generated& sample : result.samples) sample.finish = finish;
    return result;
  }
  std::vector<artefact::GenerateRequest> requests;
  artefact::Finish finish = artefact::Finish::kEnd;
};

class ExtractTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(::testing::TempDir(), "extract_", ::getpid(), "_",
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    MakeFolders(folder_);
    WriteFileAtomic(folder_ + "/t.jinja", "{{ listing }}\nJSON:");
  }

  // Runs the recipe over listings with a model that answers by `write`.
  std::vector<recipe::Record> Go(const std::vector<std::string>& listings, FakeGenerator::Write write,
                                 std::string_view text = kExtraction) {
    const recipe::Recipe recipe = recipe::ParseRecipe(text, "recipe.toml", folder_, "");
    model_ = std::make_shared<Teller>("m", std::move(write));
    model_->finish = finish_;
    recipe::RunOptions options;
    options.operators = AllOperators();
    options.models = [this](const std::string&) { return model_; };
    std::vector<recipe::Record> records;
    for (const std::string& listing : listings)
      records.push_back(recipe::MakeRecord(recipe, {{"listing", listing}}, "test", records.size()));
    recipe::Engine engine(recipe, options);
    engine.Execute(std::move(records));
    return engine.records();
  }

  std::string MessageOf(std::string_view from, std::string_view to) {
    try {
      Go({}, nullptr, ReplaceAll(kExtraction, from, to));
    } catch (const Error& e) {
      return e.Line();
    }
    return "";
  }

  std::string folder_;
  std::shared_ptr<Teller> model_;
  artefact::Finish finish_ = artefact::Finish::kEnd;
};

TEST_F(ExtractTest, ARepliesFieldsBecomeACandidate) {
  const auto records =
      Go({"Tin Cup\r\n\r\n  blue;  holds 300 ml\t😀\n81.5 grams {{ x }}"}, [](const std::string&, Rng&) {
        return R"({"lang":"en","name":" Tin  Cup ","features":["blue","holds 300 ml","","blue"],"grams":81.5})";
      });
  ASSERT_EQ(records[0].candidates.size(), 1U) << ToText(records[0].dropped.at(0).output);
  const recipe::Candidate& row = records[0].candidates[0];
  EXPECT_EQ(ToText(row.output), R"({"lang":"en","name":"Tin Cup","features":["blue","holds 300 ml"],"grams":81.5})");
  EXPECT_EQ(row.writer, "rows");
  EXPECT_EQ(row.model_hash, model_->info().hash);
  EXPECT_LT(row.scores.at("rows"), 0);
  const artefact::GenerateRequest& asked = model_->requests.at(0);
  EXPECT_EQ(asked.prompt, "Tin Cup\n\n  blue;  holds 300 ml\t😀\n81.5 grams {{ x }}\nJSON:")
      << "lines stay, and a listing is a value, not a template";
  EXPECT_EQ(asked.sampling.temperature, 0);
  EXPECT_EQ(asked.constraint.kind, artefact::ConstraintSpec::Kind::kJsonSchema);
  const Json schema = ParseJson(asked.constraint.text, "schema");
  EXPECT_EQ(schema["required"], Json({"lang", "name", "features", "grams"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"]["lang"], Json({{"const", "en"}}));
  EXPECT_EQ(schema["properties"]["name"], Json({{"type", "string"}, {"maxLength", 200}}));
  EXPECT_EQ(schema["properties"]["features"]["maxItems"], 20);
  EXPECT_EQ(schema["properties"]["grams"]["type"], "number");
}

TEST_F(ExtractTest, WhatDoesNotStandInTheTextIsDroppedAndAskedForAgain) {
  int asked = 0;
  const auto records = Go({"搪瓷杯 350毫升 81克"}, [&](const std::string&, Rng&) -> std::string {
    return asked++ == 0 ? R"({"lang":"zh","name":"搪瓷杯","features":["35毫升"],"grams":81})"
                        : R"({"lang":"zh","name":"搪瓷 杯","features":["３５０毫升"],"grams":81})";
  });
  ASSERT_EQ(records[0].dropped.size(), 1U);
  EXPECT_EQ(records[0].dropped[0].checks.at(0).reason, "“35毫升”（features）不在原文里");
  ASSERT_EQ(records[0].candidates.size(), 1U);
  EXPECT_EQ(records[0].candidates[0].attempt, 1);
  ASSERT_EQ(model_->requests.size(), 2U);
  EXPECT_EQ(model_->requests[1].sampling.temperature, 0.7) << "the likeliest reply would be the same again";
  EXPECT_NE(model_->requests[0].seed, model_->requests[1].seed);
}

TEST_F(ExtractTest, RepliesOfAnotherFormAreNoCandidates) {
  for (const char* reply :
       {"", "Sure! Here is the row.", "{", "[]", "null", R"({"lang":"en","name":"cup","features":[]})",
        R"({"lang":"en","name":"cup","features":[],"grams":"1"})",
        R"({"lang":"en","name":"cup","features":"blue","grams":1})",
        R"({"lang":"en","name":"cup","features":[1],"grams":1})",
        R"({"lang":"en","name":["cup"],"features":[],"grams":1})",
        R"({"lang":"en","name":"cup","features":[],"grams":1,"more":""})",
        R"({"lang":"en","nmae":"cup","features":[],"grams":1})", "{\"lang\":\"\xff\"}"}) {
    const auto records = Go({"a cup, 1 gram"}, [&](const std::string&, Rng&) { return reply; });
    EXPECT_TRUE(records[0].candidates.empty()) << reply;
    ASSERT_EQ(records[0].dropped.size(), 2U) << reply << ": it is asked for again, though nothing came";
    EXPECT_EQ(records[0].dropped[1].checks.at(0).reason, "the reply is no row");
  }
  finish_ = artefact::Finish::kLength;
  const auto cut = Go({"a cup, 1 gram"},
                      [](const std::string&, Rng&) { return R"({"lang":"en","name":"cup","features":[],"grams":1})"; });
  EXPECT_TRUE(cut[0].candidates.empty()) << "a reply that was cut says nothing for sure";
  EXPECT_EQ(cut[0].dropped.at(0).checks.at(0).reason, "the reply was cut before its end");
}

TEST_F(ExtractTest, ATextThatTheModelCannotTakeIsItsRecordsFaultAlone) {
  const auto records = Go({"a cup, 1 gram", "a book, 1 gram"}, [](const std::string& prompt, Rng&) -> std::string {
    if (prompt.find("book") != std::string::npos) throw Error(Code::kInvalidInput, "longer than the context");
    return R"({"lang":"en","name":"cup","features":[],"grams":1})";
  });
  EXPECT_EQ(records[0].candidates.size(), 1U);
  EXPECT_TRUE(records[1].candidates.empty());
  EXPECT_EQ(records[1].dropped.at(0).checks.at(0).reason, "longer than the context");
  const auto fail = [](const std::string&, Rng&) -> std::string { throw Error(Code::kUnsupported, "no such schema"); };
  try {
    Go({"a cup", "a book"}, fail);
    FAIL() << "nobody threw";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "step rows: no such schema");
  }
}

class ModelRun : public SearchingRun {
 public:
  std::shared_ptr<artefact::Generator> Model(const std::string&) override {
    return std::make_shared<FakeGenerator>("m", nullptr);
  }
};

// What ForEachBatch hands out: the records' indices, batch by batch.
TEST(ModelLoopTest, GoesInBatchesOfOneLanguage) {
  ModelRun run;
  for (int i = 0; i < 11; ++i) run.Ask("x", i % 4 == 3 ? "zh" : "en");
  run.records()[4].needs_person = "nothing in it";
  std::vector<size_t> all(11);
  std::iota(all.begin(), all.end(), size_t{0});
  std::vector<std::vector<size_t>> batches;
  ForEachBatch(
      run, {"s", {{"en", "m"}, {"zh", "m"}}}, all, 3,
      [&](artefact::Generator&, const std::string&, std::span<recipe::Record* const> batch, const artefact::StreamFn&) {
        batches.emplace_back();
        for (const recipe::Record* record : batch) batches.back().push_back(record->index);
      },
      [](const recipe::Record& record) { return record.index != 5; });
  EXPECT_EQ(batches, (std::vector<std::vector<size_t>>{{0, 1, 2}, {6, 8, 9}, {10}, {3, 7}}));
}

// The recipe of the repository, whose models are not here: every variant is made, runs, and writes its files.
TEST_F(ExtractTest, TheRecipeWritesRowsForEveryVariant) {
  const std::string source = Cat(ATELIER_SOURCE_DIR, "/recipes/product_rows");
  for (const std::string variant : {"", "plain", "unchecked", "plain_unchecked", "smollm2", "smollm2_plain"}) {
    const recipe::Recipe recipe = recipe::LoadRecipe(source, variant);
    const auto write = [](const std::string& prompt, Rng&) {
      const bool zh = prompt.find("搪瓷杯") != std::string::npos;
      return Cat(R"({"lang":")", zh ? "zh" : "en", R"(","name":")", zh ? "搪瓷杯" : "tin <b>cup</b>",
                 R"(","category":"","features":["81 g"],"audience":"","price":")", zh ? "9元" : "$12",
                 R"(","tone":""})");
    };
    recipe::RunOptions options;
    options.operators = AllOperators();
    options.out = folder_ + "/out";
    const auto model = std::make_shared<Teller>("m", write);
    options.models = [&](const std::string&) { return model; };
    std::vector<recipe::Record> records;
    for (const char* listing : {"搪瓷杯\n81 g 9元", "tin <b>cup</b>\n81 g, $9"})
      records.push_back(recipe::MakeRecord(recipe, {{"listing", listing}}, "test", records.size()));
    recipe::Engine engine(recipe, options);
    engine.Execute(std::move(records));
    const bool checked = variant.empty() || variant == "plain";
    EXPECT_EQ(engine.records()[1].needs_person.empty(), !checked) << variant << ": $12 is not in the listing";
    const std::string zh =
        R"({"lang": "zh", "name": "搪瓷杯", "category": "", "features": ["81 g"], "audience": "", "price": "9元", "tone": ""})";
    const std::vector<std::string> rows = Split(ReadFile(folder_ + "/out/rows.jsonl"), '\n');
    EXPECT_EQ(rows[0], zh);
    EXPECT_EQ(rows.size(), checked ? 2U : 3U) << "each ends with a line break";
    for (const std::string& row : rows) {
      if (row.empty()) continue;
      EXPECT_EQ(ParseJson(row, "row").size(), 7U);
    }
    const std::string page = ReadFile(folder_ + "/out/index.html");
    EXPECT_NE(page.find("tin &lt;b&gt;cup&lt;/b&gt;\n81 g"), std::string::npos) << "a listing is text";
    EXPECT_EQ(page.find("tin <b>"), std::string::npos);
  }
}

TEST_F(ExtractTest, RecordsGoSideBySideAndDifferentSamplesOnce) {
  std::vector<std::string> listings;
  for (int i = 0; i < 19; ++i) listings.push_back(Cat("cup ", 100 + i, ", 5 grams"));
  const auto write = [](const std::string& prompt, Rng& rng) {
    const std::string number = prompt.substr(4, 3);
    return Cat(R"({"lang":"en","name":"cup","features":[")", rng.Below(2) == 0 ? number : "cup", R"("],"grams":5})");
  };
  const std::string many =
      ReplaceAll(kExtraction, "language = \"lang\"", "language = \"lang\"\nsamples = 16\nbatch = 4");
  const auto records = Go(listings, write, many);
  EXPECT_EQ(model_->requests.size(), 19U);
  std::set<uint64_t> seeds;
  for (const artefact::GenerateRequest& request : model_->requests) seeds.insert(request.seed);
  EXPECT_EQ(seeds.size(), 19U);
  for (size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].candidates.size(), 2U) << i;
    for (const recipe::Candidate& row : records[i].candidates) EXPECT_EQ(row.output["name"], "cup");
  }
  const auto alone = Go({listings[0]}, write, many);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(alone[0].candidates[i].output, records[0].candidates[i].output);
}

TEST_F(ExtractTest, WrongStepsAreToldBeforeAnythingRuns) {
  EXPECT_NE(MessageOf("language = \"lang\"", "fields = [\"nam\"]").find("no output field 'nam' (did you mean 'name'?)"),
            std::string::npos);
  EXPECT_NE(MessageOf("language = \"lang\"", "fields = [\"name\", \"name\"]").find("'name' stands here twice"),
            std::string::npos);
  EXPECT_NE(MessageOf("language = \"lang\"", "fields = []").find("fields: is empty"), std::string::npos);
  EXPECT_NE(MessageOf("language = \"lang\"", "language = \"tongue\"").find("'tongue' is not among the fields"),
            std::string::npos);
  EXPECT_NE(MessageOf("language = \"lang\"", "batch = 0").find("batch"), std::string::npos);
  EXPECT_NE(MessageOf("zh = \"t.jinja\", ", "").find("has none for zh"), std::string::npos);
  EXPECT_NE(MessageOf("from = \"listing\"", "from = \"listng\"").find("no input field 'listng'"), std::string::npos);
}

}  // namespace
}  // namespace atelier::operators
