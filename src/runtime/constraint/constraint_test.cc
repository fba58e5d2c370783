#include "runtime/constraint/constraint.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <barrier>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "runtime/constraint/compiler.h"
#include "runtime/constraint/test_vocabulary.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

const char* const kSchemas[] = {
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":30},"n":{"type":"integer","minimum":-5,"maximum":300},
        "tags":{"type":"array","items":{"enum":["a","中","ab"]},"maxItems":4},"next":{"$ref":"#"}},"required":["name"]})",
    R"({"type":"object","additionalProperties":{"type":["integer","null"]},"minProperties":2,"maxProperties":4})",
    R"({"type":"object","patternProperties":{"^[ab]{1,2}$":{"type":"boolean"}},"additionalProperties":false,"minProperties":5})",
    R"({"type":"array","items":{"anyOf":[{"type":"string","pattern":"^a.{2,20}$"},{"type":"number"},{"type":"array","items":{"type":"null"}}]},"minItems":1})",
    R"({"type":"string","format":"date-time"})",
    R"({"type":"object","properties":{"a":true,"k":{"type":"integer"}},"required":["a"]})",
    R"({"type":"number","exclusiveMinimum":0.1,"maximum":99.95})",
    R"({"oneOf":[{"type":"string","minLength":1},{"type":"object","properties":{"k":{"type":"integer","multipleOf":6}},"required":["k"],"additionalProperties":true}]})",
};

// The mask holds every token after which the text can go on, tried one by one. Only a token that begins and ends a name
// that is not listed may be missing.
TEST(ConstraintTest, MaskIsWhatTokensDo) {
  const TokenIndex& index = *TestIndex();
  Rng rng(3);
  std::vector<std::shared_ptr<const Constraint>> constraints;
  for (const char* schema : kSchemas) constraints.push_back(CompileForTest(SpecKind::kJsonSchema, schema));
  constraints.push_back(CompileForTest(SpecKind::kJsonObject, ""));
  constraints.push_back(CompileForTest(SpecKind::kRegex, "(?:[中文]{1,3}。|x[^x]{5,40}x|ab*c)+"));
  constraints.push_back(CompileForTest(SpecKind::kChoice, "", {"ab", "abc", "中文", "", "\"name\""}));
  TokenMask mask;
  int64_t checked = 0, missing = 0;
  for (size_t which = 0; which < constraints.size(); ++which) {
    const bool open_names = which == 1 || which == 2 || which == 5 || which == 7 || which == 8;
    for (int round = 0; round < 6; ++round) {
      Matcher matcher(constraints[which]);
      std::string text;
      for (int step = 0; step < 60; ++step) {
        if (!matcher.CanContinue()) break;
        matcher.Mask(&mask);
        int64_t count = 0;
        std::vector<int32_t> allowed;
        for (int32_t token = 0; token < index.vocab(); ++token) {
          Matcher fork = matcher;
          const bool fits = fork.Accept(token);
          count += mask.Has(token);
          ++checked;
          if (mask.Has(token)) {
            ASSERT_TRUE(fits) << "schema " << which << " after " << text << " comes " << index.bytes(token);
          } else if (fits) {
            ASSERT_TRUE(open_names) << "schema " << which << " after " << text << " lacks " << index.bytes(token);
            ASSERT_GE(std::count(index.bytes(token).begin(), index.bytes(token).end(), '"'), 2)
                << "schema " << which << " after " << text << " lacks " << index.bytes(token);
            ++missing;
          }
          if (mask.Has(token) && !index.bytes(token).empty()) allowed.push_back(token);
        }
        ASSERT_EQ(count, mask.count);
        ASSERT_FALSE(allowed.empty()) << text;
        const int32_t token = allowed[rng.Below(allowed.size())];
        text += index.bytes(token);
        ASSERT_TRUE(matcher.Accept(token));
      }
    }
  }
  EXPECT_GT(checked, 500000);
  EXPECT_LT(missing, checked / 1000);
}

TEST(ConstraintTest, RandomWalksEndInJson) {
  Rng rng(8);
  int ended = 0;
  for (const char* schema : kSchemas) {
    const auto constraint = CompileForTest(SpecKind::kJsonSchema, schema);
    for (int round = 0; round < 25; ++round) {
      std::string text;
      if (!RandomText(Matcher(constraint), *TestIndex(), &rng, 25, &text)) {
        ASSERT_EQ(text.find("<- refused"), std::string::npos) << text;
        continue;
      }
      ++ended;
      ASSERT_TRUE(text::IsValidUtf8(text)) << text;
      ASSERT_TRUE(Json::accept(text)) << text;
      // A name twice would be lost by the parser: the text would come out shorter.
      size_t names = 0;
      std::vector<std::pair<bool, std::vector<std::string>>> open;
      Json::parse(text, [&](int, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::object_start) open.push_back({true, {}});
        if (event == Json::parse_event_t::object_end) open.pop_back();
        if (event == Json::parse_event_t::key) {
          std::vector<std::string>& seen = open.back().second;
          const std::string name = value.get<std::string>();
          EXPECT_EQ(std::count(seen.begin(), seen.end(), name), 0) << text;
          seen.push_back(name);
          ++names;
        }
        return true;
      });
      const Json value = Json::parse(text);
      if (schema == kSchemas[1]) {
        ASSERT_TRUE(value.size() >= 2 && value.size() <= 4) << text;
      }
      if (schema == kSchemas[2]) {
        ASSERT_TRUE(value.size() == 5 || value.size() == 6) << text;
        for (const auto& [name, item] : value.items()) {
          ASSERT_TRUE(RE2::FullMatch(name, "[ab]{1,2}") && item.is_boolean()) << text;
        }
      }
      if (schema == kSchemas[6]) {
        ASSERT_TRUE(value.get<double>() > 0.1 && value.get<double>() <= 99.95) << text;
      }
      if (schema == kSchemas[4]) {
        ASSERT_TRUE(
            RE2::FullMatch(value.get<std::string>(), R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))"))
            << text;
      }
    }
  }
  EXPECT_GT(ended, 150);
}

TEST(ConstraintTest, RandomWalksMatchTheRegex) {
  Rng rng(4);
  for (const char* pattern :
       {"[a-z]{3,8}(?:中|文。){2}", "(?:a|b.)*c", "\\d{1,3}(?:,\\d{3})*", "[^\\n\"]{0,50}!", "😀+", "[ \\t]*"}) {
    const auto constraint = CompileForTest(SpecKind::kRegex, pattern);
    int ended = 0;
    for (int round = 0; round < 20; ++round) {
      std::string text;
      if (!RandomText(Matcher(constraint), *TestIndex(), &rng, 10, &text)) continue;
      ++ended;
      ASSERT_TRUE(text::IsValidUtf8(text) && RE2::FullMatch(text, pattern)) << pattern << " on " << text;
    }
    EXPECT_GT(ended, 0) << pattern;
  }
}

TEST(ConstraintTest, EndsExactlyWhereItIsComplete) {
  const TestTokenizer tokenizer;
  TokenMask mask;
  Matcher matcher(CompileForTest(SpecKind::kChoice, "", {"ab", "abc"}));
  matcher.Mask(&mask);
  EXPECT_FALSE(mask.Has(tokenizer.eos()));
  EXPECT_FALSE(matcher.Accept(tokenizer.eos()));
  EXPECT_TRUE(matcher.AcceptText("ab"));
  EXPECT_TRUE(matcher.Complete() && matcher.CanContinue());
  matcher.Mask(&mask);
  EXPECT_TRUE(mask.Has(tokenizer.eos()) && mask.Has('c'));
  EXPECT_EQ(mask.count, 2);
  EXPECT_FALSE(mask.Has(tokenizer.eos() + 1));  // control
  Matcher fork = matcher;
  EXPECT_TRUE(fork.Accept(tokenizer.eos()));
  EXPECT_TRUE(matcher.Accept('c'));
  EXPECT_TRUE(matcher.Complete() && !matcher.CanContinue());
  matcher.Mask(&mask);
  EXPECT_TRUE(mask.Has(tokenizer.eos()));
  EXPECT_EQ(mask.count, 1);
  EXPECT_FALSE(matcher.Accept('c'));
  EXPECT_FALSE(matcher.Accept(-1));
  EXPECT_FALSE(matcher.Accept(1 << 20));
  EXPECT_TRUE(fork.AcceptText("c"));  // forks go their own ways
}

TEST(ConstraintTest, RefusesWhatIsNoConstraint) {
  EXPECT_THROW(CompileForTest(SpecKind::kChoice, "", {}), Error);
  EXPECT_THROW(CompileForTest(SpecKind::kChoice, "", {"\xFF"}), Error);
  EXPECT_THROW(CompileForTest(SpecKind::kRegex, "a[^\\u{0}-\\u{10ffff}]"), Error);
  EXPECT_THROW(CompileForTest(SpecKind::kChoice, "", std::vector<std::string>(10001, "a")), Error);
}

TEST(ConstraintTest, TheCompilerKeepsAndRefuses) {
  const TestTokenizer tokenizer;
  ConstraintCompiler compiler(tokenizer);
  artefact::GenerateRequest request;
  EXPECT_EQ(compiler.For(request), nullptr);
  request.constraint = {SpecKind::kRegex, "a+", {}};
  const auto first = compiler.For(request);
  EXPECT_EQ(compiler.For(request), first);
  request.constraint.kind = SpecKind::kJsonSchema;
  EXPECT_THROW(compiler.For(request), Error);  // "a+" is no schema, though it was a regex
  request.constraint = {SpecKind::kChoice, "", {"a", "b"}};
  const auto choice = compiler.For(request);
  request.constraint.choices = {"ab"};
  EXPECT_NE(compiler.For(request), choice);
  request.stop = {"x"};
  EXPECT_THROW(compiler.For(request), Error);
  request.stop.clear();
  request.ignore_end = true;
  EXPECT_THROW(compiler.For(request), Error);
}

TEST(ConstraintTest, TheCompilerKeepsWhatFits) {
  const TestTokenizer tokenizer;
  ConstraintCompiler compiler(tokenizer, size_t{400} << 10);
  const auto ask = [&](const std::string& regex) {
    artefact::GenerateRequest request;
    request.constraint = {SpecKind::kRegex, regex, {}};
    return compiler.For(request);
  };
  const auto small = ask("a+");
  EXPECT_LT(BytesOf(*small), size_t{40} << 10);
  ask("b+");
  EXPECT_EQ(ask("a+"), small);
  const auto large = ask("(a|b)*a(a|b){13}");
  EXPECT_EQ(ask("(a|b)*a(a|b){13}"), large);
  const size_t before = BytesOf(*large);
  Matcher matcher(large);
  TokenMask mask;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(matcher.AcceptText(i * i % 7 < 3 ? "a" : "b"));
    matcher.Mask(&mask);
  }
  EXPECT_GT(BytesOf(*large), before + (size_t{64} << 10));  // what is known of its states counts
  ask("c+");
  EXPECT_NE(ask("(a|b)*a(a|b){13}"), large);
}

// Costly schemas of many at once: few are compiled, the others are told to come again, and then everybody may.
TEST(ConstraintTest, TheCompilerTakesFewCostlyOnesAtATime) {
  const TestTokenizer tokenizer;
  ConstraintCompiler compiler(tokenizer);
  const auto refusal = [&](std::string schema) -> std::optional<Code> {
    artefact::GenerateRequest request;
    request.constraint = {SpecKind::kJsonSchema, std::move(schema), {}};
    try {
      compiler.For(request);
      return std::nullopt;
    } catch (const Error& error) {
      return error.code();
    }
  };
  constexpr size_t kThreads = 8;
  std::vector<std::optional<Code>> codes(kThreads);
  std::barrier start(static_cast<std::ptrdiff_t>(kThreads));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Json properties = Json::object();
      for (size_t k = 0; k < 300; ++k)
        properties[Cat("p", k)] = {{"type", "string"}, {"pattern", Cat("^[a-z0-9]{0,", 9000 - k - i, "}$")}};
      const std::string schema = ToText({{"type", "object"}, {"properties", properties}});
      start.arrive_and_wait();
      codes[i] = refusal(schema);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto count = [&](Code code) { return std::count(codes.begin(), codes.end(), code); };
  EXPECT_EQ(count(Code::kUnsupported) + count(Code::kResourceExhausted), kThreads);
  EXPECT_GE(count(Code::kUnsupported), 1);
  EXPECT_GE(count(Code::kResourceExhausted), 1);
  EXPECT_EQ(refusal(R"({"type":"integer"})"), std::nullopt);
}

// Letters by threes, beside those of the test's vocabulary.
class ManyPieces : public TestTokenizer {
 public:
  std::string Piece(text::TokenId id, bool special) const override {
    const text::TokenId first = TestTokenizer::vocab_size() - 2;
    if (id < first) return TestTokenizer::Piece(id, special);
    int n = id - first;
    return {static_cast<char>('a' + n / 676), static_cast<char>('a' + n / 26 % 26), static_cast<char>('a' + n % 26)};
  }
  text::TokenId vocab_size() const override { return TestTokenizer::vocab_size() + 26 * 26 * 26; }
  text::TokenId eos() const override { return vocab_size() - 2; }
};

// Everybody waits for a mask: one that would take a second is not computed.
TEST(ConstraintTest, AMaskOfVeryManyWaysIsRefused) {
  const auto index = std::make_shared<const TokenIndex>(ManyPieces());
  const auto matcher = [&](int ways) {
    std::string branches;
    for (int i = 0; i < ways; ++i) {
      branches += Cat(i == 0 ? "" : ",", "{\"type\":\"string\",\"pattern\":\"^(.{7})*q", 1000 + i, "$\"}");
    }
    return Matcher(Compile({SpecKind::kJsonSchema, "{\"anyOf\":[" + branches + "]}", {}}, index));
  };
  TokenMask mask;
  Matcher few = matcher(12);
  ASSERT_TRUE(few.AcceptText("\""));
  EXPECT_NO_THROW(few.Mask(&mask));
  Matcher many = matcher(1024);
  ASSERT_TRUE(many.AcceptText("\""));
  try {
    many.Mask(&mask);
    ADD_FAILURE() << "a mask of 1,024 automata";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput) << error.what();
  }
}

TEST(ConstraintTest, TheCompilerCompilesOnceWhatManyAskFor) {
  const TestTokenizer tokenizer;
  ConstraintCompiler compiler(tokenizer);
  artefact::GenerateRequest request;
  Json properties = Json::object();  // half a second, and refused in the end
  for (size_t k = 0; k < 300; ++k)
    properties[Cat("p", k)] = {{"type", "string"}, {"pattern", Cat("^[a-z0-9]{0,", 9000 - k, "}$")}};
  request.constraint = {SpecKind::kJsonSchema, ToText({{"type", "object"}, {"properties", properties}}), {}};
  constexpr size_t kThreads = 6;
  std::vector<Code> codes(kThreads, Code::kInternal);
  std::barrier start(static_cast<std::ptrdiff_t>(kThreads));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      try {
        compiler.For(request);
      } catch (const Error& error) {
        codes[i] = error.code();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(codes.begin(), codes.end(), Code::kUnsupported), 1);  // who compiled it
  EXPECT_EQ(std::count(codes.begin(), codes.end(), Code::kResourceExhausted), kThreads - 1);
}

// Positions of a long array of long texts are few, or every token would need a mask of its own.
TEST(ConstraintTest, CountersShareMasks) {
  const auto constraint =
      CompileForTest(SpecKind::kJsonSchema,
                     R"({"type":"array","minItems":500,"maxItems":1000,"items":{"type":"string","maxLength":5000}})");
  Matcher matcher(constraint);
  ASSERT_TRUE(matcher.AcceptText("["));
  TokenMask first, later;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(matcher.AcceptText("\"中文 abc\","));
  ASSERT_TRUE(matcher.AcceptText("\"a"));
  matcher.Mask(&first);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(matcher.AcceptText("中\\n\",\"a"));
  matcher.Mask(&later);
  EXPECT_EQ(first.bits, later.bits);
}

}  // namespace
}  // namespace atelier::runtime
