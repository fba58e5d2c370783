#include "operators/compose_grammar.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"

namespace atelier::operators {
namespace {

constexpr const char* kBody = R"(
[[pattern]]
id = "b"
part = "body"
device = "fact"
text = "{features}"
)";

std::string Headline(const std::string& text, const std::string& rest = "") {
  return Cat("[[pattern]]\nid = \"h\"\npart = \"headline\"\ndevice = \"fact\"\ntext = '", text, "'\n", rest);
}

Grammar Parse(const std::string& text) {
  return Grammar::Parse(Cat("format = 1\nlang = \"en\"\n", text, kBody), "g.toml");
}

std::string Refusal(const std::string& text) {
  try {
    Parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    EXPECT_EQ(error.Line().find('\n'), std::string::npos);
    return error.Line();
  }
  return "accepted";
}

TEST(Grammar, TakesWhatTheFormatHas) {
  Grammar grammar = Parse(Cat(R"([[class]]
name = "measure"
match = '\d'
[[words]]
name = "day"
any = ["Sunday", "a <kind> day"]
[[words]]
name = "kind"
any = ["slow"]
)",
                              Headline("{f1:measure|a} {f2|lower} <day|cap> {{x}} <<y>> {name?is:are}")));
  EXPECT_EQ(grammar.patterns().size(), 2u);
  EXPECT_EQ(grammar.ClassName(grammar.ClassOf("5 mm")), "measure");
  EXPECT_EQ(grammar.ClassName(grammar.ClassOf("soft")), "plain");
  EXPECT_EQ(grammar.patterns()[0].slots, 2);
}

TEST(Grammar, ClassesAreTriedInOrder) {
  Grammar grammar = Parse(
      Cat("[[class]]\nname = 'does'\nfirst = ['holds']\n[[class]]\nname = 'thing'\nhead = ['strap']\nunless = '^no '\n"
          "[[class]]\nname = 'measure'\nmatch = '\\d'\n[[class]]\nname = 'things'\nplural = true\n",
          Headline("{f1}")));
  auto name = [&](const std::string& feature) { return grammar.ClassName(grammar.ClassOf(feature)); };
  EXPECT_EQ(name("Holds 5 kg"), "does");
  EXPECT_EQ(name("carry strap for the bag"), "thing");
  EXPECT_EQ(name("no strap"), "plain");
  EXPECT_EQ(name("8 kg"), "measure");
  EXPECT_EQ(name("brass hooks"), "things");
  EXPECT_EQ(name(""), "plain");
}

TEST(Grammar, RefusesWithOneClearLine) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {Headline("{nane}"), "no slot {nane}"},
      {Headline("{nane}"), "did you mean 'name'?"},
      {Headline("{f9}"), "no slot {f9}"},
      {Headline("{f1:soft}"), "no class 'soft'"},
      {Headline("{f1|loud}"), "no filter 'loud'"},
      {Headline("{name:plain}"), "only features have classes"},
      {Headline("<day>"), "no word list <day>"},
      {Headline("{name"), "not closed"},
      {Headline("name}"), "closes nothing"},
      {Headline("{na{me}}"), "not closed"},
      {Headline("<name"), "not closed"},
      {Headline("{name?is}"), "two forms"},
      {Headline("{name|a?is:are}"), "takes no filter"},
      {Headline(""), "empty text"},
      {Cat(Headline("a"), Headline("b")), "is taken by g.toml:3"},
      {Cat(Headline("{name}"), "[[pattern]]\nid='x'\npart='headline'\ndevice='fact'\ntext='{name}'\n"),
       "the same text as 'h'"},
      {Headline("{name}", "wieght = 2\n"), "did you mean 'weight'?"},
      {Headline("{name}", "when = { tonne = ['x'] }\n"), "did you mean 'tone'?"},
      {Headline("{name}", "when = { has = ['colour'] }\n"), "no field 'colour'"},
      {Headline("{name}", "when = { class = ['soft'] }\n"), "no class 'soft'"},
      {Headline("{name}", "when = { match = { name = '(' } }\n"), "bad regular expression"},
      {Headline("{name}", "when = { match = { nmae = 'x' } }\n"), "no field 'nmae'"},
      {Headline("{name}", "when = { group = 'x' }\n"), "no group 'x'"},
      {Headline("{name}", "when = { tone = [] }\n"), "an empty list never holds"},
      {Headline("{name}", "when = { min_features = 3, max_features = 2 }\n"), "never holds"},
      {Headline("{name}", "weight = 0\n"), "out of range"},
      {Cat("[[class]]\nname='m'\nmatch='['\n", Headline("{name}")), "bad regular expression"},
      {Cat("[[class]]\nname='cap'\nmatch='x'\n", Headline("{name}")), "a filter's name"},
      {Cat("[[class]]\nname='plain'\nmatch='x'\n", Headline("{name}")), "no other class matches"},
      {Cat("[[class]]\nname='m'\n", Headline("{name}")), "matches nothing"},
      {Cat("[[class]]\nname='m'\nmatch='a'\n[[class]]\nname='n'\nmatch='b'\n", Headline("{f1:m} {f1:n}")),
       "no feature can be all"},
      {Cat("[[words]]\nname='a'\nany=['<b>']\n[[words]]\nname='b'\nany=['<a>']\n", Headline("<a>")),
       "in a circle: <a> <b> <a>"},
      {Cat("[[words]]\nname='a'\nany=['<b>']\n[[words]]\nname='b'\nany=['<c>']\n[[words]]\nname='c'\nany=['<d>']\n[["
           "words]]\nname='d'\n"
           "any=['<e>']\n[[words]]\nname='e'\nany=['x']\n",
           Headline("<a>")),
       "deep"},
      {Cat("[[words]]\nname='a'\nany=['x', 'x']\n", Headline("<a>")), "stands twice"},
      {Cat("[[words]]\nname='a'\nany=[]\n", Headline("<a>")), "is empty"},
      {"", "no pattern of part \"headline\""},
      {Cat("extra = 1\n", Headline("{name}")), "unknown key"},
  };
  for (const auto& [text, why] : refused) {
    std::string line = Refusal(text);
    EXPECT_NE(line.find(why), line.npos) << text << "\n  said: " << line;
    EXPECT_TRUE(line.starts_with("g.toml:")) << line;
  }
  EXPECT_THROW(Grammar::Parse("format = 2\nlang = \"en\"\n", "g.toml"), Error);
  EXPECT_THROW(Grammar::Parse("format = 1\nlang = \"fr\"\n", "g.toml"), Error);
}

}  // namespace
}  // namespace atelier::operators
