#include "runtime/constraint/call_grammar.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "runtime/call_reader.h"
#include "runtime/constraint/test_vocabulary.h"

namespace atelier::runtime {
namespace {

using artefact::CallSpec;

CallSpec Tags(bool required, int most = 3) {
  CallSpec spec;
  spec.syntax = {.head = "<call>{\"name\":\"",
                 .middle = "\",\"args\":",
                 .tail = "}</call>",
                 .between = "}</call>\n<call>{\"name\":\"",
                 .sign = "<call>",
                 .text_before = true};
  spec.functions = {{"ab", R"({"type":"object","properties":{"中":{"enum":["😀","\""]}},"required":["中"]})"},
                    {"abc", R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})"}};
  spec.required = required;
  spec.most = most;
  return spec;
}

// "<pad>" is a control token of the test vocabulary.
CallSpec Token(bool required) {
  CallSpec spec = Tags(required);
  spec.syntax = {.head = "<pad>[{\"name\":\"",
                 .middle = "\",\"args\":",
                 .tail = ",\"id\":\"\xFE\"}]<end>",
                 .between = {},
                 .sign = "<pad>"};
  return spec;
}

std::shared_ptr<const Constraint> Compiled(const CallSpec& spec) {
  return Compile({.kind = SpecKind::kCalls, .text = "", .choices = {}, .calls = spec}, TestIndex());
}
bool Holds(const CallSpec& spec, std::string_view text) { return Satisfies(Compiled(spec), text); }

const std::string kFirst = "<call>{\"name\":\"ab\",\"args\":{\"中\":\"😀\"}}</call>";
const std::string kSecond = "<call>{\"name\":\"abc\",\"args\":{\"n\": 12}}</call>";

TEST(CallGrammar, CallsAreOfKnownFunctionsWithTheirOwnArguments) {
  EXPECT_TRUE(Holds(Tags(true), kFirst));
  EXPECT_TRUE(Holds(Tags(true), kFirst + "\n" + kSecond + "\n" + kSecond));
  EXPECT_FALSE(Holds(Tags(true), kFirst + "\n" + kSecond + "\n" + kSecond + "\n" + kFirst));
  EXPECT_FALSE(Holds(Tags(true, 1), kFirst + "\n" + kSecond));
  EXPECT_FALSE(Holds(Tags(true), ReplaceAll(kFirst, "\"ab\"", "\"abc\"")));  // the other function's arguments
  EXPECT_FALSE(Holds(Tags(true), ReplaceAll(kFirst, "\"ab\"", "\"a\"")));
  EXPECT_FALSE(Holds(Tags(true), ReplaceAll(kSecond, "12", "\"12\"")));
  EXPECT_FALSE(Holds(Tags(true), kFirst + " "));
  EXPECT_FALSE(Holds(Tags(true), "text"));
  EXPECT_FALSE(Holds(Tags(true), ""));
}

TEST(CallGrammar, TextHoldsNoCall) {
  for (const char* text : {"", "text 中文 😀 {\"name\":\"ab\"}", "<cal", "<call", "< call>", "<ca<cal<"}) {
    EXPECT_TRUE(Holds(Tags(false), text)) << text;
    EXPECT_TRUE(Holds(Tags(false), text + kFirst)) << text;
    EXPECT_FALSE(Holds(Tags(false), Cat(text, "<call>"))) << text;
    EXPECT_EQ(Holds(Tags(false), kFirst + text), *text == 0) << text;
  }
  EXPECT_FALSE(Holds(Tags(false), "\xFF"));
  CallSpec either = Tags(false);
  either.syntax.text_before = false;
  EXPECT_TRUE(Holds(either, "a text that speaks of <call>s"));
  EXPECT_TRUE(Holds(either, kFirst));
  EXPECT_FALSE(Holds(either, "<call> and text"));
}

TEST(CallGrammar, ControlTokensComeOnlyAsTokens) {
  const int32_t pad = TestIndex()->vocab() - 1, end = pad - 1;
  for (const bool required : {true, false}) {
    Matcher matcher(Compiled(Token(required)));
    EXPECT_EQ(matcher.AcceptText("<pad>["), false);
    TokenMask mask;
    matcher.Mask(&mask);
    EXPECT_TRUE(mask.Has(pad));
    EXPECT_EQ(mask.Has(end), !required);
    EXPECT_EQ(mask.count == 1, required);
    ASSERT_TRUE(matcher.Accept(pad));
    EXPECT_FALSE(matcher.Accept(pad));
    ASSERT_TRUE(matcher.AcceptText("[{\"name\":\"abc\",\"args\":{\"n\":1},\"id\":\"abcDEF12"));
    EXPECT_FALSE(matcher.AcceptText("-"));
    ASSERT_TRUE(matcher.AcceptText("3\"}]"));
    EXPECT_TRUE(matcher.Complete());  // the end token of the writing is the reply's
    EXPECT_FALSE(matcher.CanContinue());
    EXPECT_TRUE(matcher.Accept(end));
  }
  Matcher other(CompileForTest(SpecKind::kRegex, "[^x]*"));
  TokenMask mask;
  other.Mask(&mask);
  EXPECT_FALSE(mask.Has(pad));
}

// What random tokens write is text and calls, never anything between.
TEST(CallGrammar, RandomReplies) {
  Rng rng(5);
  int calls = 0, texts = 0;
  for (int round = 0; round < 300; ++round) {
    const bool required = round % 2 == 0;
    const CallSpec spec = Tags(required);
    static const auto compiled = std::array{Compiled(Tags(false)), Compiled(Tags(true))};
    std::string text;
    Matcher matcher(compiled[required]);
    if (!required && round % 4 == 1) {
      text = "wörds <call>";
      ASSERT_TRUE(matcher.AcceptText(text));
    }
    if (!RandomText(matcher, *TestIndex(), &rng, 30, &text)) {
      ASSERT_EQ(text.find("refused"), std::string::npos) << text;
      continue;
    }
    CallReader reader(spec);
    std::vector<CallReader::Event> events = reader.Append(text);
    const auto rest = reader.Finish();
    events.insert(events.end(), rest.begin(), rest.end());
    for (size_t i = 0; i < events.size(); ++i) {
      texts += events[i].kind == CallReader::Event::Kind::kText;
      if (events[i].kind != CallReader::Event::Kind::kName) continue;
      ++calls;
      ASSERT_LT(i + 1, events.size());
      const Json arguments = ParseJson(events[i + 1].text, text);
      ASSERT_EQ(arguments.size(), 1u);
      if (events[i].text == "ab") {
        ASSERT_TRUE(arguments.at("中") == "😀" || arguments["中"] == "\"");
      } else {
        ASSERT_EQ(events[i].text, "abc");
        ASSERT_TRUE(arguments.at("n").is_number_integer());
      }
    }
    ASSERT_EQ(required && events.empty(), false) << text;
  }
  EXPECT_GT(calls, 150);
  EXPECT_GT(texts, 30);
}

TEST(CallGrammar, SaysWhichFunctionCannotBeKept) {
  CallSpec spec = Tags(true);
  spec.functions.push_back({"bad", R"({"type":"object","properties":{"x":{"$dynamicRef":"#x"}}})"});
  try {
    Compiled(spec);
    FAIL();
  } catch (const artefact::FunctionError& error) {
    EXPECT_EQ(error.function(), 2u);
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("/properties/x/$dynamicRef"), std::string::npos) << error.what();
  }
  spec.functions.clear();
  EXPECT_THROW(Compiled(spec), Error);
  // Together they may cost what one schema may.
  const auto costly = [](int i) {
    return CallSpec::Function{Cat("f", i), Cat(R"({"type":"object","properties":{"p)", i,
                                               R"(":{"type":"string","pattern":"^(a|b)*a(a|b){11}$"}}})")};
  };
  for (int i = 0; i < 2; ++i) spec.functions.push_back(costly(i));
  Compiled(spec);
  for (int i = 2; i < 126; ++i) spec.functions.push_back(costly(i));
  EXPECT_THROW(Compiled(spec), artefact::FunctionError);
}

TEST(CallGrammar, AWritingThatEndsInTheMiddleIsRefused) {
  CallSpec spec = Tags(true);
  spec.syntax.middle = "<end>";
  EXPECT_THROW(Compiled(spec), Error);
}

}  // namespace
}  // namespace atelier::runtime
