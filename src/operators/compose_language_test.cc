#include "operators/compose_language.h"

#include <gtest/gtest.h>

#include "base/str.h"

namespace atelier::operators {
namespace {

using Table = std::vector<std::pair<std::string, std::string>>;

TEST(English, ArticleGoesByTheSound) {
  const std::vector<std::string> an = {"8-inch blade",
                                       "11 kW motor",
                                       "18 V battery",
                                       "80 g bar",
                                       "8 m line",
                                       "11,000-page archive",
                                       "hour",
                                       "hourly rate",
                                       "honest answer",
                                       "heirloom seed",
                                       "LED lamp",
                                       "SPF 50 cream",
                                       "HDMI port",
                                       "M6 bolt",
                                       "XL size",
                                       "NFC tag",
                                       "MP3 player",
                                       "umbrella",
                                       "uninsulated wall",
                                       "unimpeded view",
                                       "ink pad",
                                       "e-bike",
                                       "x-ray",
                                       "OLED screen",
                                       "ISO mark",
                                       "office",
                                       "iPhone stand",
                                       "undyed yarn",
                                       "egg tray",
                                       "airtight lid",
                                       "11.5 cm knife",
                                       "S-hook",
                                       "FAQ page"};
  for (const std::string& text : an) EXPECT_EQ(Article(text), "an") << text;
  const std::vector<std::string> a = {"100 ml bottle",
                                      "1,100-piece set",
                                      "180 g jar",
                                      "118 mm rod",
                                      "1800 W motor",
                                      "USB cable",
                                      "USB-C port",
                                      "UV lamp",
                                      "one-piece bib",
                                      "one-hour call",
                                      "once-weekly visit",
                                      "unit",
                                      "uniform",
                                      "unique finish",
                                      "universal mount",
                                      "used book",
                                      "user guide",
                                      "useful box",
                                      "European oak frame",
                                      "ewe",
                                      "eucalyptus scent",
                                      "ukulele",
                                      "house",
                                      "herb pot",
                                      "hotel",
                                      "HEPA filter",
                                      "SIM card",
                                      "RAM upgrade",
                                      "T-shirt",
                                      "U-lock",
                                      "12-hour core",
                                      "7 m cord",
                                      "NATO strap",
                                      "utility hook",
                                      "yellow lid"};
  for (const std::string& text : a) EXPECT_EQ(Article(text), "a") << text;
}

TEST(English, ArticleStandsOnlyWhereOneBelongs) {
  const Table expected = {{"cable slot", "a cable slot"},
                          {"340 g jar", "a 340 g jar"},
                          {"brass hooks", "brass hooks"},
                          {"two deep pockets", "two deep pockets"},
                          {"12 pans", "12 pans"},
                          {"the lid", "the lid"},
                          {"one loaf", "one loaf"},
                          {"no wiring", "no wiring"},
                          {"basil and thyme", "basil and thyme"},
                          {"pack of six", "a pack of six"},
                          {"anti-fog lens", "an anti-fog lens"},
                          {"glass lid", "a glass lid"},
                          {"set of tools", "a set of tools"},
                          {"several sizes", "several sizes"},
                          {"18 V motor", "an 18 V motor"}};
  for (const auto& [in, out] : expected) EXPECT_EQ(WithArticle(in), out);
  EXPECT_EQ(WithThe("a lid"), "the lid");
  EXPECT_EQ(WithThe("pots included"), "the pots included");
  EXPECT_EQ(WithThe("all tools"), "all tools");
  EXPECT_EQ(WithThe("40 bits included"), "40 bits included");
  EXPECT_EQ(WithoutArticle("The Night Ferry"), "Night Ferry");
  EXPECT_EQ(WithoutArticle("an hour"), "hour");
  EXPECT_EQ(WithoutArticle("anthem"), "anthem");
}

TEST(English, NumberGoesByTheHead) {
  for (std::string text : {"brass hooks", "Cold Brew Bags", "basil, thyme and chives", "people", "30 recipes",
                           "Puzzles of the Night", "salespeople", "hiking socks", "scissors", "line ends"}) {
    EXPECT_TRUE(IsPlural(text)) << text;
  }
  for (std::string text :
       {"glass", "canvas", "anti-fog lens", "Linen Apron", "18 m of line", "Box of Nails", "bus", "iris", "news",
        "Chess for Patient Beginners", "wet and dry vacuum", "GPS", "series", "", "s", "hummus"}) {
    EXPECT_FALSE(IsPlural(text)) << text;
  }
  const Table plurals = {{"hook", "hooks"},
                         {"box", "boxes"},
                         {"loaf of bread", "loaves of bread"},
                         {"city", "cities"},
                         {"day", "days"},
                         {"craftsman", "craftsmen"},
                         {"brush", "brushes"},
                         {"hooks", "hooks"},
                         {"Child", "Children"},
                         {"", ""}};
  for (const auto& [in, out] : plurals) EXPECT_EQ(Pluralised(in), out);
}

TEST(English, CaseSparesNames) {
  const Table lower = {{"Natural rubber", "natural rubber"},
                       {"USB-C", "USB-C"},
                       {"iPhone stand", "iPhone stand"},
                       {"Italian leather", "Italian leather"},
                       {"New Zealand wool", "New Zealand wool"},
                       {"LED light", "LED light"},
                       {"Bluetooth 5.3", "Bluetooth 5.3"},
                       {"A handle", "a handle"},
                       {"M6 to M16", "M6 to M16"},
                       {"", ""},
                       {"Ölfrei", "Ölfrei"},
                       {"Works offline", "works offline"}};
  for (const auto& [in, out] : lower) EXPECT_EQ(LowerFirst(in), out);
  const Table upper = {{"natural rubber", "Natural rubber"}, {"iPhone stand", "iPhone stand"},
                       {"pH neutral", "pH neutral"},         {"8 inch", "8 inch"},
                       {"\"fast\" lid", "\"Fast\" lid"},     {"école", "École"},
                       {"eBay listed", "eBay listed"},       {"", ""}};
  for (const auto& [in, out] : upper) EXPECT_EQ(UpperFirst(in), out);
}

TEST(English, ListsSayAndOnlyOnce) {
  EXPECT_EQ(JoinEnglish({}), "");
  EXPECT_EQ(JoinEnglish({"a"}), "a");
  EXPECT_EQ(JoinEnglish({"a", "b"}), "a and b");
  EXPECT_EQ(JoinEnglish({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(JoinEnglish({"cedar and orange", "wax"}), "cedar and orange, wax");
  EXPECT_EQ(JoinEnglish({"a slot", "folds flat"}, false), "a slot, folds flat");
}

TEST(English, SentencesAreFinished) {
  const std::string s(1, kSentence);
  const Table bodies = {{"one." + s + " two", "One. Two."},
                        {"one ,two  three ..", "One,two three."},
                        {"is it? ." + s + " yes!", "Is it? Yes!"},
                        {"approx. five mm", "Approx. five mm."},  // the record's own stop starts no sentence
                        {"made for iPhone." + s + " iPhone only", "Made for iPhone. iPhone only."},
                        {"wait...", "Wait..."},
                        {"a gap of .5 mm,", "A gap of .5 mm."},
                        {"", ""}};
  for (const auto& [in, out] : bodies) EXPECT_EQ(FinishEnglish(in, false), out);
  EXPECT_EQ(FinishEnglish("one." + s + " two.", true), "One. Two");
  EXPECT_EQ(FinishEnglish("why not?", true), "Why not?");
  EXPECT_EQ(FinishEnglish(", , a", true), "A");
}

TEST(English, FunctionWordsAreNotSaidTwice) {
  EXPECT_EQ(DoubledAtBorder("made for ", "for left-handers", false), 4u);
  EXPECT_EQ(DoubledAtBorder("comes with ", "With lid", false), 5u);
  EXPECT_EQ(DoubledAtBorder("made for ", "forest walks", false), 0u);
  EXPECT_EQ(DoubledAtBorder("that ", "that one", false), 0u);
  EXPECT_EQ(DoubledAtBorder("for", "for", false), 0u);
}

TEST(Chinese, TextsAreFinished) {
  const Table bodies = {{"纯棉,透气.不粘", "纯棉，透气。不粘。"},
                        {"真好，。", "真好。"},
                        {"真好？。", "真好？"},
                        {"纯 棉 布", "纯棉布。"},
                        {"重 2.5 kg", "重 2.5 kg。"},
                        {"十二点12:30到", "十二点12:30到。"},
                        {"价格 3.5 元", "价格 3.5 元。"},
                        {"，你好", "你好。"},
                        {"他说“好”", "他说“好”"},
                        {"", ""}};
  for (const auto& [in, out] : bodies) EXPECT_EQ(FinishChinese(in, false), out);
  EXPECT_EQ(FinishChinese("一杯茶。", true), "一杯茶");
  EXPECT_EQ(FinishChinese("喝茶吗？", true), "喝茶吗？");
  EXPECT_EQ(FinishChinese("慢慢来，", true), "慢慢来");
  EXPECT_EQ(Tight("500 毫升，12 x 30 cm"), "500毫升，12x30cm");
}

TEST(Chinese, WordsAreNotSaidTwiceWherePhrasesMeet) {
  EXPECT_EQ(DoubledAtBorder("给", "给长辈", true), 3u);
  EXPECT_EQ(DoubledAtBorder("适合", "适合上班族", true), 6u);
  EXPECT_EQ(DoubledAtBorder("爱喝茶的人", "的人常备", true), 6u);
  EXPECT_EQ(DoubledAtBorder("每天", "天然橡胶", true), 0u);  // one Han that is no particle
  EXPECT_EQ(DoubledAtBorder("55", "55元", true), 0u);        // digits are facts
  EXPECT_EQ(JoinChinese({"甲", "乙", "丙"}), "甲、乙、丙");
  EXPECT_EQ(JoinChinese({"盐、糖", "油"}), "盐、糖，油");
}

TEST(Slots, AreCleaned) {
  const Table expected = {{"  natural \n rubber. ", "natural rubber"},
                          {"纯棉。", "纯棉"},
                          {"a\tb\x01", "a b"},
                          {"...", "..."},
                          {"", ""},
                          {"wait...", "wait..."},
                          {"\xff", "\xEF\xBF\xBD"},
                          {"🍯 honey；", "🍯 honey"}};
  for (const auto& [in, out] : expected) EXPECT_EQ(CleanSlot(in), out);
  EXPECT_EQ(CountChars("茶🍯a"), 3u);
  EXPECT_EQ(FoldCase("ÄTEA"), "ätea");
}

}  // namespace
}  // namespace atelier::operators
