#include "guard/personal.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::guard {
namespace {

// "kind=text" of every span.
std::string Found(std::string_view text) {
  std::vector<std::string> out;
  size_t last = 0;
  for (const PersonalSpan& span : FindPersonal(text)) {
    EXPECT_LE(last, span.begin);
    EXPECT_LT(span.begin, span.end);
    EXPECT_LE(span.end, text.size());
    last = span.end;
    out.push_back(Cat(Name(span.kind), "=", text.substr(span.begin, span.end - span.begin)));
  }
  return Join(out, " | ");
}

TEST(Personal, IsFoundByItsForm) {
  const std::pair<const char*, const char*> kCases[] = {
      {"写信给 li.wei+shop@example.com.cn，谢谢", "email=li.wei+shop@example.com.cn"},
      {"Mail me: a_b@mail.example.org.", "email=a_b@mail.example.org"},
      {"全角：ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ。", "email=ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ"},
      {"电话13812345678。", "phone=13812345678"},
      {"+86 138-1234-5678 或 0086 13812345678", "phone=+86 138-1234-5678 | phone=0086 13812345678"},
      {"手机：１３８１２３４５６７８", "phone=１３８１２３４５６７８"},
      {"座机 010-65529988，分机 3", "phone=010-65529988"},
      {"打0571-8765 4321", "phone=0571-8765 4321"},
      {"Call (212) 555-0123 or 212-555-0123 now", "phone=(212) 555-0123 | phone=212-555-0123"},
      {"UK +44 (0)20 7946 0958!", "phone=+44 (0)20 7946 0958"},
      {"身份证11010519491231002X，", "identity=11010519491231002X"},
      {"id 440524188001010014", "identity=440524188001010014"},
      {"SSN 219-09-9999.", "identity=219-09-9999"},
      {"card 4111 1111 1111 1111 exp 12/29", "card=4111 1111 1111 1111"},
      {"Amex 378282246310005", "card=378282246310005"},
      {"卡号6212345678901232", "card=6212345678901232"},
      {"IBAN DE89 3704 0044 0532 0130 00 please", "iban=DE89 3704 0044 0532 0130 00"},
      {"gb82west12345698765432", "iban=gb82west12345698765432"},
      {"from 203.0.113.7 at noon", "network=203.0.113.7"},
      {"姓名：欧阳小红，下单两件", "name=欧阳小红"},
      {"收件人: 阿依古丽·买买提 ", "name=阿依古丽·买买提"},
      {"Customer name: Mary O'Neil-Smith, London", "name=Mary O'Neil-Smith"},
      {"收货地址：杭州市西湖区文三路100号3栋501室；尽快", "address=杭州市西湖区文三路100号3栋501室"},
      {"Address: 221B Baker Street, London\nThanks", "address=221B Baker Street, London"},
      {"护照号E12345678", "passport=E12345678"},
      {"Passport No. 123456789", "passport=123456789"},
      {"地址：上海市静安区，电话13812345678", "address=上海市静安区，电话13812345678"},
      {"a@b.co,c@d.org", "email=a@b.co | email=c@d.org"},
  };
  for (const auto& [text, wanted] : kCases) EXPECT_EQ(Found(text), wanted) << text;
}

TEST(Personal, WhatOnlyLooksLikeItStays) {
  for (const char* text : {
           "",
           "@",
           "a@b",
           "@小红书 关注我们",
           "价格 128.00元，销量13812345678901",  // too long for a number
           "订单号 12345678901",                 // begins with 12
           "ISBN 978-7-302-12345-6",
           "11010519491231002Y 110105194912310021",  // the check digit is wrong
           "4111 1111 1111 1112",                    // Luhn's sum is wrong
           "DE89 3704 0044 0532 0130 01",
           "version 1.2.3.4.5 or 300.1.1.1 or 01.2.3.4",
           "2026-11-28 10:30:00",
           "尺寸 600-800-1200毫米",
           "rename: yes; username: x1; 地址栏",
           "姓名：",
           "000-12-3456 900-12-3456",
           "护照办理须知",
           "3.14159265358979",
           "+1 800",
           "0xDEADBEEF 1e13812345678",
       })
    EXPECT_EQ(Found(text), "") << text;
}

TEST(Personal, IsMaskedInThreeStyles) {
  const std::string text = "李 13812345678, li.wei@example.com; 姓名：王小明";
  const std::vector<PersonalSpan> spans = FindPersonal(text);
  EXPECT_EQ(MaskPersonal(text, spans), "李 [phone], [email]; 姓名：[name]");
  EXPECT_EQ(MaskPersonal(text, spans, {.style = MaskStyle::kShape}), "李 138****5678, l*.***@*******.com; 姓名：王**");
  const MaskOptions secret{.style = MaskStyle::kPseudonym, .secret = "0123456789abcdef"};
  const auto masked = [&](std::string_view one, const MaskOptions& how) {
    return MaskPersonal(one, FindPersonal(one), how);
  };
  EXPECT_EQ(masked("13812345678", secret),
            masked("+86 138-1234-5678", secret).size() ? masked("13812345678", secret) : "");
  EXPECT_EQ(masked("A@B.com", secret), masked("a@b.COM", secret));
  EXPECT_NE(masked("a@b.com", secret), masked("a@c.com", secret));
  EXPECT_NE(masked("a@b.com", secret),
            masked("a@b.com", {.style = MaskStyle::kPseudonym, .secret = "0123456789abcdeg"}));
  EXPECT_EQ(masked("a@b.com", secret).find("a@b"), std::string::npos);
  EXPECT_THROW(masked("a@b.com", {.style = MaskStyle::kPseudonym, .secret = "short"}), Error);
  const Personal only[] = {Personal::kEmail};
  EXPECT_EQ(MaskPersonal(text, FindPersonal(text, only)), "李 13812345678, [email]; 姓名：王小明");
  for (const Personal kind : AllPersonal()) EXPECT_EQ(PersonalFrom(Name(kind)), kind);
  EXPECT_FALSE(PersonalFrom("shoe size"));
}

TEST(Personal, AnyBytesInLinearTime) {
  for (const std::string& part : {std::string("@"), std::string("1"), std::string("1-"), std::string("+("),
                                  std::string("a@a."), std::string("姓名："), std::string("\xff"), std::string("name:"),
                                  std::string("9 "), std::string("DE89"), std::string("\0x", 2), std::string("０")}) {
    std::string text;
    while (text.size() < (1u << 20)) text += part;
    const std::vector<PersonalSpan> spans = FindPersonal(text);  // a quadratic one would not come back
    MaskPersonal(text, spans, {.style = MaskStyle::kShape});
  }
}

}  // namespace
}  // namespace atelier::guard
