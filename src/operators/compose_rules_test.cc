// The table [rules] of a grammar: what it keeps out of a text and out of a pair.
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/str.h"
#include "operators/compose.h"
#include "operators/compose_language.h"

namespace atelier::operators {
namespace {

std::string Pattern(std::string_view id, std::string_view part, std::string_view device, std::string_view text) {
  return Cat("[[pattern]]\nid = \"", id, "\"\npart = \"", part, "\"\ndevice = \"", device, "\"\ntext = \"", text,
             "\"\n");
}

Grammar Chinese(std::string_view rules, std::string_view patterns) {
  return Grammar::Parse(Cat("format = 1\nlang = \"zh\"\n", rules, patterns), "t.toml");
}

Json Row() {
  return Json{{"name", "保温饭盒"},
              {"category", "厨具"},
              {"audience", "上班族"},
              {"price", "109元"},
              {"features", {"不锈钢内胆", "保温6小时", "带餐具"}}};
}

std::set<std::string> Texts(const Grammar& grammar, Part part) {
  Facts facts = ReadFacts(Row(), grammar);
  Rng rng(7);
  std::set<std::string> texts;
  for (const Expansion& expansion : Expand(grammar, facts, part, rng)) texts.insert(expansion.text);
  return texts;
}

std::set<std::string> Pairs(const Grammar& grammar) {
  Rng rng(7);
  ComposeOptions options;
  options.count = 100;
  std::set<std::string> pairs;
  for (const recipe::Candidate& candidate : Compose(grammar, Row(), options, rng).candidates) {
    pairs.insert(
        Cat(candidate.output["headline"].get<std::string>(), "/", candidate.output["body"].get<std::string>()));
  }
  return pairs;
}

TEST(Rules, SheetOrderKeepsTheRecordsOrderInLists) {
  std::string patterns =
      Pattern("h", "headline", "plain", "{name}") + Pattern("b", "body", "plain", "{f1}，{f2}，{f3}。");
  EXPECT_EQ(Texts(Chinese("", patterns), Part::kBody).size(), 6u);
  EXPECT_EQ(Texts(Chinese("[rules]\nsheet_order = true\n", patterns), Part::kBody),
            (std::set<std::string>{"不锈钢内胆，保温6小时，带餐具。"}));
}

TEST(Rules, SheetOrderLeavesSlotsThatAskForMoreAlone) {
  std::string classes = "[[class]]\nname = \"with\"\nmatch = '^带'\n";
  std::string patterns =
      classes + Pattern("h", "headline", "plain", "{name}") + Pattern("b", "body", "plain", "{f1:with}，{f2}，{f3}。");
  EXPECT_EQ(Texts(Chinese("[rules]\nsheet_order = true\n", patterns), Part::kBody),
            (std::set<std::string>{"带餐具，不锈钢内胆，保温6小时。"}));
}

TEST(Rules, NoEchoKeepsTheNameFromAFeatureThatRepeatsIt) {
  std::string patterns =
      Pattern("h", "headline", "plain", "{f1}，{name}") + Pattern("b", "body", "plain", "{f1}的{name}，{f2}。");
  EXPECT_TRUE(Texts(Chinese("", patterns), Part::kHeadline).contains("保温6小时，保温饭盒"));
  Grammar grammar = Chinese("[rules]\nno_echo = true\n", patterns);
  EXPECT_EQ(Texts(grammar, Part::kHeadline), (std::set<std::string>{"不锈钢内胆，保温饭盒", "带餐具，保温饭盒"}));
  std::set<std::string> bodies = Texts(grammar, Part::kBody);
  EXPECT_TRUE(bodies.contains("带餐具的保温饭盒，保温6小时。")) << "another clause of a body may";
  for (const std::string& body : bodies) EXPECT_EQ(body.find("小时的"), std::string::npos) << body;
}

TEST(Rules, NoEchoKeepsAPhraseFromComingTwiceInAPair) {
  EXPECT_EQ(SharedRun("带餐具的保温饭盒，109元", "有没有带餐具的保温饭盒？有。"), 8u);
  EXPECT_EQ(SharedRun("", "有"), 0u);
  std::string patterns = Pattern("h", "headline", "plain", "{f1}的{name}来了") +
                         Pattern("b", "body", "question", "有没有{f1}的{name}？有，{f2}。");
  std::string twice = "带餐具的保温饭盒来了/有没有带餐具的保温饭盒？有，不锈钢内胆。";
  EXPECT_TRUE(Pairs(Chinese("", patterns)).contains(twice));
  std::set<std::string> pairs = Pairs(Chinese("[rules]\nno_echo = true\n", patterns));
  EXPECT_FALSE(pairs.contains(twice));
  EXPECT_TRUE(pairs.contains("带餐具的保温饭盒来了/有没有不锈钢内胆的保温饭盒？有，带餐具。"));
}

TEST(Rules, PairsSayAFieldOnceAndTheNameAtLeastOnce) {
  std::string patterns = Pattern("h1", "headline", "price", "{name}，{price}") +
                         Pattern("h2", "headline", "plain", "别的先不说，{f1}") +
                         Pattern("b1", "body", "price", "只说实情：{f2}。{price}。") +
                         Pattern("b2", "body", "plain", "{name}，{f2}，{f3}。");
  for (const std::string& pair : Pairs(Chinese("[rules]\nonce = [\"price\"]\nsome = [\"name\"]\n", patterns))) {
    EXPECT_EQ(pair.find("109元"), pair.rfind("109元")) << pair;
    EXPECT_NE(pair.find("保温饭盒"), std::string::npos) << pair;
  }
  bool twice = false, nameless = false;
  for (const std::string& pair : Pairs(Chinese("", patterns))) {
    twice |= pair.find("109元") != pair.rfind("109元");
    nameless |= pair.find("保温饭盒") == std::string::npos;
  }
  EXPECT_TRUE(twice && nameless) << "without the rules both are made";
}

TEST(Rules, DevicesThatStandApartDoNotMeet) {
  std::string patterns =
      Pattern("h1", "headline", "question", "挑{name}，先看什么？") + Pattern("h2", "headline", "plain", "看看{name}") +
      Pattern("b1", "body", "question", "{name}怎么挑？{f1}。") + Pattern("b2", "body", "plain", "{f1}，{f2}。");
  EXPECT_TRUE(Pairs(Chinese("", patterns)).contains("挑保温饭盒，先看什么？/保温饭盒怎么挑？带餐具。"));
  std::set<std::string> pairs = Pairs(Chinese("[rules]\napart = [\"question\"]\n", patterns));
  EXPECT_TRUE(pairs.contains("看看保温饭盒/保温饭盒怎么挑？带餐具。"));
  for (const std::string& pair : pairs) {
    EXPECT_EQ(pair.find("先看什么？/保温饭盒怎么挑"), std::string::npos) << pair;
  }
}

TEST(Language, ANameThatBeginsLikeAVerbTakesNoVerbAway) {
  EXPECT_EQ(DoubledAtBorder("一家人坐下来，桌上有", "有机小青菜", true), 0u);
  EXPECT_EQ(DoubledAtBorder("写给", "给长辈挑礼物的人", true), std::string("给").size());
}

TEST(Rules, SlipsAreNamedWithTheirLine) {
  for (const char* rules :
       {"[rules]\nsheet_ordr = true\n", "[rules]\nonce = [\"audiense\"]\n", "[rules]\nsome = [\"f1\"]\n",
        "[rules]\napart = [\"A B\"]\n", "[rules]\nno_echo = \"yes\"\n"}) {
    try {
      Chinese(rules, Pattern("h", "headline", "plain", "{name}") + Pattern("b", "body", "plain", "{f1}。"));
      ADD_FAILURE() << rules;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("t.toml:"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace atelier::operators
