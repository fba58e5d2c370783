#include "base/json.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"

namespace atelier {
namespace {

std::string Refusal(const std::string& text) {
  try {
    ParseJson(text, "x");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    return error.what();
  }
  return "";
}

std::string Repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string ObjectOf(int keys) {
  std::string out = "{";
  for (int i = 0; i < keys; ++i) out += Cat(i > 0 ? "," : "", "\"", i, "\":0");
  return out + "}";
}

TEST(JsonTest, KeepsTheOrderAndTheText) {
  const std::string text = R"({"z":1,"茶":"a\"b{[:\\","a":[{"😀":null},[],{},-0.5]})";
  EXPECT_EQ(ToText(ParseJson(text, "x")), text);
}

TEST(JsonTest, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "]", "}{", "[1,]", "{\"a\"}", "\"", "\"\\", "nul", "[1]x", "{\"a\":1:2}", "\xff"})
    EXPECT_NE(Refusal(text), "") << text;
  EXPECT_EQ(Refusal("[1,\n2,,3]"), "x: not JSON at line 2, byte 7");
}

TEST(JsonTest, CountsLevelsAndKeysOutsideOfTexts) {
  EXPECT_EQ(Refusal(Repeat("[", 200) + Repeat("]", 200)), "");
  EXPECT_EQ(Refusal(Repeat("[", 201) + Repeat("]", 201)), "x: JSON nested beyond 200 levels");
  EXPECT_EQ(Refusal(Repeat("{\"a\":", 100000)), "x: JSON nested beyond 200 levels");
  EXPECT_EQ(Refusal(Cat("[\"", Repeat("[{", 500), "\\\"", Repeat(":", 30000), "\"]")), "");
  EXPECT_EQ(Refusal(ObjectOf(20000)), "");
  EXPECT_EQ(Refusal(ObjectOf(20001)), "x: a JSON object with more than 20000 keys");
}

// A request may hold millions of objects; were each held against those before it, this would take hours.
TEST(JsonTest, TakesTimeInProportionToTheText) {
  EXPECT_EQ(ParseJson(Cat("[", Repeat("{},", 1000000), "0]"), "x").size(), 1000001u);
  const std::string large = ObjectOf(20000);
  EXPECT_EQ(Refusal(Cat("[", Repeat(large + ",", 40), "0]")), "x: too many JSON objects with very many keys");
  EXPECT_EQ(Refusal(Cat("[", Repeat(ObjectOf(100) + ",", 3000), "0]")), "");
  // Keys of one length and one beginning are held against each other to the last byte.
  const auto alike = [](int keys) {
    std::string out = "{";
    for (int i = 0; i < keys; ++i) out += Cat(i > 0 ? "," : "", "\"", std::string(390, 'k'), 10000 + i, "\":0");
    return out + "}";
  };
  EXPECT_EQ(Refusal(alike(19999)), "x: too many JSON objects with very many keys");
  EXPECT_EQ(Refusal(alike(2000)), "");
}

}  // namespace
}  // namespace atelier
