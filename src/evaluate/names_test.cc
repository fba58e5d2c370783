#include "evaluate/names.h"

#include <gtest/gtest.h>
#include <string>

#include "base/str.h"

namespace atelier::evaluate {
namespace {

std::string Found(std::string_view text) {
  std::string out;
  for (const Name& name : FindNames(text)) {
    EXPECT_EQ(text.substr(name.begin, name.end - name.begin), name.text) << text;
    out += Cat(out.empty() ? "" : "|", name.kind, ":", name.text);
  }
  return out;
}

TEST(Names, LettersWithCapitals) {
  EXPECT_EQ(Found("We met Anna Lindqvist in Lisbon."), "name:Anna Lindqvist|name:Lisbon");
  EXPECT_EQ(Found("Anna said so. It costs less."), "");  // a limit, and told
  EXPECT_EQ(Found("Works with iPhone and any USB-C cable, as NASA's do."), "name:iPhone|name:USB|name:NASA's");
  EXPECT_EQ(Found("I think I'm fine on Monday, and so are The Others."), "name:Others");
  EXPECT_EQ(Found("Slow Mornings Begin With Coffee"), "");  // a heading
  EXPECT_EQ(Found("“Hold it,” he said: “Never.” — Fine (Really)."), "");
  EXPECT_EQ(Found("GREAT COFFEE, HONESTLY NOW"), "");
  EXPECT_EQ(Found("in Tromsø, by Łukasz, at Москва"), "name:Tromsø|name:Łukasz|name:Москва");
  EXPECT_EQ(Found("Kindle电子书，配Type口"), "name:Kindle|name:Type");
  EXPECT_EQ(Found("600ml, 4XL, 15 W"), "");
}

TEST(Names, Chinese) {
  EXPECT_EQ(Found("产自意大利，在杭州做好。"), "place:意大利|place:杭州");
  EXPECT_EQ(Found("今日本店开业"), "");  // 今日 本店, no 日本
  EXPECT_EQ(Found("恒盛集团与这家公司"), "organisation:恒盛集团");
  EXPECT_EQ(Found("我们公司很大，城市里的超市"), "");
  EXPECT_EQ(Found("设计师王立新监制"), "person:王立新");
  EXPECT_EQ(Found("李晓梅老师推荐"), "person:李晓梅");
  EXPECT_EQ(Found("他高兴地说好，任何人说都行"), "");
  EXPECT_EQ(Found("《匠心之道》里讲过"), "work:《匠心之道》");
  EXPECT_EQ(Found("《》《没有关上"), "");
}

TEST(Names, AreLookedUpInAnyCaseAndNumber) {
  const NameSource source("anna lindqvist's KETTLES from lisbon; 浙江杭州；iphone 15");
  const auto has = [&](std::string_view text) {
    const std::vector<Name> names = FindNames(text);
    EXPECT_EQ(names.size(), 1u) << text;
    return source.Has(names.at(0));
  };
  EXPECT_TRUE(has("made by Anna Lindqvist"));
  EXPECT_TRUE(has("the Kettle"));
  EXPECT_TRUE(has("an iPhone"));
  EXPECT_TRUE(has("在杭州"));
  EXPECT_FALSE(has("made by Anna Norvexa"));
  EXPECT_FALSE(has("an LED lamp"));
  EXPECT_FALSE(has("在苏州"));
}

TEST(Names, AnyBytes) {
  for (const std::string_view text :
       {"", "\xFF\xFE", "王\xE7", "《\xE4", "A\xF0\x9F", "\0A", "👩‍💻 in 🇨🇳 Lisbon"})
    Found(text);
  std::string deep;
  for (int i = 0; i < 20000; ++i) deep += "王小《";
  Found(deep);
}

}  // namespace
}  // namespace atelier::evaluate
