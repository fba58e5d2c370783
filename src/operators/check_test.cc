// A recipe's checks by themselves: what `atelier check` asks. The operator `check` in a run is
// tests/recipe_run_test.cc's.
#include "operators/check.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"

namespace atelier::operators {
namespace {

constexpr std::string_view kRecipe = R"(
[recipe]
name = "small"
version = 1
[input]
[[input.field]]
name = "name"
[[input.field]]
name = "features"
type = "list"
[[output.field]]
name = "headline"
[[step]]
id = "phrases"
use = "no such operator: nothing but checks is made"
[[step]]
id = "model"
use = "generate.text"
[[step]]
id = "checks"
use = "check"
retry = { steps = ["model"], most = 3 }
[[step.check]]
use = "length"
en = { headline = [4, 20] }
[[step.check]]
use = "facts"
[[step]]
id = "choice"
use = "select"
[[step]]
id = "more"
use = "check"
[[step.check]]
use = "duplicates"
[variants.first]
more = { skip = true }
[variants.none]
checks = { skip = true }
more = { skip = true }
[variants.wrong]
checks = { retry = { steps = ["choice"] } }
[variants.unknown]
checks = { longest = 3 }
)";

recipe::Recipe Small(const std::string& variant = "") {
  return recipe::ParseRecipe(kRecipe, "small.toml", "/nowhere", variant);
}

recipe::Record Lamp() {
  recipe::Record record;
  record.lang = "en";
  record.input = {{"name", "Oak Lamp"}, {"features", {"2 m cable", "soft light"}}};
  return record;
}

recipe::Candidate Said(const std::string& headline) {
  recipe::Candidate candidate;
  candidate.output = {{"headline", headline}};
  return candidate;
}

std::string Names(const recipe::Candidate& candidate) {
  std::string names;
  for (const recipe::CheckResult& check : candidate.checks) names += Cat(check.check, check.passed ? " " : "! ");
  return names;
}

TEST(RecipeChecks, AreThoseOfEveryStepInOrder) {
  const RecipeChecks checks(Small());
  EXPECT_EQ(checks.writer(), "model");
  recipe::Candidate good = Said("Oak Lamp, 2 m cable"), bad = Said("Oak Lamp for only 9 euro and more");
  checks.Look(Lamp(), good, {});
  checks.Look(Lamp(), bad, {});
  EXPECT_EQ(Names(good), "length facts duplicates ");
  EXPECT_TRUE(good.passed());
  EXPECT_EQ(Names(bad), "length! facts! duplicates ");
  EXPECT_FALSE(bad.passed());
  EXPECT_NE(bad.checks[1].reason.find("9"), std::string::npos);

  recipe::Candidate again = Said("Oak Lamp, 2 m cable");
  checks.Look(Lamp(), again, std::vector{good});
  EXPECT_EQ(Names(again), "length facts duplicates! ");
}

TEST(RecipeChecks, FollowTheVariant) {
  recipe::Candidate candidate = Said("Oak Lamp");
  RecipeChecks(Small("first")).Look(Lamp(), candidate, std::vector{Said("Oak Lamp")});
  EXPECT_EQ(Names(candidate), "length facts ");
  for (const auto& [variant, says] :
       {std::pair("none", "checks nothing"), std::pair("wrong", "no earlier step"), std::pair("unknown", "longest")}) {
    try {
      RecipeChecks checks(Small(variant));
      ADD_FAILURE() << variant;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
      EXPECT_EQ(error.code(), Code::kInvalidInput);
    }
  }
}

TEST(CheckScore, PutsWhatPassesWellAboveTheRest) {
  const RecipeChecks checks(Small());
  const auto score = [&](const std::string& headline) {
    recipe::Candidate candidate = Said(headline);
    checks.Look(Lamp(), candidate, {});
    return CheckScore(candidate);
  };
  EXPECT_DOUBLE_EQ(score("Oak Lamp, soft light"), 1);
  EXPECT_DOUBLE_EQ(score("Oak Lamp, 9 euro"), 0.5 * 2 / 3);
  EXPECT_DOUBLE_EQ(score("Oak Lamp for only 9 euro and more"), 0.5 * 1 / 3);
}

}  // namespace
}  // namespace atelier::operators
