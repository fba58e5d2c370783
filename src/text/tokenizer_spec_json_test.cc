#include "text/tokenizer_spec_json.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"

namespace atelier::text {
namespace {

TokenizerSpec Pieces() {
  TokenizerSpec spec;
  spec.model = "t5";
  spec.pre = "default";
  spec.tokens = {"<s>", "<pad>", "</s>", "<unk>", "▁", "好", "\"\\🙂", "<mask>"};
  spec.scores = {0, 0, 0, 0, -1.5f, -2.0625f, -3.1415927f, 0};
  spec.types = {3, 3, 3, 2, 1, 1, 1, 3};
  spec.bos = 0;
  spec.padding = 1;
  spec.eos = 2;
  spec.unknown = 3;
  spec.end_of_generation = {2};
  spec.add_bos = spec.add_eos = true;
  spec.charsmap = std::string("\0\x01\xff\x7f", 4);
  return spec;
}

TEST(TokenizerSpecJson, ComesBackAsItWas) {
  const TokenizerSpec spec = Pieces();
  const std::string json = ToSpecJson(spec);
  EXPECT_TRUE(IsSpecJson(json));
  EXPECT_FALSE(IsSpecJson("{\"version\":\"1.0\"}"));
  const TokenizerSpec back = ParseSpecJson(json, "f");
  EXPECT_EQ(back.tokens, spec.tokens);
  EXPECT_EQ(back.scores, spec.scores);
  EXPECT_EQ(back.types, spec.types);
  EXPECT_EQ(back.charsmap, spec.charsmap);
  EXPECT_EQ(back.end_of_generation, spec.end_of_generation);
  EXPECT_EQ(back.bos, 0);
  EXPECT_EQ(back.eos, 2);
  EXPECT_EQ(back.unknown, 3);
  EXPECT_EQ(back.padding, 1);
  EXPECT_EQ(ToSpecJson(back), json);
}

TEST(TokenizerSpecJson, RefusesWhatLies) {
  const std::string json = ToSpecJson(Pieces());
  const auto refuses = [&](std::string_view from, std::string_view to) {
    const std::string changed = ReplaceAll(json, from, to);
    EXPECT_NE(changed, json) << from;
    EXPECT_THROW(ParseSpecJson(changed, "f"), Error) << to;
  };
  refuses("\"eos\":2", "\"eos\":8");
  refuses("\"eos\":2", "\"eos\":-2");
  refuses("\"eos\":2", "\"eos\":\"</s>\"");
  refuses("\"0001ff7f\"", "\"0001ff7\"");
  refuses("\"0001ff7f\"", "\"0001FF7f\"");
  refuses("\"types\":[3,", "\"types\":[");
  refuses("\"model\":\"t5\",", "");
  EXPECT_THROW(ParseSpecJson("[]", "f"), Error);
  EXPECT_THROW(ParseSpecJson(json.substr(0, 40), "f"), Error);
  TokenizerSpec broken = Pieces();
  broken.tokens[5] = "\xff";
  EXPECT_THROW(ToSpecJson(broken), Error);
}

}  // namespace
}  // namespace atelier::text
