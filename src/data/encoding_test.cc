#include "data/encoding.h"

#include <gtest/gtest.h>
#include <iconv.h>

#include "base/str.h"

namespace atelier::data {
namespace {

// glibc's tables: not ours, not ICU's.
std::string To(const char* encoding, std::string text) {
  iconv_t converter = iconv_open(encoding, "UTF-8");
  EXPECT_NE(converter, reinterpret_cast<iconv_t>(-1)) << encoding;
  std::string out(text.size() * 4 + 16, 0);
  char *in = text.data(), *to = out.data();
  size_t in_left = text.size(), out_left = out.size();
  EXPECT_EQ(iconv(converter, &in, &in_left, &to, &out_left), 0u) << encoding << ": " << in;
  iconv_close(converter);
  out.resize(out.size() - out_left);
  return out;
}

// Written for this test. Everyday prose, an address book, a price list, a title: what offices export.
const std::vector<std::string> kSimplified = {
    "我们昨天收到了货，包装完好，客服回答问题也很快。咖啡壶比想象中大一些，但是用起来非常方便，下次还会再来。",
    "姓名,电话,地址\n王小明,13800138000,北京市朝阳区建国路八十八号\n李雪梅,13900139000,上海市浦东新区世纪大道\n",
    "品名,价格\n手冲咖啡壶,128元\n不锈钢保温杯,59元\n竹制砧板,35元\n",
    "系统升级通知",
    "孩子们在河边放风筝，风很大，线断了，风筝飞过了树林，谁也没有追上它。",
};
const std::vector<std::string> kTraditional = {
    "我們昨天收到了貨，包裝完好，客服回答問題也很快。咖啡壺比想像中大一些，但是用起來非常方便，下次還會再來。",
    "姓名,電話,地址\n王小明,0912345678,臺北市信義區松仁路八號\n李雪梅,0923456789,高雄市前鎮區中山路\n",
    "品名,價格\n手沖咖啡壺,128元\n不鏽鋼保溫杯,59元\n竹製砧板,35元\n",
    "系統升級通知",
    "孩子們在河邊放風箏，風很大，線斷了，風箏飛過了樹林，誰也沒有追上它。",
};

TEST(Encoding, TellsGb18030FromBig5) {
  for (const std::string& text : kSimplified) {
    const Decoded decoded = DecodeText(To("GB18030", text), "t");
    EXPECT_EQ(decoded.encoding, Encoding::kGb18030) << text;
    EXPECT_EQ(decoded.text, text);
  }
  for (const std::string& text : kTraditional) {
    const Decoded decoded = DecodeText(To("BIG5-HKSCS", text), "t");
    EXPECT_EQ(decoded.encoding, Encoding::kBig5) << text;
    EXPECT_EQ(decoded.text, text);
    // Traditional characters in GBK are no Big5.
    const Decoded gbk = DecodeText(To("GB18030", text), "t");
    EXPECT_EQ(gbk.encoding, Encoding::kGb18030) << text;
    EXPECT_EQ(gbk.text, text);
  }
}

TEST(Encoding, SingleSentencesAreToldApartToo) {
  // Every clause by itself: at least three characters.
  size_t wrong = 0, all = 0;
  for (const auto& [texts, name, encoding] : std::vector<std::tuple<std::vector<std::string>, const char*, Encoding>>{
           {kSimplified, "GB18030", Encoding::kGb18030}, {kTraditional, "BIG5-HKSCS", Encoding::kBig5}}) {
    for (const std::string& text : texts) {
      for (const std::string& clause : Split(ReplaceAll(ReplaceAll(text, "，", "\n"), "。", "\n"), '\n')) {
        if (clause.size() < 9 || clause.find_first_not_of("0123456789,") == std::string::npos) continue;
        ++all;
        wrong += DetectEncoding(To(name, clause), true) != encoding;
      }
    }
  }
  EXPECT_GE(all, 30u);
  EXPECT_LE(wrong, 1u);
}

TEST(Encoding, Utf16WithAndWithoutMark) {
  for (const std::string& text :
       {std::string("id,name\n1,茶\n2,咖啡\n"), std::string("plain ascii, nothing else\n"), kSimplified[1] + "😀\n"}) {
    for (const auto& [name, encoding] : {std::pair("UTF-16LE", Encoding::kUtf16Le), {"UTF-16BE", Encoding::kUtf16Be}}) {
      const Decoded bare = DecodeText(To(name, text), "t");
      EXPECT_EQ(bare.encoding, encoding) << text;
      EXPECT_EQ(bare.text, text);
      const Decoded marked = DecodeText(To(name, "\uFEFF" + text), "t");
      EXPECT_EQ(marked.encoding, encoding) << text;
      EXPECT_EQ(marked.text, text);
    }
  }
}

TEST(Encoding, WhatIsNoneOfThemIsNotTakenForOne) {
  for (const std::string& text : {std::string("caf\xE9 cr\xE8me, na\xEFve \xE0 la carte, d\xE9j\xE0 vu"),
                                  To("SHIFT_JIS", "これは日本語の文章です。カタカナもあります。"),
                                  To("EUC-KR",
                                     "안녕하세요 반갑습니다. 오늘은 날씨가 아주 좋아서 우리는 모두 함께 공원에 가서 "
                                     "점심을 먹고 책을 읽었습니다. 내일도 비가 오지 않으면 다시 가겠습니다."),
                                  To("KOI8-R", "Привет, как дела сегодня")}) {
    const auto found = DetectEncoding(text, true);
    EXPECT_FALSE(found.has_value()) << Name(found.value_or(Encoding::kUtf8)) << ": " << text;
  }
}

TEST(Encoding, PiecesGiveWhatTheWholeGives) {
  const std::string text = "\uFEFFa" + kTraditional[0] + "\n";
  for (const auto& [name, encoding] : {std::pair("UTF-8", Encoding::kUtf8),
                                       {"UTF-16LE", Encoding::kUtf16Le},
                                       {"UTF-16BE", Encoding::kUtf16Be},
                                       {"GB18030", Encoding::kGb18030}}) {
    const std::string bytes = To(name, encoding == Encoding::kGb18030 ? text.substr(3) : text);
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      TextDecoder decoder(encoding);
      std::string out;
      decoder.Decode(std::string_view(bytes).substr(0, cut), false, &out);
      decoder.Decode(std::string_view(bytes).substr(cut), true, &out);
      ASSERT_EQ(out, text.substr(3)) << name << " cut at " << cut;
    }
  }
}

TEST(Encoding, WhatDoesNotDecodeIsMarkedAndTheRestStays) {
  const auto decode = [](Encoding encoding, std::string_view bytes) {
    std::string out;
    TextDecoder decoder(encoding);
    decoder.Decode(bytes, true, &out);
    return out;
  };
  EXPECT_EQ(decode(Encoding::kGb18030, "a\xFF\nb\n"), "a\xFF\nb\n");
  const std::string good = To("BIG5", "茶");
  EXPECT_EQ(decode(Encoding::kBig5, good + "\x80\n" + good), "茶\xFF\n茶");
  using namespace std::string_view_literals;
  EXPECT_EQ(decode(Encoding::kUtf16Le, "a\0\0\xD8\n\0b\0"sv), "a\xFF\nb");
  EXPECT_EQ(decode(Encoding::kUtf16Le, "a\0\0\xDC\n\0"sv), "a\xFF\n");
  EXPECT_EQ(decode(Encoding::kUtf16Be, "\0a\0"sv), "a\xFF");
}

}  // namespace
}  // namespace atelier::data
