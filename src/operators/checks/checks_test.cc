#include "operators/checks/checks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "operators/checks/about.h"

namespace atelier::operators {
namespace {

recipe::Record Sheet(bool zh) {
  recipe::Record record;
  record.lang = zh ? "zh" : "en";
  record.input =
      zh ? Json{{"name", "青瓷手冲壶"},
                {"category", "咖啡器具"},
                {"features", {"一点五升", "六档温控", "每饼100克", "半小时出汤", "USB-C充电"}},
                {"audience", "上班族"},
                {"price", "80元起"},
                {"tone", "温暖"}}
         : Json{{"name", "Stoneware Pour-Over Kettle"},
                {"category", "coffee gear"},
                {"features", {"1.5 litre body", "six heat settings", "340 g of beans included", "30-minute hold"}},
                {"audience", "home brewers"},
                {"price", "from $18"},
                {"tone", "warm"}};
  return record;
}

recipe::Candidate Copy(std::string headline, std::string body) {
  recipe::Candidate candidate;
  candidate.output = {{"headline", std::move(headline)}, {"body", std::move(body)}, {"tags", Json::array()}};
  return candidate;
}

std::unique_ptr<Check> Make(std::string_view name, std::string_view toml, std::string folder = "/") {
  Table table = Table::Parse(toml, "t.toml");
  recipe::StepContext context{.id = "checks",
                              .folder = std::move(folder),
                              .inputs = {"name", "features"},
                              .outputs = {"headline", "body", "tags"}};
  for (const CheckEntry& entry : AllChecks()) {
    if (entry.name != name) continue;
    auto check = entry.make(table, context);
    table.Done();
    return check;
  }
  throw Error(Code::kInternal, "no such check");
}

struct Case {
  bool zh;
  std::string headline, body;
  std::string reason;  // part of it; "" : passes
};

void Expect(const Check& check, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const Verdict verdict = check.Look(Sheet(one.zh), Copy(one.headline, one.body), {});
    if (one.reason.empty()) {
      EXPECT_EQ(verdict.reason, "") << one.headline << " | " << one.body;
    } else {
      EXPECT_NE(verdict.reason.find(one.reason), std::string::npos)
          << one.headline << " | " << one.body << " -> " << verdict.reason;
    }
  }
}

TEST(CheckVerbatim, ValuesStandInTheTextAndNumbersAreWhole) {
  Table table = Table::Parse("from = \"text\"\nfields = [\"value\"]", "t.toml");
  const auto check = MakeVerbatim(table, {.id = "checks", .inputs = {"text"}, .outputs = {"value"}});
  recipe::Record record;
  const auto stands = [&](std::string text, Json value) {
    record.input = {{"text", std::move(text)}};
    recipe::Candidate candidate;
    candidate.output = {{"value", std::move(value)}};
    return check->Look(record, candidate, {}).reason.empty();
  };
  EXPECT_TRUE(stands("tin cup, 300 ml, $1,299.50", "300ml"));
  EXPECT_TRUE(stands("tin cup, 300 ml, $1,299.50", "$1,299.50"));
  EXPECT_TRUE(stands("Tin  cup\n３００ ml", Json::array({"TIN CUP", "300 ml", ""})));
  EXPECT_TRUE(stands("搪瓷\n杯，９元一只。", "搪瓷杯"));
  EXPECT_TRUE(stands("no. 5, or 7", "5"));
  EXPECT_TRUE(stands("ends with 29", "29"));
  EXPECT_TRUE(stands("size 5.", "5")) << "a full stop is none of a number";
  EXPECT_TRUE(stands("1,299 or 299", "299")) << "it stands there further on";
  EXPECT_TRUE(stands("40 50", "50")) << "white space ends a number";
  EXPECT_TRUE(stands("1250 now 12 50", 12));
  EXPECT_FALSE(stands("tin cup, 300 ml", "tin cups"));
  EXPECT_FALSE(stands("129元", "29元"));
  EXPECT_FALSE(stands("129元", "12"));
  EXPECT_FALSE(stands("$1,299", "$1"));
  EXPECT_FALSE(stands("$1,299", "299"));
  EXPECT_FALSE(stands("$12.50", "50"));
  EXPECT_FALSE(stands("$12.50", "$12"));
  EXPECT_FALSE(stands("$12.50", ".50"));
  EXPECT_FALSE(stands("$12.50", "$12."));
  EXPECT_FALSE(stands("$1,299", "$1,"));
  EXPECT_FALSE(stands("set of 3 25 ml", "325 ml")) << "two numbers are not one";
  EXPECT_FALSE(stands("规格 3\n25元", "325元"));
  EXPECT_TRUE(stands("规格 3\n25元", "25元"));
  EXPECT_TRUE(stands("每箱12，3元一个", "3元一个")) << "a comma of full width is no part of a number";
  EXPECT_TRUE(stands("25，300毫升", "300毫升"));
  EXPECT_TRUE(stands("a，b", "a,b"));
  EXPECT_TRUE(stands("sizes 38,39,40", "39"));
  EXPECT_FALSE(stands("Latin", "tin"));
  EXPECT_FALSE(stands("tins", "tin"));
  EXPECT_FALSE(stands("the rapist", "therapist"));
  EXPECT_FALSE(stands("now here", "nowhere"));
  EXPECT_TRUE(stands("bread\nbasket", "bread basket"));
  EXPECT_TRUE(stands("USB充电", "USB")) << "Han end a word";
  EXPECT_FALSE(stands("", "a"));
  EXPECT_FALSE(stands("a\xff", "b")) << "bytes that are no text";
  EXPECT_TRUE(stands("12.50 GBP", 12.5));
  EXPECT_TRUE(stands("1,299 kg", 1299));
  EXPECT_TRUE(stands("１２.00", 12));
  EXPECT_FALSE(stands("1,299 kg", 299));
  EXPECT_FALSE(stands("12.50", 50));
  EXPECT_FALSE(stands("12", 12.5));
}

TEST(CheckFacts, QuantitiesMustStandOnTheSheet) {
  const auto check = Make("facts", "");
  Expect(*check, {
                     {true, "一壶一点五升", "1.5升，够一家人喝。", ""},
                     {true, "１.５升", "一点五升的壶身。", ""},
                     {true, "升半的壶", "一升半也是它。", ""},
                     {true, "一百克一饼", "每饼100克，慢慢喝。", ""},
                     {true, "六档温控", "6档随手调。", ""},
                     {true, "半小时出汤", "半个小时就好。", ""},
                     {true, "30分钟出汤", "等三十分钟。", ""},
                     {true, "一起喝一杯", "十分安静的一天，一口下去，万一下雨也不怕。", ""},
                     {true, "两升的壶", "大。", "“两升”不在资料里"},
                     {true, "一百五十克", "多。", "一百五十克"},
                     {true, "七档温控", "细。", "“七档”"},
                     {true, "一小时出汤吗", "两小时出汤。", "“两小时”"},
                     {true, "100毫升", "数对单位不对。", "100毫升"},
                     {true, "八十元起", "80元起就带走。", ""},
                     {true, "只要80元", "带走它。", "价格丢了“起”"},
                     {true, "省百分之五", "便宜。", "百分之五"},
                     {true, "打九折", "便宜。", "九折"},
                     {true, "主要看三项：出汤、温控", "五项都好。", ""},
                     {true, "主要看九项", "好。", "九项"},
                     {false, "Three reasons", "Four things to like.", ""},
                     {false, "Nine reasons", "Good.", "'Nine'"},
                     {true, "第二杯", "第三天也好喝。", ""},
                     {false, "A 1.5-litre kettle", "1.5 litres of calm, 340 grams of beans.", ""},
                     {false, "Six settings", "Six heat settings and 340g of beans. Half an hour hot.", ""},
                     {false, "Hold it", "It holds for thirty minutes. One of a kind, one day at a time.", ""},
                     {false, "From $18", "From $18, and worth a shelf.", ""},
                     {false, "Only $18", "Yours for $18.", "the price lost its 'from'"},
                     {false, "Eighteen dollars and up", "Starts at eighteen dollars.", ""},
                     {false, "Two litres", "Big.", "'Two litres' is not on the sheet"},
                     {false, "Seven settings", "Fine.", "'Seven'"},
                     {false, "340 ml", "The unit is wrong.", "'340 ml'"},
                     {false, "A dozen cups", "Much.", "'dozen cups'"},
                     {false, "Hundreds love it", "Much.", "'Hundreds'"},
                     {false, "Save 20%", "Cheap.", "'20%'"},
                     {false, "1,340 g", "Thousands are read whole.", "'1,340 g'"},
                 });
}

TEST(CheckDebris, CatchesWhatSmallModelsLeave) {
  const auto check = Make("debris", "lines = ['headline']\nsentences = ['body']\n");
  Expect(*check,
         {
             {true, "慢慢来，一壶好水", "轻轻松松，水温刚好。", ""},
             {true, "好壶好壶好壶", "水温刚好。", "重复"},
             {true, "一壶好水", "水温刚好", "没有说完"},
             {true, "一壶好水和", "水温刚好。", "没有说完"},
             {true, "标题：一壶好水", "水温刚好。", "“标题：”"},
             {true, "青瓷手冲壶", "水温刚好。", "只有品名"},
             {false, "Stoneware Pour-Over Kettle", "Good.", "only the product's name"},
             {false, "For slow mornings", "Slow water. Price: $34.", ""},
             {false, "For slow mornings", "Price: $34. Slow water.", "'price:'"},
             {true, "一壶{name}", "水温刚好。", "残留"},
             {true, "一壶“好水", "水温刚好。", "不成对"},
             {true, "一壶好水", "水温刚好。。", "标点重叠"},
             {true, "一壶好水", "，水温刚好。", "以标点开头"},
             {true, "一壶好水", "水温刚好。水温刚好。", "说了两遍"},
             {true, "一壶好水", "好水，慢慢倒，好水。", "同一句说了两遍"},
             {true, "一壶好水", "有六档温控的壶，也就是六档温控。", "“六档温控”在body里说了两遍"},
             {true, "慢慢来一壶好水", "慢慢来一壶好水，真好。", "又把headline说了一遍"},
             {true, "手冲壶，六档温控", "六档温控，细细地烧。", "又把headline说了一遍"},
             {true, "一壶\xEF\xBF\xBD水", "水温刚好。", "坏字符"},
             {true, "一壶好水", "水温\n刚好。", "坏字符"},
             {true, "", "水温刚好。", "是空的"},
             {false, "Don't rush the pour", "It's a slow kettle, and that's the point.", ""},
             {false, "Slow water", "\"Slow\" is the point (and the pleasure).", ""},
             {false, "A 5\" spout", "Say \"route 5\" and pour.", ""},
             {false, "Slow water for the", "Good.", "ends in the air"},
             {false, "Slow water", "It pours and it pours and it pours and it", "stutters"},
             {false, "Slow water", "It pours well. And the", "cut off"},
             {false, "Slow water", "For you, every day, for you, at home.", "the same words twice"},
             {false, "Slow water", "Six heat settings. It has six heat settings.", "says 'six heat settings' twice"},
             {false, "Slow water", "pours well and stays hot.", "middle of a sentence"},
             {false, "Product: kettle", "Good.", "'product:'"},
             {false, "Slow \"water", "Good.", "unpaired"},
             {false, "Slow water!!", "Good.", "doubled punctuation"},
             {false, "<b>Slow</b>", "Good.", "template or mark-up"},
             {false, "Slow water", "Good ; better.", "space before punctuation"},
             {false, "Slow water", "See www.example.test for it.", "'www.'"},
         });
}

TEST(CheckLanguage, OwnScriptButForWhatTheSheetHas) {
  const auto check = Make("language", "");
  Expect(*check, {
                     {true, "USB-C充电的壶", "水温刚好。", ""},
                     {true, "A nice 壶", "水温刚好。", "外文"},
                     {true, "お湯の壶", "水温刚好。", "外文"},
                     {true, "123", "456。", "不是用中文写的"},
                     {false, "Slow water", "A café kettle.", ""},
                     {false, "Slow 水", "A kettle.", "not written in English"},
                     {false, "Медленно", "A kettle.", "another script"},
                 });
}

TEST(CheckLength, BoundsPerLanguage) {
  const auto check = Make("length", "zh = { headline = [2, 8], body = [4, 20] }\nen = { headline = [5, 20] }\n");
  Expect(*check, {
                     {true, "一壶好水", "水温刚好呀。", ""},
                     {true, "壶", "水温刚好呀。", "headline太短：1字，至少2字"},
                     {true, "一壶好水", "水温刚好呀，水温刚好呀，水温刚好呀，水温刚好。", "body太长"},
                     {false, "Slow water", "", ""},
                     {false, "Slow", "", "too short: 4"},
                     {false, "Slow water and more of it", "", "too long"},
                 });
  const recipe::Record sheet = Sheet(true);
  EXPECT_GT(check->Look(sheet, Copy("一壶好水", "水温刚好，一壶好水。"), {}).margin,
            check->Look(sheet, Copy("一壶", "水温刚好。"), {}).margin);
}

TEST(CheckAbout, SpeaksOfThisProduct) {
  const auto check = Make("about", "least_features = 1\nleast_share = { zh = 0.1, en = 0.15 }\n");
  Expect(*check,
         {
             {true, "手冲壶里的早晨", "六档温控，水温自己挑。", ""},
             {true, "草原上的风", "羊群慢慢走过山坡。", "没有说到产品的特点"},
             {true, "手冲壶",
              "羊群慢慢走过山坡，去年的雪还没有化，六档的风吹来吹去，谁也说不清明天会怎样，大家都这么想。", "离题"},
             {false, "Six ways to pour", "Six heat settings for home brewers, and beans to begin with.", ""},
             {false, "The wind", "Sheep walk over the hill.", "none of the features"},
             {false, "Six ways", "Ask Amelia about the six heat settings of this kettle.", "names 'Amelia'"},
             {false, "Six ways", "The six heat settings of Home Brewer's kettle, for a Brewer.", ""},
             {false, "Pour-Over Made Simple Again", "Six heat settings, and beans to begin with.", ""},
         });
}

TEST(CheckAbout, WhatTheSheetHasWithinAWordIsNoStranger) {
  const auto check = Make("about", "least_features = 1\nleast_share = { en = 0.1 }\n");
  recipe::Record sheet = Sheet(false);
  sheet.input["features"] = {"sizes XS to 4XL", "a clockmaker’s loupe"};
  EXPECT_EQ(check->Look(sheet, Copy("Sizes for all", "In sizes XS to 4XL, for home brewers."), {}).reason, "");
  EXPECT_EQ(check->Look(sheet, Copy("A kettle", "With a loupe of a Clockmaker’s make, in 4XL."), {}).reason, "");
  EXPECT_NE(check->Look(sheet, Copy("A kettle", "In sizes XS to 4XL, says Bob."), {}).reason, "");
}

TEST(CheckAbout, CoverageCountsFeatures) {
  const Aboutness about = MeasureAbout(Sheet(false), "Six heat settings and beans.", {});
  EXPECT_EQ(about.features, 4u);
  EXPECT_EQ(about.touched, 2u);
  EXPECT_DOUBLE_EQ(about.coverage(), 2.0 / 3);
  EXPECT_EQ(Stem("brewing"), Stem("brews"));
  EXPECT_EQ(Stem("settings"), Stem("setting"));
  EXPECT_EQ(Stem("boxes"), Stem("box"));
}

TEST(CheckClaims, ReadsItsListsAndSparesTheName) {
  const std::string folder = Cat(::testing::TempDir(), "claims_", ::getpid());
  MakeFolders(folder);
  WriteFileAtomic(folder + "/zh.toml",
                  "[[claim]]\nwords = ['最', '青瓷']\nreason = '绝对化用语'\nlaw = '广告法第九条'\n");
  WriteFileAtomic(folder + "/en.toml", "[[claim]]\nwords = ['best']\nreason = 'superlative'\n");
  const auto check = Make("claims", "lists = { zh = 'zh.toml', en = 'en.toml' }\n", folder);
  Expect(*check, {
                     {true, "青瓷手冲壶", "水温刚好。", ""},
                     {true, "青瓷", "水温刚好。", "“青瓷”：绝对化用语（广告法第九条）"},
                     {true, "最好的壶", "水温刚好。", "“最”"},
                     {false, "The best kettle", "Good.", "'best': superlative"},
                 });
  EXPECT_THROW(Make("claims", "lists = { zh = '../zh.toml' }\n", folder), Error);
}

TEST(CheckCopied, NotLiftedFromAnExample) {
  const std::string folder = Cat(::testing::TempDir(), "copied_", ::getpid());
  MakeFolders(folder);
  WriteFileAtomic(
      folder + "/en.jsonl",
      R"({"headline":"Fixed at home","body":"We come to you and agree the price. Six heat settings and more."})"
      "\n");
  WriteFileAtomic(folder + "/zh.jsonl", R"({"headline":"香","body":"想吃糖水的时候，开一杯。"})"
                                        "\n");
  const auto check =
      Make("copied", "examples = { zh = 'zh.jsonl', en = 'en.jsonl' }\nlongest = { zh = 6, en = 4 }\n", folder);
  Expect(*check, {
                     {false, "Kettle", "We come to you, kettle in hand.", "lifted from an example: we come to you"},
                     {false, "Kettle", "We come with six heat settings.", ""},
                     {true, "壶", "想吃糖水的时候，用这壶。", "照抄例子：想吃糖水的时"},
                     {true, "壶", "喝水的时候，用这壶。", ""},
                 });
}

TEST(CheckGrounded, ModelsSayNothingThatTheSheetDoesNot) {
  const std::string folder = Cat(::testing::TempDir(), "/grounded_", getpid());
  MakeFolders(folder);
  for (const auto& [lang, headline, body, kitchen] :
       {std::tuple("zh", "嘴馋的时候，有{name}", "{f1}，{f2}。慢慢喝一杯。", "今天吃点{name}"),
        std::tuple("en", "Take a look at {name}", "{f1}, {f2}. The rest is up to you.", "Supper with {name}")}) {
    WriteFileAtomic(
        Cat(folder, "/", lang, ".toml"),
        Cat("format = 1\nlang = '", lang, "'\n[[pattern]]\nid = 'h1'\npart = 'headline'\ndevice = 'plain'\ntext = '",
            headline, "'\n[[pattern]]\nid = 'b1'\npart = 'body'\ndevice = 'plain'\ntext = '", body,
            "'\n[[pattern]]\nid = 'h2'\npart = 'headline'\ndevice = 'plain'\nwhen = { category = ['food', '零食'] "
            "}\ntext = '",
            kitchen, "'\n"));
  }
  Table table = Table::Parse("writers = ['model']\nsafe = { zh = 'zh.toml', en = 'en.toml' }\n", "t.toml");
  const auto check = MakeGrounded(
      table, {.id = "checks", .folder = folder, .earlier = {"model"}, .outputs = {"headline", "body", "tags"}});
  table.Done();
  struct One {
    bool zh;
    std::string headline, body, reason;
  };
  for (const One& one : std::vector<One>{
           {true, "青瓷手冲壶，慢慢喝", "每饼100克，六档温控，适合上班族。", "适合"},
           {true, "青瓷手冲壶，慢慢喝", "每饼100克的青瓷手冲壶，有六档温控。", ""},
           {true, "青瓷手冲壶", "六档温控，花生仁，半小时出汤。", "花生仁"},
           {true, "温暖的青瓷", "这把壶来自景德镇，六档温控。", "来自景"},
           {true, "今天吃点青瓷", "六档温控。", "吃点"},  // said only for food
           {true, "USB-C充电，还有蓝牙X5", "六档温控。", "蓝牙"},
           {false, "A kettle for home brewers", "Six heat settings and a 30-minute hold.", ""},
           {false, "Take a look at kettles", "At home, up to six settings. The rest is up to you.", ""},
           {false, "The kettle of Champions", "Six heat settings.", "champions"},
           {false, "Pour-over, for supper", "Six heat settings.", "supper"},
           {false, "Pour-over kettle", "The fastest kettle, six heat settings.", "fastest"},
       }) {
    recipe::Candidate copy = Copy(one.headline, one.body);
    copy.writer = "model";
    const Verdict verdict = check->Look(Sheet(one.zh), copy, {});
    EXPECT_NE(verdict.reason.find(one.reason), std::string::npos)
        << one.headline << " | " << one.body << " -> " << verdict.reason;
    EXPECT_EQ(verdict.reason.empty(), one.reason.empty()) << one.headline << " -> " << verdict.reason;
    copy.writer = "phrases";  // the grammar's own are held to the sheet by their slots
    EXPECT_EQ(check->Look(Sheet(one.zh), copy, {}).reason, "");
  }
  Table wrong = Table::Parse("writers = ['modle']\nsafe = { zh = 'zh.toml' }\n", "t.toml");
  EXPECT_THROW(MakeGrounded(wrong, {"checks", folder, {"model"}, {}}), Error);
}

TEST(CheckDuplicates, SameAndNearlySame) {
  const auto check = Make("duplicates", "most_alike = 0.6\n");
  const std::vector<recipe::Candidate> earlier = {
      Copy("Slow water, warm hands", "Six heat settings and beans to begin with.")};
  const recipe::Record sheet = Sheet(false);
  EXPECT_NE(check->Look(sheet, Copy("slow water: warm hands!", "Six heat settings and beans to begin with"), earlier)
                .reason.find("the same as"),
            std::string::npos);
  EXPECT_NE(check->Look(sheet, Copy("Slow water, warm hands", "Six heat settings, beans to begin with."), earlier)
                .reason.find("nearly"),
            std::string::npos);
  EXPECT_EQ(check->Look(sheet, Copy("A kettle for quiet mornings", "Hold it for thirty minutes."), earlier).reason, "");
}

TEST(Checks, RefuseWhatTheyDoNotKnow) {
  for (const auto& [name, toml] :
       std::vector<std::pair<std::string, std::string>>{{"length", "zh = { headlin = [1, 2] }"},
                                                        {"length", "zh = { headline = [3, 2] }"},
                                                        {"length", ""},
                                                        {"debris", "linse = ['headline']"},
                                                        {"debris", "lines = ['headlin']"},
                                                        {"language", "least_share = 2"},
                                                        {"facts", "prise_field = 'x'"},
                                                        {"about", "least_share = { fr = 0.1 }"},
                                                        {"claims", ""},
                                                        {"duplicates", "most = 1"}}) {
    EXPECT_THROW(Make(name, toml), Error) << name << ": " << toml;
  }
}

}  // namespace
}  // namespace atelier::operators
