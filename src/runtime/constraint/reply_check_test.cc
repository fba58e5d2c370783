#include "runtime/constraint/reply_check.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace atelier::runtime {
namespace {

using Kind = artefact::ConstraintSpec::Kind;

TEST(ReplyCheckTest, SaysHowFarATextGoes) {
  ReplyCheck check(
      {Kind::kJsonSchema, R"({"type":"object","properties":{"名":{"maxLength":2}},"required":["名"]})", {}});
  const auto far = [&](std::string_view text) { return std::pair(check.Of(text).possible, check.Of(text).bytes); };
  EXPECT_EQ(far(R"({"名":"😀中"})"), std::pair(true, size_t{17}));
  EXPECT_EQ(far(R"({"名": "\ud83d\ude00"})"), std::pair(true, size_t{23}));
  EXPECT_EQ(far(R"({"名":"😀中)"), std::pair(false, size_t{15}));     // could go on
  EXPECT_EQ(far(R"({"名":"😀中x"})"), std::pair(false, size_t{15}));  // the third character
  EXPECT_EQ(far("{\"\xE5\x90\"}"), std::pair(false, size_t{4}));     // no UTF-8
  EXPECT_EQ(far(R"({"名":"a"} )"), std::pair(false, size_t{11}));
  EXPECT_EQ(far(""), std::pair(false, size_t{0}));
  EXPECT_THROW(ReplyCheck({Kind::kJsonSchema, R"({"not":{}})", {}}), Error);
}

TEST(ReplyCheckTest, EveryConstraintCanBeAsked) {
  EXPECT_TRUE(ReplyCheck({Kind::kJsonObject, "", {}}).Of(R"({"a":[1]})").possible);
  EXPECT_FALSE(ReplyCheck({Kind::kJsonObject, "", {}}).Of("[1]").possible);
  EXPECT_TRUE(ReplyCheck({Kind::kRegex, "中+", {}}).Of("中中").possible);
  EXPECT_FALSE(ReplyCheck({Kind::kRegex, "中+", {}}).Of("中a").possible);
  EXPECT_TRUE(ReplyCheck({Kind::kChoice, "", {"yes", "ye"}}).Of("ye").possible);
  EXPECT_FALSE(ReplyCheck({Kind::kChoice, "", {"yes", "ye"}}).Of("y").possible);
}

// Thousands of different texts: what is known of positions starts anew, and answers stay the same.
TEST(ReplyCheckTest, ManyTexts) {
  ReplyCheck check({Kind::kJsonObject, "", {}});
  for (int i = 0; i < 20000; ++i) {
    const std::string name = "name" + std::to_string(i * 7919);
    ASSERT_TRUE(check.Of("{\"" + name + "\":1}").possible);
    ASSERT_FALSE(check.Of("{\"" + name + "\":1,\"" + name + "\":2}").possible);
  }
}

}  // namespace
}  // namespace atelier::runtime
