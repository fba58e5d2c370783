#include "recipe/recipe.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "recipe/engine.h"
#include "recipe/input.h"

namespace atelier::recipe {
namespace {

constexpr std::string_view kRecipe = R"([recipe]
name = "t"
version = 2
summary = "s"
[input]
languages = ["zh", "en"]
language_field = "lang"
[[input.field]]
name = "name"
required = true
most_chars = 10
label = { zh = "名称", en = "name" }
[[input.field]]
name = "features"
type = "list"
least_items = 2
most_items = 3
[[input.field]]
name = "stock"
type = "number"
[[input.field]]
name = "lang"
[[output.field]]
name = "text"
[[step]]
id = "one"
use = "note"
word = "plain"
[[step]]
id = "two"
use = "note"
word = "last"
[variants.loud]
one = { word = "LOUD" }
two = { skip = true }
)";

Recipe Parse(std::string_view text, const std::string& variant = "") {
  return ParseRecipe(text, "recipe.toml", "/f", variant);
}

std::string MessageOf(const std::string& text, const std::string& variant = "") {
  try {
    Parse(text, variant);
  } catch (const Error& e) {
    return e.Line();
  }
  return "";
}

Record Row(std::string_view fields) { return MakeRecord(Parse(kRecipe), {ParseJson(fields, "row"), 7}, 3); }

TEST(Recipe, ReadsWhatItSays) {
  const Recipe recipe = Parse(kRecipe);
  EXPECT_EQ(recipe.name, "t");
  EXPECT_EQ(recipe.version, 2);
  ASSERT_EQ(recipe.input.fields.size(), 4u);
  EXPECT_EQ(recipe.input.Find("name")->label_zh, "名称");
  EXPECT_EQ(recipe.input.Find("stock")->type, FieldType::kNumber);
  EXPECT_EQ(recipe.variants, std::vector<std::string>{"loud"});
  EXPECT_EQ(recipe.steps.size(), 2u);
}

TEST(Recipe, SaysWhereItIsWrong) {
  const std::string good(kRecipe);
  const auto with = [&](std::string_view from, std::string_view to) { return MessageOf(ReplaceAll(good, from, to)); };
  EXPECT_NE(with("summary", "sumary").find("recipe.toml:4: [recipe] sumary: unknown key (did you mean 'summary'?)"),
            std::string::npos);
  EXPECT_NE(with("type = \"list\"", "type = \"lst\"").find("'lst' is not a type"), std::string::npos);
  EXPECT_NE(with("name = \"stock\"", "name = \"name\"").find("stands here twice"), std::string::npos);
  EXPECT_NE(with("name = \"stock\"", "name = \"a b\"").find("is not a name"), std::string::npos);
  EXPECT_NE(with("language_field = \"lang\"", "language_field = \"l\"").find("no field is named 'l'"),
            std::string::npos);
  EXPECT_NE(with("[\"zh\", \"en\"]", "[\"zh\", \"fr\"]").find("'fr' is not supported"), std::string::npos);
  EXPECT_NE(with("id = \"two\"", "id = \"one\"").find("two steps are named 'one'"), std::string::npos);
  EXPECT_NE(with("two = { skip", "tow = { skip").find("did you mean 'two'?"), std::string::npos);
  EXPECT_NE(with("two = { skip = true", "two = { use = \"x\"").find("cannot change what a step is"), std::string::npos);
  EXPECT_NE(MessageOf(good, "quiet").find("no variant 'quiet' (it has loud)"), std::string::npos);
  EXPECT_NE(MessageOf("[recipe").find("recipe.toml:1:"), std::string::npos);
}

TEST(Input, FieldsAreCleanedAndTheLanguageFound) {
  const Record record = Row(R"({"name":" 青\u3000瓷\u0007\n壶 ","features":["保温","保温"," 500毫升"],"lang":""})");
  EXPECT_EQ(record.input["name"], "青 瓷 壶");
  EXPECT_EQ(record.input["features"], Json({"保温", "500毫升"}));
  EXPECT_EQ(record.lang, "zh");
  EXPECT_EQ(record.input["lang"], "zh");
  EXPECT_EQ(record.needs_person, "");
  EXPECT_EQ(record.index, 3u);
  EXPECT_EQ(record.line, 7u);
  EXPECT_EQ(Row(R"({"name":"USB灯","features":["a","b"],"lang":"EN"})").lang, "en");
  EXPECT_EQ(DetectLanguage("USB-C 充电"), "zh");
  EXPECT_EQ(DetectLanguage("Kettle for 茶 lovers everywhere"), "en");
  EXPECT_EQ(DetectLanguage(""), "en");
}

TEST(Input, LinesStayWhereTheyAreAskedFor) {
  const std::string text = ReplaceAll(kRecipe, "required = true", "required = true\nlines = true");
  const auto name = [](const std::string& recipe, std::string_view json) {
    return MakeRecord(Parse(recipe), {ParseJson(json, "row"), 7}, 3).input["name"];
  };
  constexpr std::string_view kRow = R"({"name":" 杯  \t子\r\n\r一\u0007\u200e个\u2028😀 \n","features":["a","b"]})";
  EXPECT_EQ(name(text, kRow), "杯  \t子\n\n一个\n😀");
  EXPECT_EQ(name(std::string(kRecipe), kRow), "杯 子 一个 😀");
  EXPECT_NE(MessageOf(ReplaceAll(kRecipe, "least_items = 2", "lines = true")).find("lines: unknown key"),
            std::string::npos);
}

TEST(Input, WhatIsTooLittleOrTooMuchNeedsAPerson) {
  EXPECT_EQ(Row(R"({"name":"","features":["保温","便携"]})").needs_person, "缺少“名称”");
  EXPECT_EQ(Row(R"({"features":["a","b"]})").needs_person, "the name is missing");
  EXPECT_EQ(Row(R"({"name":"kettle","features":["a"]})").needs_person,
            "only 1 of the features given, at least 2 are needed");
  EXPECT_EQ(Row(R"({"name":"kettle","features":["a","b","c","d"]})").needs_person,
            "4 features given, at most 3 can be used");
  EXPECT_EQ(Row(R"({"name":"12345678901","features":["a","b"]})").needs_person,
            "the name has 11 characters, at most 10 can be used");
  EXPECT_EQ(Row(R"({"name":"kettle","features":["a","b"],"stock":"many"})").needs_person, "the stock is not a number");
  EXPECT_EQ(Row(R"({"name":"kettle","features":["a","b"],"lang":"fr"})").needs_person,
            "unknown language 'fr'; zh and en are known");
}

// An operator that writes its word into every record's `needs_person`.
class Note : public Operator {
 public:
  explicit Note(std::string word) : word_(std::move(word)) {}
  void Apply(Run& run, std::span<const size_t> records, int attempt) override {
    for (const size_t index : records) run.records()[index].needs_person += Cat(word_, attempt, " ");
    run.Report(1, 1, "");
  }

 private:
  std::string word_;
};

std::vector<OperatorEntry> Notes() {
  return {{"note", "", [](Table& step, const StepContext&) -> std::unique_ptr<Operator> {
             return std::make_unique<Note>(step.String("word"));
           }}};
}

TEST(Engine, RunsStepsInOrderWithTheVariantLaidOver) {
  const std::vector<OperatorEntry> operators = Notes();
  RunOptions options;
  options.operators = operators;
  Engine plain(Parse(kRecipe), options);
  plain.Execute({Record{}, Record{}});
  EXPECT_EQ(plain.records()[1].needs_person, "plain0 last0 ");
  Engine loud(Parse(kRecipe, "loud"), options);
  loud.Execute({Record{}});
  EXPECT_EQ(loud.records()[0].needs_person, "LOUD0 ");
  Engine alone(Parse(kRecipe), options);
  alone.ExecuteStep("two", {Record{}}, 4);
  EXPECT_EQ(alone.records()[0].needs_person, "last4 ");
  EXPECT_THROW(alone.Rerun("three", {}, 1), Error);
}

TEST(Engine, EveryStepIsMadeBeforeAnyRuns) {
  const std::vector<OperatorEntry> operators = Notes();
  RunOptions options;
  options.operators = operators;
  const auto message = [&](std::string_view from, std::string_view to) -> std::string {
    try {
      Engine engine(Parse(ReplaceAll(kRecipe, from, to)), options);
    } catch (const Error& e) {
      return e.Line();
    }
    return "";
  };
  EXPECT_NE(message("word = \"last\"", "wrd = \"last\"").find("'word' is missing"), std::string::npos);
  EXPECT_NE(message("word = \"last\"", "word = \"last\"\nsize = 3").find("unknown key"), std::string::npos);
  EXPECT_NE(message("use = \"note\"", "use = \"nota\"").find("did you mean 'note'?"), std::string::npos);
}

TEST(Engine, CancelledBetweenReports) {
  const std::vector<OperatorEntry> operators = Notes();
  RunOptions options;
  options.operators = operators;
  options.cancelled = [] { return true; };
  Engine engine(Parse(kRecipe), options);
  try {
    engine.Execute({Record{}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kCancelled);
  }
}

TEST(Hash, CoversWhatDecidesTheResultAndNothingElse) {
  const std::string folder = Cat(::testing::TempDir(), "hash_", ::getpid());
  MakeFolders(folder + "/grammar");
  MakeFolders(folder + "/sample");
  WriteFileAtomic(folder + "/recipe.toml", "a");
  WriteFileAtomic(folder + "/grammar/en.toml", "b");
  const std::string before = HashFolder(folder, "");
  EXPECT_NE(HashFolder(folder, "loud"), before);
  WriteFileAtomic(folder + "/README.md", "c");
  WriteFileAtomic(folder + "/sample/rows.csv", "d");
  WriteFileAtomic(folder + "/.hidden", "e");
  EXPECT_EQ(HashFolder(folder, ""), before);
  WriteFileAtomic(folder + "/grammar/en.toml", "B");
  const std::string after = HashFolder(folder, "");
  EXPECT_NE(after, before);
  Rename(folder + "/grammar/en.toml", folder + "/grammar/zh.toml");
  EXPECT_NE(HashFolder(folder, ""), after);
  EXPECT_THROW(LoadRecipe(folder + "/sample", ""), Error);
}

}  // namespace
}  // namespace atelier::recipe
