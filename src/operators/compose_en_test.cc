// The English grammar of the recipe ad_copy on the sheets beside it: nothing dead, nothing made up, enough to choose
// from, nothing that advertising may not say.
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <set>

#include "base/file.h"
#include "base/str.h"
#include "guard/claims.h"
#include "operators/compose.h"
#include "operators/compose_language.h"

namespace atelier::operators {
namespace {

const std::string kFolder = std::string(ATELIER_SOURCE_DIR) + "/recipes/ad_copy/";

const Grammar& Shipped() {
  static const Grammar grammar = Grammar::Load(kFolder + "grammar/en.toml");
  return grammar;
}

std::vector<Json> Rows() {
  std::vector<Json> rows;
  for (const std::string& line : Split(ReadFile(kFolder + "tests/rows_en.jsonl"), '\n')) {
    if (!line.empty()) rows.push_back(ParseJson(line, "rows_en.jsonl"));
  }
  return rows;
}

std::vector<recipe::Candidate> Candidates(const Json& row, size_t count, uint64_t seed) {
  Rng rng(seed);
  ComposeOptions options;
  options.count = count;
  return Compose(Shipped(), row, options, rng).candidates;
}

TEST(EnglishGrammar, HasNoDeadPattern) {
  std::set<std::string> alive;
  for (const Json& row : Rows()) {
    Facts facts = ReadFacts(row, Shipped());
    Rng rng(1);
    for (Part part : {Part::kHeadline, Part::kBody}) {
      for (const Expansion& expansion : Expand(Shipped(), facts, part, rng)) alive.insert(expansion.pattern->id);
    }
  }
  int headlines = 0, bodies = 0;
  std::set<std::string> devices;
  for (const struct Pattern& pattern : Shipped().patterns()) {
    EXPECT_TRUE(alive.contains(pattern.id)) << pattern.id << " at " << pattern.where << " is brought out by no row";
    (pattern.part == Part::kHeadline ? headlines : bodies) += 1;
    devices.insert(pattern.device);
  }
  EXPECT_GE(headlines, 90);
  EXPECT_GE(bodies, 90);
  EXPECT_EQ(devices, (std::set<std::string>{"audience", "benefit", "contrast", "fact", "invitation", "moment", "plain",
                                            "price", "question", "sensory"}));
}

TEST(EnglishGrammar, GivesEveryFullSheetTwoHundredCandidates) {
  for (const Json& row : Rows()) {
    if (row["features"].size() < 3) continue;
    std::set<std::string> texts;
    for (const recipe::Candidate& c : Candidates(row, 200, 2))
      texts.insert(c.output["headline"].dump() + c.output["body"].dump());
    EXPECT_EQ(texts.size(), 200u) << row["name"];
  }
}

TEST(EnglishGrammar, SaysNoNumberThatIsNotOnTheSheetAndWritesCleanly) {
  const RE2 number("([0-9][0-9.,]*[0-9]|[0-9])"),
      debris(R"([\x00-\x1f]|  | [,;:!?]|[,;:] ?[,;:.!?]|\.\.|\bthe the\b|\ba (a|an|the) |[{}<>])");
  for (const Json& row : Rows()) {
    std::string sheet = row.dump(), name = row["name"].get<std::string>();
    for (const recipe::Candidate& candidate : Candidates(row, 60, 3)) {
      std::string headline = candidate.output["headline"].get<std::string>(),
                  body = candidate.output["body"].get<std::string>();
      for (const std::string& text : {headline, body}) {
        std::string found;
        re2::StringPiece rest(text);
        while (RE2::FindAndConsume(&rest, number, &found)) EXPECT_NE(sheet.find(found), sheet.npos) << text;
        EXPECT_FALSE(RE2::PartialMatch(text, debris)) << text;
        char first = text.empty() ? ' ' : text[0];
        EXPECT_TRUE((first < 'a' || first > 'z') || text.starts_with(name)) << text;
      }
      EXPECT_TRUE(body.ends_with('.') || body.ends_with('?')) << body;
      EXPECT_FALSE(headline.ends_with('.')) << headline;
      EXPECT_TRUE(headline.find(name) != headline.npos || body.find(name) != body.npos) << headline << " | " << body;
      EXPECT_LE(CountChars(headline), 110u) << headline;
      EXPECT_LE(CountChars(body), 260u) << body;
    }
  }
}

TEST(EnglishGrammar, SortsFeaturesByTheirShape) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> expected = {
      {"negative", {"no app needed", "no added sugar", "No ads"}},
      {"included", {"pots included", "40 bits included"}},
      {"clause", {"beginners welcome", "while you wait", "child seats on request"}},
      {"does",
       {"works offline", "folds flat", "holds 80 kg", "clips on without tools", "burns 35 hours", "packs into pocket",
        "Folds to 38 cm"}},
      {"order", {"pause anytime", "collect from 7 am", "share with a neighbor", "learn at your own pace"}},
      {"prep", {"from one valley", "with seaweed", "for left-handers", "at your home"}},
      {"made",
       {"sold in tens", "hand glazed", "cut to drawing", "oak smoked", "spiral bound", "made in Wales", "zinc plated"}},
      {"adj",
       {"waterproof", "unfiltered", "dishwasher safe", "self-leveling", "pre-seasoned", "gluten-free",
        "Machine washable", "streak-free"}},
      {"dim", {"5 mm thick", "70 cm tall"}},
      {"pack", {"340 g jar", "pack of six", "50 ml tube"}},
      {"count", {"12 pans", "48 short lessons", "five brass hooks", "three sizes"}},
      {"material", {"natural rubber", "solid walnut", "washed linen", "Carbon fiber", "lead-free brass"}},
      {"thing", {"cable slot", "carry strap", "30-hour battery", "20 mm bore", "free first class", "no-drill rod"}},
      {"mass", {"shea butter", "weekly delivery", "organic flour"}},
      {"measure", {"18 V", "M6 to M16", "300 lumens", "130 x 180 cm", "USB-C", "three hours"}},
      {"things", {"recipe cards", "taped seams", "airtight lids"}},
      {"plain", {"wipe clean", "just add water", "children free", "English to Spanish", "", "🍯", "same day"}},
  };
  for (const auto& [name, features] : expected) {
    for (const std::string& feature : features)
      EXPECT_EQ(Shipped().ClassName(Shipped().ClassOf(feature)), name) << feature;
  }
}

TEST(Grammars, SayNothingThatAdvertisingMayNotSay) {
  for (const std::string lang : {"en", "zh"}) {
    const guard::Claims claims = guard::Claims::Load(Cat(kFolder, "claims/", lang, ".toml"));
    EXPECT_GE(claims.size(), lang == "zh" ? 80u : 60u);
    const Grammar grammar = Grammar::Load(Cat(kFolder, "grammar/", lang, ".toml"));
    for (const std::string& line : Split(ReadFile(Cat(kFolder, "tests/rows_", lang, ".jsonl")), '\n')) {
      if (line.empty()) continue;
      Json row = ParseJson(line, "rows");
      Facts facts = ReadFacts(row, grammar);
      // What the sheet itself says is not the grammar's doing.
      std::vector<std::string> allowed = facts.features;
      for (const auto& [field, value] : facts.fields) allowed.push_back(value);
      Rng rng(4);
      ExpandOptions few;  // every pattern on every row, but not every way to fill it
      few.per_pattern = 3;
      for (Part part : {Part::kHeadline, Part::kBody}) {
        for (const Expansion& expansion : Expand(grammar, facts, part, rng, few)) {
          for (const guard::ClaimHit& hit : claims.Find(expansion.text, allowed)) {
            ADD_FAILURE() << expansion.pattern->id << " says '" << hit.text << "' (" << hit.reason
                          << "): " << expansion.text;
          }
        }
      }
    }
  }
}

TEST(ClaimLists, KnowTheirExceptions) {
  const guard::Claims en = guard::Claims::Load(kFolder + "claims/en.toml"),
                      zh = guard::Claims::Load(kFolder + "claims/zh.toml");
  for (std::string text :
       {"The best mug", "Guaranteed results", "#1 in town", "Never breaks", "clinically proven", "100% safe",
        "Only 3 left", "Was $40, now $20", "the world's first kettle", "eco-friendly", "Relieves back pain"}) {
    EXPECT_FALSE(en.Find(text).empty()) << text;
  }
  for (std::string text : {"Best before May", "A first aid kit", "first-time campers", "100% cotton", "No. 12 hook",
                           "cures in 24 hours", "Sharp at first light", "For the next round"}) {
    EXPECT_TRUE(en.Find(text).empty()) << text << ": " << en.Find(text)[0].text;
  }
  for (std::string text : {"最好的茶", "全国第一", "国家级", "100%有效", "根治失眠", "稳赚不赔", "无副作用", "仅剩三件",
                           "预防感冒", "顶级用料"}) {
    EXPECT_FALSE(zh.Find(text).empty()) << text;
  }
  for (std::string text :
       {"最近上新", "第一次买", "第一章", "100%棉", "最大承重80公斤", "万能胶", "唯一编号", "最后放糖"}) {
    EXPECT_TRUE(zh.Find(text).empty()) << text << ": " << zh.Find(text)[0].text;
  }
}

}  // namespace
}  // namespace atelier::operators
