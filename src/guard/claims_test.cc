#include "guard/claims.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace atelier::guard {
namespace {

Claims Make(std::string_view text) { return Claims::Read(Table::Parse(text, "claims.toml")); }

std::string MessageOf(std::string_view text) {
  try {
    Make(text);
  } catch (const Error& e) {
    return e.Line();
  }
  return "";
}

std::vector<std::string> Texts(const Claims& claims, std::string_view text, std::vector<std::string> allowed = {}) {
  std::vector<std::string> out;
  for (const ClaimHit& hit : claims.Find(text, allowed)) out.push_back(hit.text);
  return out;
}

using List = std::vector<std::string>;

TEST(Claims, ChineseWordsAreFoundAnywhereButInTheirExceptions) {
  const Claims claims = Make(
      "[[claim]]\nwords = ['最']\nreason = '绝对化用语'\nlaw = '广告法第九条'\nunless = ['最近', '最后']\n"
      "[[claim]]\nwords = ['第一', '全国第一']\nreason = '排名'\n");
  EXPECT_EQ(Texts(claims, "最近最好喝的茶，最后一盒"), List{"最"});
  EXPECT_EQ(Texts(claims, "全国第一，第一口"), (List{"全国第一", "第一"}));
  EXPECT_EQ(Texts(claims, "干净的句子。"), List{});
  EXPECT_EQ(claims.Find("最香")[0].reason, "绝对化用语");
  EXPECT_EQ(claims.Find("最香")[0].law, "广告法第九条");
}

TEST(Claims, EnglishWordsAreWholeAndFoldCase) {
  const Claims claims =
      Make("[[claim]]\nwords = ['best', 'No. 1', '100%']\nreason = 'superlative'\nunless = ['best before']\n");
  EXPECT_EQ(Texts(claims, "The BEST tea, bestowed; best before May"), List{"BEST"});
  EXPECT_EQ(Texts(claims, "no. 1 and No. 10"), List{"no. 1"});
  EXPECT_EQ(Texts(claims, "100% yours"), List{"100%"});
}

TEST(Claims, PatternsAreLinearTimeRegularExpressions) {
  const Claims claims = Make("[[claim]]\npattern = '(全国|全球)销量第?[一1]'\nreason = '排名'\n");
  EXPECT_EQ(Texts(claims, "全球销量第1"), List{"全球销量第1"});
  const Claims hard = Make("[[claim]]\npattern = '(a*)*b'\nreason = 'x'\n");
  EXPECT_EQ(Texts(hard, std::string(200000, 'a')), List{});  // a backtracking engine would not come back
}

TEST(Claims, TheProductsOwnNameMayHoldTheWord) {
  const Claims claims = Make("[[claim]]\nwords = ['first']\nreason = 'rank'\n");
  EXPECT_EQ(Texts(claims, "First Light lamp is first", {"First Light"}), List{"first"});
}

TEST(Claims, BadFilesAreOneClearLine) {
  EXPECT_NE(MessageOf("[[claim]]\nwords=['a']\n").find("'reason' is missing"), std::string::npos);
  EXPECT_NE(MessageOf("[[claim]]\nreason='a'\n").find("needs words"), std::string::npos);
  EXPECT_NE(MessageOf("[[claim]]\nwords=['']\nreason='a'\n").find("empty word"), std::string::npos);
  EXPECT_NE(MessageOf("[[claim]]\npattern='('\nreason='a'\n").find("is not a pattern"), std::string::npos);
  EXPECT_NE(MessageOf("[[claim]]\npattern='a*'\nreason='a'\n").find("matches the empty text"), std::string::npos);
  EXPECT_NE(MessageOf("[[claim]]\nword=['a']\nreason='a'\n").find("claims.toml"), std::string::npos);
  EXPECT_NE(MessageOf("[[claim]]\nwords=['a']\nreason='a'\nunles=['b']\n").find("did you mean 'unless'?"),
            std::string::npos);
}

}  // namespace
}  // namespace atelier::guard
