#include "evaluate/quantities.h"

#include <gtest/gtest.h>
#include <string>

#include "base/str.h"

namespace atelier::evaluate {
namespace {

TEST(Quantities, ReadsManyHands) {
  const auto read = [](std::string_view text) {
    std::string out;
    for (const Quantity& q : FindQuantities(text)) out += Cat(q.value, q.kind, ";");
    return out;
  };
  EXPECT_EQ(read("¥1,299.50"), "1299.5price;");
  EXPECT_EQ(read("¥59元"), "59price;");
  EXPECT_EQ(read("DN50，304材质"), "50count;304count;");
  EXPECT_EQ(read("1.2万次"), "12000count;");
  EXPECT_EQ(read("二十四小时，一百二十天"), "86400time;10368000time;");
  EXPECT_EQ(read("twenty-four hours"), "86400time;");
  EXPECT_EQ(read("one hundred and twenty days"), "10368000time;");
  EXPECT_EQ(read("two dozen"), "24count;");
  EXPECT_EQ(read("15 mm, 12-month, 60°C, 5\""), "15length;12month;60celsius;127length;");
  EXPECT_EQ(read("四升半"), "4500volume;");
  EXPECT_EQ(read("一起 千万 百搭 十分 半天 第一 一点 一样 第三 anyone someone tonight"), "");
  EXPECT_EQ(read("\xFF\xFE 7 \xE4"), "7count;");
  EXPECT_EQ(read(std::string(400, '9')).substr(0, 3), "nan");  // no overflow into something that matches
}

}  // namespace
}  // namespace atelier::evaluate
