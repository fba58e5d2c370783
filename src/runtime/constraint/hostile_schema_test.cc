// Schemas of less than a megabyte that cost minutes where nobody counts: each is refused within a moment, by pointer.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "runtime/constraint/test_vocabulary.h"

namespace atelier::runtime {
namespace {

// `count` parts with commas between them.
template <typename Part>
std::string Listed(int count, const Part& part) {
  std::string out;
  for (int i = 0; i < count; ++i) out += Cat(i == 0 ? "" : ",", part(i));
  return out;
}

void ExpectRefused(const std::string& schema, const std::string& where) {
  const double started = MonotonicSeconds();
  try {
    CompileForTest(SpecKind::kJsonSchema, schema);
    ADD_FAILURE() << schema.substr(0, 80) << " is taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported) << error.what();
    EXPECT_NE(std::string(error.what()).find(where), std::string::npos) << error.what();
  }
  EXPECT_LT(MonotonicSeconds() - started, 8) << schema.substr(0, 80);  // mostly far below one
}

void ExpectTaken(const std::string& schema) {
  const double started = MonotonicSeconds();
  EXPECT_NO_THROW(CompileForTest(SpecKind::kJsonSchema, schema)) << schema.substr(0, 80);
  EXPECT_LT(MonotonicSeconds() - started, 8) << schema.substr(0, 80);
}

TEST(HostileSchema, LongListsOfLists) {
  ExpectTaken("{\"enum\":[" + Listed(100000, [](int i) { return Cat("[", i, "]"); }) + "]}");
  ExpectTaken("{\"const\":[" + Listed(100000, [](int i) { return Cat(i); }) + "],\"uniqueItems\":true}");
  ExpectRefused("{\"const\":[" + Listed(100000, [](int i) { return Cat(i); }) + ",7.0],\"uniqueItems\":true}",
                "/const");
  const std::string big = "{\"const\":[" + Listed(60000, [](int i) { return Cat(i); }) + "]}";
  ExpectRefused("{\"$defs\":{\"b\":" + big + "},\"allOf\":[" + big + "," +
                    Listed(2000, [](int i) { return Cat("{\"title\":\"", i, "\",\"$ref\":\"#/$defs/b\"}"); }) + "]}",
                "too much");
}

TEST(HostileSchema, NamesThatEveryValueIsHeldAgainst) {
  ExpectRefused("{\"enum\":[" + Listed(40000, [](int i) { return Cat("{\"n\":", i, "}"); }) + "],\"required\":[" +
                    Listed(40000, [](int) { return "\"n\""; }) + "]}",
                "too much");
}

TEST(HostileSchema, ManyBranches) {
  ExpectRefused("{\"anyOf\":[" + Listed(200000, [](int) { return "{}"; }) + "]}", "/anyOf");
  ExpectTaken("{\"anyOf\":[" + Listed(1000, [](int i) { return Cat("{\"const\":", i, "}"); }) + "]}");
}

TEST(HostileSchema, ManyThatHoldTogether) {
  ExpectRefused("{\"allOf\":[" + Listed(300000, [](int) { return "{}"; }) + "]}", "/allOf");
  ExpectTaken("{\"type\":\"integer\",\"allOf\":[" + Listed(1000, [](int i) { return Cat("{\"minimum\":", i, "}"); }) +
              "]}");
}

TEST(HostileSchema, UnevaluatedBesideMany) {
  ExpectRefused("{\"type\":\"object\",\"properties\":{" + Listed(1000, [](int i) { return Cat("\"p", i, "\":{}"); }) +
                    "},\"allOf\":[" + Listed(3000, [](int) { return "{\"unevaluatedProperties\":{}}"; }) + "]}",
                "too ");
}

TEST(HostileSchema, ManyObjectsOfManyParts) {
  ExpectRefused("{\"$defs\":{\"b\":{\"allOf\":[" + Listed(3000, [](int) { return "{\"minProperties\":0}"; }) +
                    "],\"properties\":{" + Listed(1000, [](int i) { return Cat("\"p", i, "\":{}"); }) +
                    "}}},\"type\":\"array\",\"prefixItems\":[" +
                    Listed(1000, [](int i) { return Cat("{\"title\":\"", i, "\",\"$ref\":\"#/$defs/b\"}"); }) + "]}",
                "too ");
}

TEST(HostileSchema, ManyPatternsBesideManyProperties) {
  ExpectRefused("{\"type\":\"object\",\"properties\":{" + Listed(1000, [](int i) { return Cat("\"p", i, "\":{}"); }) +
                    "},\"patternProperties\":{" + Listed(5000, [](int i) { return Cat("\"^x", i, "\":{}"); }) + "}}",
                "/patternProperties: more than 16");
  ExpectRefused("{\"enum\":[{" + Listed(1000, [](int i) { return Cat("\"p", i, "\":{}"); }) +
                    "}],\"patternProperties\":{" + Listed(5000, [](int i) { return Cat("\"^x", i, "\":{}"); }) + "}}",
                "/patternProperties: more than 16");
}

// All functions of a request share what one schema may cost.
TEST(HostileSchema, ManyFunctionsShareOneBudget) {
  artefact::ConstraintSpec spec{SpecKind::kCalls, "", {}};
  spec.calls.syntax.head = "<call>";
  spec.calls.syntax.middle = "\n";
  spec.calls.syntax.tail = "</call>";
  spec.calls.syntax.sign = "<call>";
  spec.calls.required = true;
  const std::string costly = "{\"type\":\"object\",\"properties\":{" +
                             Listed(1000, [](int i) { return Cat("\"p", i, "\":{}"); }) + "},\"allOf\":[" +
                             Listed(100, [](int) { return "{\"minProperties\":0}"; }) + "]}";
  spec.calls.functions.push_back({"f", costly});
  EXPECT_NO_THROW(Compile(spec, TestIndex()));
  for (int i = 0; i < 60; ++i) spec.calls.functions.push_back({Cat("f", i), costly});
  EXPECT_THROW(Compile(spec, TestIndex()), artefact::FunctionError);
}

}  // namespace
}  // namespace atelier::runtime
