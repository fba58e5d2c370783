// The Chinese grammar of the recipe ad_copy on the sheets beside it: nothing dead, nothing made up, enough to choose
// from.
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <set>

#include "base/file.h"
#include "base/str.h"
#include "operators/compose.h"
#include "operators/compose_language.h"

namespace atelier::operators {
namespace {

const std::string kFolder = std::string(ATELIER_SOURCE_DIR) + "/recipes/ad_copy/";

const Grammar& Shipped() {
  static const Grammar grammar = Grammar::Load(kFolder + "grammar/zh.toml");
  return grammar;
}

std::vector<Json> Rows() {
  std::vector<Json> rows;
  for (const std::string& line : Split(ReadFile(kFolder + "tests/rows_zh.jsonl"), '\n')) {
    if (!line.empty()) rows.push_back(ParseJson(line, "rows_zh.jsonl"));
  }
  return rows;
}

std::string ClassOf(const std::string& feature) { return Shipped().ClassName(Shipped().ClassOf(feature)); }

TEST(ChineseGrammar, HasNoDeadPattern) {
  std::set<std::string> alive;
  for (const Json& row : Rows()) {
    Facts facts = ReadFacts(row, Shipped());
    Rng rng(1);
    for (Part part : {Part::kHeadline, Part::kBody}) {
      for (const Expansion& expansion : Expand(Shipped(), facts, part, rng)) alive.insert(expansion.pattern->id);
    }
  }
  int headlines = 0, bodies = 0;
  for (const struct Pattern& pattern : Shipped().patterns()) {
    EXPECT_TRUE(alive.contains(pattern.id)) << pattern.id << " at " << pattern.where << " is brought out by no row";
    (pattern.part == Part::kHeadline ? headlines : bodies) += 1;
  }
  EXPECT_GE(headlines, 90);
  EXPECT_GE(bodies, 90);
}

TEST(ChineseGrammar, GivesEveryFullSheetTwoHundredCandidates) {
  for (const Json& row : Rows()) {
    if (row["features"].size() < 3) continue;
    Rng rng(2);
    ComposeOptions options;
    options.count = 200;
    EXPECT_EQ(Compose(Shipped(), row, options, rng).candidates.size(), 200u) << row["name"];
  }
}

TEST(ChineseGrammar, SaysNoDigitOrLetterThatIsNotOnTheSheet) {
  const RE2 run("([0-9A-Za-z.]+)");
  for (const Json& row : Rows()) {
    Rng rng(3);
    ComposeOptions options;
    options.count = 60;
    std::string sheet = row.dump();
    for (const recipe::Candidate& candidate : Compose(Shipped(), row, options, rng).candidates) {
      for (const char* field : {"headline", "body"}) {
        std::string text = candidate.output[field].get<std::string>(), found;
        re2::StringPiece rest(text);
        while (RE2::FindAndConsume(&rest, run, &found)) EXPECT_NE(sheet.find(found), sheet.npos) << text;
        EXPECT_EQ(text.find("的的"), text.npos) << text;
        EXPECT_EQ(text.find("，，"), text.npos) << text;
      }
      EXPECT_LE(CountChars(candidate.output["headline"].get<std::string>()), 24u) << candidate.output["headline"];
      size_t body = CountChars(candidate.output["body"].get<std::string>());
      EXPECT_TRUE(body >= 14 && body <= 80) << candidate.output["body"];
    }
  }
}

TEST(ChineseGrammar, SortsFeaturesByTheFrameThatCarriesThem) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> expected = {
      {"size", {"500毫升", "20寸", "5毫米厚", "M6到M20", "DN25", "6204型号", "2.2千瓦"}},
      {"span", {"续航30小时", "每饼100克", "承重120公斤", "晾晒七天"}},
      {"dim", {"重0.9公斤", "厚2到10毫米", "内径25毫米"}},
      {"pack", {"独立小包", "一盒二十支", "39件套", "30克袋装", "三个一套", "玻璃瓶500克"}},
      {"no", {"不加糖", "无涂层", "免浸泡", "久煮不烂", "不含酒精"}},
      {"can", {"可机洗", "可折叠", "可进微波炉"}},
      {"support", {"支持离线", "支持多账套"}},
      {"auto", {"自动断电", "一键收车", "扫码入库"}},
      {"flex", {"角度可调", "枕套可拆洗", "六色可选"}},
      {"gift", {"送拍套", "附养护卡"}},
      {"with", {"带盖", "自带线"}},
      {"incl", {"含早餐", "含刻章"}},
      {"term", {"描金另算", "500公斤起订", "按字计费", "图案自备"}},
      {"material", {"天然橡胶", "头层牛皮", "304不锈钢", "真丝面料"}},
      {"craft", {"糯米手工发酵", "冷榨", "石磨", "柏枝烟熏"}},
      {"farm", {"树上现摘", "散养"}},
      {"part", {"静音万向轮", "密码锁", "防滑底"}},
      {"count", {"八种菜单", "三种淡香"}},
      {"taste", {"微辣", "雪松味", "坚果风味"}},
      {"adj", {"防水", "透气", "吸汗速干", "轻便"}},
      {"serve", {"上门取件", "七天无理由", "先报价", "持证上岗", "送货调试"}},
      {"short", {"离线", "圆角"}},
      {"long", {"0.8到10公里每小时", "耐磨，耐热", "妈妈的味道"}},
      // Not what they begin like: steel is no lack, cocoa no ability, hairtail comes with nothing.
      {"plain", {"无线充电器", "可可含量高", "带鱼整条发", "配方奶粉级", "不规则裁边", "送长辈体面"}},
  };
  for (const auto& [name, features] : expected) {
    for (const std::string& feature : features) EXPECT_EQ(ClassOf(feature), name) << feature;
  }
  EXPECT_EQ(ClassOf("不锈钢"), "material");
}

}  // namespace
}  // namespace atelier::operators
