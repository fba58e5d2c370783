#include "runtime/constraint/schema.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/str.h"
#include "runtime/constraint/test_vocabulary.h"

namespace atelier::runtime {
namespace {

struct Case {
  const char* schema;
  std::vector<const char*> valid, invalid;
};

TEST(SchemaTest, TakesWhatItShouldAndNothingElse) {
  const std::vector<Case> cases = {
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["b"]})",
       {R"({"a":1,"b":"x"})", R"({"b":"中"})", R"({"a": -3, "b": ""})"},
       {R"({"a":1})", R"({"b":"x","a":1})", R"({"b":"x","c":1})", R"({})", R"({"a":1.5,"b":""})", R"({"b":"x",})",
        R"({ "b":"x"})"}},
      {R"({"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":3})",
       {"[true]", "[true,false, true]"},
       {"[]", "[true,true,true,true]", "[1]", "[true,]", "[true"}},
      {R"({"prefixItems":[{"type":"null"},{"const":7}],"items":{"type":"string"}})",
       {"[]", "[null]", "[null,7]", R"([null,7,"x","y"])"},
       {"[7]", "[null,8]", "[null,7,7]"}},
      {R"({"prefixItems":[{"type":"null"},false]})", {"[]", "[null]"}, {"[null,1]"}},
      {R"({"enum":["红","绿",1,null,{"a":[1,2]}]})",
       {"\"红\"", "1", "null", R"({"a":[1,2]})"},
       {"\"蓝\"", "2", R"({"a":[1]})"}},
      {R"({"enum":["ab","abc","x",5],"type":"string","minLength":3})", {"\"abc\""}, {"\"ab\"", "\"x\"", "5"}},
      {R"({"type":"string","minLength":2,"maxLength":3})",
       {R"("ab")", R"("中文")", R"("😀😀")", R"("\ud83d\ude00\n")", R"("\u0041\\\"")"},
       {R"("a")", R"("abcd")", R"("😀")", R"("\ud83d\ude00")", R"("ab)", R"("\ud83dab")"}},
      {R"({"type":"string","pattern":"^[a-c]+$","maxLength":4})",
       {R"("abca")", R"("\u0061")"},
       {R"("")", R"("abcab")", R"("d")"}},
      {R"({"type":"string","pattern":"b\\d"})", {R"("ab1c")", R"("b0")"}, {R"("b")", R"("1b")"}},
      {R"({"allOf":[{"pattern":"a"},{"pattern":"b"}],"type":"string","maxLength":2})",
       {R"("ab")", R"("ba")"},
       {R"("aa")"}},
      {R"({"type":"string","format":"date"})",
       {R"("2024-02-28")", R"("0001-12-31")"},
       {R"("2023-02-29")", R"("2024-13-01")", R"("2024-04-31")"}},
      {R"({"type":"string","format":"time"})",
       {R"("23:59:59Z")", R"("00:00:00.5+08:00")"},
       {R"("24:00:00Z")", R"("12:00")"}},
      {R"({"type":"string","format":"email"})", {R"("a.b@x.org")"}, {R"("a@b")", R"("@x.org")"}},
      {R"({"type":"string","format":"ipv4"})", {R"("255.0.19.1")"}, {R"("256.0.0.1")", R"("01.1.1.1")"}},
      {R"({"type":"string","format":"uuid"})", {R"("123e4567-e89b-12d3-a456-426614174000")"}, {R"("123e4567")"}},
      {R"({"type":"string","format":"nobody-knows"})", {R"("anything")"}, {"1"}},
      {R"({"type":"integer","minimum":-3,"exclusiveMaximum":12})", {"-3", "0", "11"}, {"-4", "12", "1.0", "-0", "03"}},
      {R"({"type":"integer","multipleOf":7,"minimum":1})", {"7", "14", "700"}, {"0", "8", "-7"}},
      {R"({"type":"number","minimum":0.5,"maximum":2})",
       {"0.5", "1", "1.999", "2", "2.0"},
       {"0.49", "2.01", "1e0", "-1"}},
      {R"({"type":"number"})", {"1", "-0.5", "1.5e10", "1E-3"}, {"1.", ".5", "NaN", "01", "1e1000"}},
      {R"({"type":["integer","null"]})", {"1", "null"}, {"\"1\"", "true"}},
      {R"({"anyOf":[{"type":"integer"},{"type":"object","properties":{"x":{"type":"null"}}}]})",
       {"5", R"({"x":null})", "{}"},
       {R"({"x":5})", "null"}},
      {R"({"oneOf":[{"type":"string"},{"type":"integer"}]})", {"\"a\"", "1"}, {"1.5", "[]"}},
      {R"({"oneOf":[{"properties":{"k":{"const":"a"},"v":{"type":"integer"}},"required":["k"]},
                    {"properties":{"k":{"const":"b"},"v":{"type":"string"}},"required":["k"]}],"type":"object"})",
       {R"({"k":"a","v":1})", R"({"k":"b","v":"x"})", R"({"k":"b"})"},
       {R"({"k":"a","v":"x"})", R"({"v":1})", R"({"k":"c"})"}},
      {R"({"oneOf":[{"enum":[1,2]},{"enum":[3]}]})", {"1", "3"}, {"4"}},
      {R"({"type":"array","items":{"enum":["a","b","中",{"k":[1]},1,1.0,12]},"uniqueItems":true,"minItems":1,"maxItems":3})",
       {R"(["a"])", R"(["a", "中"])", R"([{"k":[1]},1,12])", "[12]"},
       {"[]", R"(["a","a"])", R"(["b","a"])", "[1,1.0]", R"(["a","b","中",1])", R"(["c"])", R"(["a")", R"(["a",])"}},
      {R"({"type":"array","items":{"type":["boolean","null"]},"uniqueItems":true})",
       {"[]", "[false,true,null]", "[null]"},
       {"[true,true]", "[1]"}},
      {R"({"type":"object","properties":{"card":{"type":"integer"},"address":{"const":"here"}},"dependentRequired":{"card":["address"]}})",
       {"{}", R"({"card":1,"address":"here"})", R"({"address":"here"})"},
       {R"({"card":1})", R"({"card":1,"address":5})"}},
      {R"({"type":"object","properties":{"kind":{"enum":["a","b"]},"n":{"type":"integer"}},"dependentSchemas":{"kind":{"properties":{"n":{"minimum":5}},"required":["n"]}}})",
       {"{}", R"({"n":1})", R"({"kind":"a","n":5})"},
       {R"({"kind":"a"})", R"({"kind":"a","n":4})"}},
      {R"({"$defs":{"t":{"type":"object","properties":{"a":{"$ref":"#/$defs/t"},"b":{"type":"null"}},"dependentSchemas":{"a":{"required":["b"]}}}},"$ref":"#/$defs/t"})",
       {"{}", R"({"a":{"a":{},"b":null},"b":null})"},
       {R"({"a":{}})", R"({"a":{"a":{}},"b":null})"}},
      {R"({"enum":[{"a":1},{"a":1,"b":2},{"c":1}],"dependentRequired":{"a":["b"]}})",
       {R"({"a":1,"b":2})", R"({"c":1})"},
       {R"({"a":1})"}},
      {R"({"enum":[[1],[2,5],[5,6,7]],"contains":{"minimum":5},"maxContains":2})", {"[2,5]"}, {"[1]", "[5,6,7]"}},
      {R"({"type":"array","items":{"type":"integer"},"contains":{"minimum":5},"minContains":2,"maxItems":3})",
       {"[5,6]", "[5,7, 1]"},
       {"[]", "[5]", "[5,1]", "[1,5,6]", "[5,6,7,8]", "[5,6,\"a\"]"}},
      {R"({"contains":{"type":"null"},"minContains":0,"items":{"type":"null"}})", {"[]", "[null]"}, {"[1]"}},
      {R"({"type":"number","multipleOf":0.01,"minimum":-1.5,"maximum":20})", {"-1", "0", "20"}, {"-2", "21", "1.25"}},
      {R"({"type":"string","not":{"enum":["ab","中"]},"maxLength":2})",
       {R"("a")", R"("中中")"},
       {R"("ab")", R"("\u4e2d")"}},
      {R"({"type":"string","not":{"pattern":"^a"},"minLength":1})",
       {R"("ba")", R"("😀")"},
       {R"("ab")", R"("\u0061")", R"("")"}},
      {R"({"not":{"type":["string","null"]}})", {"1", "1.5", "[]", "{}", "true"}, {"null", R"("a")"}},
      {R"({"type":"integer","not":{"enum":[3,5]},"minimum":2,"maximum":6})", {"2", "4", "6"}, {"3", "5", "7"}},
      {R"({"type":["boolean","null"],"not":{"const":true}})", {"false", "null"}, {"true"}},
      {R"({"type":"number","not":{"minimum":2,"maximum":3}})", {"1.9", "3.1"}, {"2", "2.5", "3"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"not":{"required":["a","b"]}})",
       {"{}", R"({"a":1})", R"({"b":1})"},
       {R"({"a":1,"b":2})"}},
      {R"({"type":"object","properties":{"a":{"type":"integer"}},"not":{"properties":{"a":{"minimum":5}}}})",
       {R"({"a":4})"},
       {"{}", R"({"a":5})"}},
      {R"({"enum":[1,2,"x",[1]],"not":{"anyOf":[{"const":1},{"type":"string"}]}})", {"2", "[1]"}, {"1", R"("x")"}},
      {R"({"not":{"not":{"type":"null"}}})", {"null"}, {"1"}},
      {R"({"type":"object","properties":{"kind":{"enum":["card","cash"]},"number":{"type":"integer"}},"required":["kind"],
           "if":{"properties":{"kind":{"const":"card"}},"required":["kind"]},"then":{"required":["number"]},"else":{"properties":{"number":false}}})",
       {R"({"kind":"card","number":1})", R"({"kind":"cash"})"},
       {R"({"kind":"card"})", R"({"kind":"cash","number":1})"}},
      {R"({"if":{"type":"integer","minimum":5},"then":{"maximum":9},"type":"integer"})", {"3", "5", "9"}, {"10"}},
      {R"({"enum":[1,7,12,"a"],"if":{"type":"number"},"then":{"maximum":9},"else":{"maxLength":0}})",
       {"1", "7"},
       {"12", R"("a")"}},
      {R"({"oneOf":[{"properties":{"a":{"const":1}}},{"properties":{"a":{"const":2}}}],"type":"object"})",
       {R"({"a":1})", R"({"a":2})"},
       {"{}", R"({"a":3})"}},
      {R"({"oneOf":[{"maximum":5},{"minimum":3}],"type":"integer"})", {"2", "6"}, {"3", "5"}},
      {R"({"oneOf":[{"required":["a"]},{"required":["b"]}],"type":"object","properties":{"a":{"const":1},"b":{"const":1}}})",
       {R"({"a":1})", R"({"b":1})"},
       {"{}", R"({"a":1,"b":1})"}},
      {R"({"type":"object","not":{"required":["b"]},"properties":{"a":{"const":1}},"unevaluatedProperties":false})",
       {"{}", R"({"a":1})"},
       {R"({"b":1})", R"({"c":1})"}},
      {R"({"type":"object","not":{"not":{"properties":{"a":{"const":1}}}},"unevaluatedProperties":false})",
       {"{}"},
       {R"({"a":1})"}},
      {R"({"contains":false})", {"1", "\"a\"", "{}", "null"}, {"[]", "[1]"}},
      {R"({"properties":{"a":false},"required":["a"]})", {"1", "[{}]"}, {"{}", R"({"a":1})"}},
      {R"({"oneOf":[{"maximum":3},{"exclusiveMinimum":3}],"type":"integer"})", {"3", "4"}, {"\"a\""}},
      {R"({"allOf":[{"properties":{"a":{"type":"integer"}}},{"properties":{"a":{"minimum":5},"b":true},"required":["a"]}],"type":"object"})",
       {R"({"a":5})", R"({"a":6,"b":[{}]})"},
       {R"({"a":4})", R"({"b":1})"}},
      {R"({"$defs":{"t":{"type":"object","properties":{"v":{"type":"integer"},"kids":{"type":"array","items":{"$ref":"#/$defs/t"}}},"required":["v"]}},"$ref":"#/$defs/t"})",
       {R"({"v":1})", R"({"v":1,"kids":[{"v":2,"kids":[]},{"v":3}]})"},
       {R"({"kids":[]})", R"({"v":1,"kids":[{}]})"}},
      {R"({"$ref":"#here","$defs":{"x":{"$anchor":"here","type":"null"}}})", {"null"}, {"1"}},
      {R"({"$ref":"#/$defs/a~1b%25","$defs":{"a/b%":{"type":"null"}}})", {"null"}, {"1"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"},"maxProperties":2})",
       {"{}", R"({"x":1})", R"({"x":1, "中":2})"},
       {R"({"x":1,"x":2})", R"({"x":1,"\u0078":2})", R"({"x":"a"})", R"({"a":1,"b":2,"c":3})"}},
      {R"({"type":"object","properties":{"id":{"type":"integer"}},"additionalProperties":{"type":"string"},"required":["id"]})",
       {R"({"id":1})", R"({"id":1,"ix":"a"})", R"({"id":1,"i":"a","idd":"b"})"},
       {R"({"id":1,"id":"x"})", R"({"id":1,"\u0069d":"x"})", R"({"ix":"a","id":1})"}},
      {R"({"type":"object","patternProperties":{"^x-[ab]$":{"type":"integer"},"^n":{"type":"null"}},"additionalProperties":false})",
       {"{}", R"({"x-a":1,"x-b":2})", R"({"x-b":1,"nn":null})"},
       {R"({"x-c":1})", R"({"x-a":1,"x-a":2})", R"({"x-a":null})", R"({"y":1})"}},
      {R"({"type":"object","properties":{"a":true,"b":true,"c":true},"minProperties":2,"maxProperties":2})",
       {R"({"a":1,"b":1})", R"({"b":1,"c":{"d":[]}})"},
       {R"({"a":1})", R"({"c":1})", R"({"a":1,"b":1,"c":1})"}},
      {R"({"type":"object","patternProperties":{"":{"type":"null"}},"additionalProperties":{"type":"integer"}})",
       {"{}", R"({"a":null})"},
       {R"({"a":1})"}},
      {R"({"type":"object","propertyNames":{"pattern":"^[a-z]+$","maxLength":3},"additionalProperties":{"type":"null"}})",
       {"{}", R"({"abc":null,"b":null})"},
       {R"({"abcd":null})", R"({"A":null})", R"({"a":null,"a":null})"}},
      {R"({"type":"object","propertyNames":{"enum":["红","b"]},"minProperties":1,"additionalProperties":{"type":"integer"}})",
       {R"({"红":1})", R"({"红":1,"b":2})"},
       {"{}", R"({"c":1})", R"({"b":"x"})"}},
      {R"({"allOf":[{"properties":{"a":{"type":"null"}}}],"properties":{"b":true},"required":["b"],"unevaluatedProperties":false})",
       {R"({"b":1,"a":null})", R"({"b":1})"},
       {R"({"a":null})", R"({"b":1,"c":1})"}},
      {R"({"allOf":[{"prefixItems":[{"type":"null"}]}],"unevaluatedItems":{"type":"integer"}})",
       {"[]", "[null]", "[null,5,6]"},
       {"[5]", "[null,null]"}},
      {R"({"type":"object","required":["q"]})", {R"({"q":{"any":"thing"}})"}, {"{}"}},
      {R"({"minLength":2})", {"\"ab\""}, {"\"a\"", "1"}},  // who says minLength means texts
      {"true", {"1", "{\"a\":[null]}"}, {"", "{"}},
      {R"({"title":"t","description":"d","default":1,"examples":[1],"$comment":"c","deprecated":true,"x-own":{"not":{}},"type":"null"})",
       {"null"},
       {"1"}},
      {R"({"if":{"type":"null"},"type":"integer"})", {"1"}, {"null"}},
      {R"({"not":false,"unevaluatedProperties":true,"uniqueItems":false,"type":"null"})", {"null"}, {"1"}},
      // A list of all types takes no other keyword's word back.
      {R"({"type":["object","array","string","number","boolean","null"],"required":["a"],"properties":{"a":{"type":"integer"}}})",
       {R"({"a":1})", "5", "null"},
       {"{}", R"({"a":"x"})"}},
      {R"({"minLength":3,"not":{"enum":[]}})", {R"("abc")", R"("中文字")"}, {R"("a")", R"("😀😀")"}},
      {R"({"enum":["a@b.org"],"format":"email"})", {R"("a@b.org")"}, {R"("b@b.org")"}},
      // Anchors are those of this document's own schemas.
      {R"({"$defs":{"a":{"$id":"http://o","$defs":{"b":{"$anchor":"x"}}},"c":{"$anchor":"x","type":"integer"}},"$ref":"#x"})",
       {"1"},
       {"null", "{}"}},
      {R"({"type":"object","properties":{"const":{"$anchor":"y","type":"null"},"b":{"$ref":"#y"}},"default":{"$anchor":"y"}})",
       {R"({"b":null})"},
       {R"({"b":1})"}},
      {R"({"$defs":{"a":{"properties":{"x":{"const":1}}}},"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a","unevaluatedProperties":false}],"type":"object"})",
       {"{}", R"({"x":1})"},
       {R"({"y":1})", R"({"x":2})"}},
  };
  for (const Case& c : cases) {
    std::shared_ptr<const Constraint> constraint;
    ASSERT_NO_THROW(constraint = CompileForTest(SpecKind::kJsonSchema, c.schema)) << c.schema;
    for (const char* text : c.valid) EXPECT_TRUE(Satisfies(constraint, text)) << text << " under " << c.schema;
    for (const char* text : c.invalid) EXPECT_FALSE(Satisfies(constraint, text)) << text << " under " << c.schema;
  }
}

TEST(SchemaTest, RefusesByPointer) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"type":"array","not":{"items":{"type":"null"}}})", "/not/items"},
      {R"({"not":{"type":"string","format":"date"}})", "/not/format"},
      {R"({"type":"number","not":{"type":"integer"}})", "/not/type"},
      {R"({"type":"object","not":{"const":{"a":1}}})", "/not/const"},
      {R"({"if":{"uniqueItems":true},"then":{"type":"null"}})", "/if/uniqueItems"},
      {R"({"not":{}})", "/not"},
      {R"({"not":{"$ref":"#"}})", "itself"},
      {R"({"oneOf":[{"type":"array","items":{"type":"null"}},{"type":"array","items":{"type":"string"}}]})", "/oneOf"},
      {R"({"type":"array","uniqueItems":true})", "/uniqueItems"},
      {R"({"type":"array","items":{"enum":[1,2]},"contains":{"const":1},"uniqueItems":true})", "/uniqueItems"},
      {R"({"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":2})", "/uniqueItems"},
      {R"({"type":"array","contains":{"type":"null"},"maxContains":2})", "/maxContains"},
      {R"({"type":"array","contains":{"type":"null"},"prefixItems":[{"type":"string"}]})", "/contains"},
      {R"({"type":"array","contains":{"type":"null"},"minContains":3,"maxItems":2})", "/contains"},
      {R"({"dependencies":{"a":["b"]}})", "/dependencies"},
      {R"({"items":[{"type":"null"}]})", "/items"},
      {R"({"type":"number","multipleOf":0.3})", "/multipleOf"},
      {R"({"type":"number","multipleOf":0.01,"minimum":0.2,"maximum":0.8})", "/multipleOf"},
      {R"({"type":"integer","multipleOf":123456})", "/multipleOf"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "/oneOf"},
      {R"({"$ref":"http://example.com/other.json"})", "/$ref"},
      {R"({"$dynamicRef":"#x"})", "/$dynamicRef"},
      {R"x({"properties":{"a/b":{"pattern":"a(?=b)","type":"string"}}})x", "/properties/a~1b/pattern"},
      {R"({"type":"string","minLength":20000})", "/minLength"},
      {R"({"properties":{"x":{"$id":"http://e.org/x"}}})", "/properties/x/$id"},
      {R"({"enum":[123456789012345678901234567890]})", "/enum"},
      // Python and ECMA disagree about U+FEFF: nobody can say whether it matches.
      {R"({"enum":["\ufeff"],"not":{"pattern":"\\s"}})", "/not/pattern"},
      {R"({"properties":{"\ufeff":true},"patternProperties":{"\\s":{"type":"null"}}})", "/patternProperties/\\s"},
      {R"({"enum":[{"a":1}],"properties":{"a":{"$id":"http://x","$defs":{"s":{"type":"string"}},"$ref":"#/$defs/s"}},"$defs":{"s":{"type":"integer"}}})",
       "/properties/a/$id"},
      {R"({"const":"nope","format":"email"})", "/format"},
      {R"({"$ref":"#"})", "itself"},
      {R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})", "itself"},
      {R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"})", "itself"},
      // Nothing satisfies these.
      {"false", "/"},
      {R"({"type":"object","properties":{"a":false},"required":["a"]})", "/properties/a"},
      {R"({"type":"object","properties":{"a":{"type":"string","minLength":3,"maxLength":2}},"required":["a"]})",
       "/properties/a/minLength"},
      {R"({"type":"integer","minimum":5,"maximum":4})", "/maximum"},
      {R"({"type":"integer","exclusiveMinimum":1,"exclusiveMaximum":2})", "/exclusiveMaximum"},
      {R"({"allOf":[{"type":"null"},{"type":"string"}]})", "/type"},
      {R"({"type":"string","pattern":"^a$","minLength":2})", "/pattern"},
      {R"({"enum":[]})", "/enum"},
      {R"({"enum":[1,2],"type":"string"})", "/enum"},
      {R"({"const":1,"minimum":2})", "/const"},
      {R"({"type":"array","minItems":2,"maxItems":1})", "/minItems"},
      {R"({"type":"array","items":false,"minItems":1})", "/items"},
      {R"({"type":"object","properties":{"n":{"$ref":"#"}},"required":["n"]})", "deeper"},
      {R"({"type":"object","additionalProperties":false,"required":["a"]})", "/additionalProperties"},
      {R"({"type":"object","unevaluatedProperties":false,"required":["a"]})", "/unevaluatedProperties"},
      {R"({"type":"object","propertyNames":{"maxLength":1},"properties":{"ab":true},"required":["ab"]})",
       "/propertyNames"},
      {R"({"type":"object","maxProperties":0,"minProperties":1})", "/minProperties"},
  };
  for (const auto& [schema, where] : cases) {
    try {
      CompileForTest(SpecKind::kJsonSchema, schema);
      ADD_FAILURE() << schema << " is taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnsupported) << schema << ": " << error.what();
      EXPECT_NE(std::string(error.what()).find(where), std::string::npos) << schema << ": " << error.what();
    }
  }
  for (const char* schema :
       {R"({"type":"strin"})", R"({"minLength":-1})", R"({"minLength":1.5})", R"({"required":"a"})",
        R"({"properties":[]})", R"({"anyOf":[]})", "5", "{", R"x({"pattern":"("})x", R"({"$ref":"#/nowhere"})",
        R"({"multipleOf":0})", R"({"items":5})", R"({"dependentRequired":{"a":"b"}})", R"({"dependentSchemas":[]})",
        R"({"dependentSchemas":{"a":5}})", R"({"contains":{},"minContains":-1})"}) {
    try {
      CompileForTest(SpecKind::kJsonSchema, schema);
      ADD_FAILURE() << schema << " is taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput) << schema << ": " << error.what();
    }
  }
}

TEST(SchemaTest, SaysThatBranchesOverlapOnlyWhereTheyDo) {
  const auto refusal = [](const std::string& schema) -> std::string {
    try {
      CompileForTest(SpecKind::kJsonSchema, schema);
      return "";
    } catch (const Error& error) {
      return error.Line();
    }
  };
  EXPECT_NE(
      refusal(R"({"oneOf":[{"type":"integer","multipleOf":3},{"type":"integer","multipleOf":5}]})").find("use anyOf"),
      std::string::npos);
  // What is wrong is not that both could hold.
  const std::string dynamic = refusal(R"({"oneOf":[{"minLength":2},{"$dynamicRef":"#x"}]})");
  EXPECT_NE(dynamic.find("/oneOf/1/$dynamicRef"), std::string::npos) << dynamic;
  EXPECT_EQ(dynamic.find("use anyOf"), std::string::npos) << dynamic;
}

TEST(SchemaTest, HostileSchemasEndQuickly) {
  const double started = MonotonicSeconds();
  const auto compile = [](const std::string& schema) {
    try {
      CompileForTest(SpecKind::kJsonSchema, schema);
    } catch (const Error&) {
      return false;
    }
    return true;
  };
  std::string nested, open, props, loops, wide, choices;
  for (int i = 0; i < 3000; ++i) open += "{\"items\":";
  EXPECT_FALSE(compile(open + "{}" + std::string(3000, '}')));
  for (int i = 0; i < 150; ++i) nested += "{\"type\":\"array\",\"minItems\":1,\"items\":";
  EXPECT_FALSE(compile(nested + "{}" + std::string(150, '}')));
  for (int i = 0; i < 100000; ++i) props += Cat(i == 0 ? "" : ",", "\"p", i, "\":{}");
  EXPECT_FALSE(compile("{\"properties\":{" + props + "}}"));
  for (int i = 0; i < 2000; ++i) loops += Cat("\"d", i, "\":{\"$ref\":\"#/$defs/d", (i + 1) % 2000, "\"},");
  EXPECT_FALSE(compile("{\"$defs\":{" + loops + "\"z\":{}},\"$ref\":\"#/$defs/d0\"}"));
  for (int i = 0; i < 20; ++i) choices += Cat(i == 0 ? "" : ",", R"({"anyOf":[{"minLength":1},{"maxLength":9}]})");
  EXPECT_FALSE(compile("{\"type\":\"string\",\"allOf\":[" + choices + "]}"));
  for (int i = 0; i < 30000; ++i) wide += Cat(i == 0 ? "" : ",", "\"value ", i, "\"");
  EXPECT_TRUE(compile("{\"enum\":[" + wide + "]}"));
  EXPECT_FALSE(compile("{\"pattern\":\"" + std::string(60000, '(') + "\"}"));
  EXPECT_FALSE(compile(R"({"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"})"));
  EXPECT_TRUE(compile(R"({"type":"array","minItems":2147483647,"items":{"type":"null"}})"));
  EXPECT_FALSE(compile("{\"enum\":[\"" + std::string(2 << 20, 'x') + "\"]}"));
  std::string heavy, oneof;
  for (int i = 0; i < 1000; ++i) {
    heavy +=
        Cat(i == 0 ? "" : ",", "\"h", i, "\":{\"type\":\"string\",\"pattern\":\"^.*a.{", 8 + i % 3, "}[x", i, "]+$\"}");
    oneof += Cat(i == 0 ? "" : ",", "{\"type\":\"string\",\"pattern\":\"^", i, "[a-z]{1,200}$\"}");
  }
  EXPECT_FALSE(compile("{\"properties\":{" + heavy + "}}"));
  EXPECT_FALSE(compile("{\"oneOf\":[" + oneof + "]}"));
  // Complements of complements.
  std::string deep = R"({"type":"null"})", many = deep, ifs;
  for (int i = 0; i < 190; ++i) deep = "{\"not\":" + deep + "}";
  EXPECT_TRUE(compile(deep));
  for (int i = 0; i < 5; ++i) many = "{\"not\":{\"anyOf\":[" + many + "," + many + "," + many + "," + many + "]}}";
  compile(many);
  for (int i = 0; i < 5; ++i) many = "{\"oneOf\":[" + many + "," + many + "]}";
  compile(many);
  for (int i = 0; i < 60; ++i) {
    ifs += Cat(i == 0 ? "" : ",", "{\"if\":{\"minLength\":", i, "},\"then\":{\"maxLength\":", i + 9, "}}");
  }
  EXPECT_FALSE(compile("{\"allOf\":[" + ifs + "]}"));
  EXPECT_LT(MonotonicSeconds() - started, 120);  // only a hang is a failure
}

TEST(SchemaTest, RecursionStopsInTime) {
  // A list without end may nest; the text must come to an end before the limit of depth.
  const auto constraint = CompileForTest(
      SpecKind::kJsonSchema,
      R"({"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"]})");
  Matcher matcher(constraint);
  std::string text;
  int depth = 0;
  while (matcher.AcceptText("{\"next\":")) ++depth;
  EXPECT_EQ(depth, 64);
  EXPECT_TRUE(matcher.AcceptText("null" + std::string(64, '}')));
  EXPECT_TRUE(matcher.Complete());
}

}  // namespace
}  // namespace atelier::runtime
