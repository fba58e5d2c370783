#include "data/clean/script_folder.h"

#include <gtest/gtest.h>

#include <opencc/SimpleConverter.hpp>

#include "base/rng.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

std::string Fold(const ScriptFolder& folder, std::string_view text) {
  std::string out;
  folder.Convert(text, &out);
  return out;
}

const char* const kTexts[] = {
    "",
    "hello, world",
    "乾隆年間，乾燥的空氣；皇后在後面。著名的作者沿著河走，穿著衣服。",
    "鐘錶、鍾情、麵包、面子、裡面、公里、頭髮、發財、台灣、颱風、電腦軟體、網路、滑鼠、程式、資訊",
    "皇后与后面，干燥与干部，头发与发财，台风与台湾，软件、网络、鼠标、程序、信息、打印机、服务器",
    "一個人在計程車裡寫程式，列印文件。這裏是香港，裏面有峯。",
    "𠀋𠮷𪚥 emoji 😀 ，混合 mixed 臺灣 Taiwan 繁體",
    "広島の駅で働く。體驗",
};

TEST(ScriptFolder, IsOpenccOnWrittenText) {
  for (const std::string& config : ScriptFolder::Configs()) {
    const ScriptFolder folder(config);
    const opencc::SimpleConverter peer(config + ".json");
    for (const char* text : kTexts) EXPECT_EQ(Fold(folder, text), peer.Convert(text)) << config << ": " << text;
  }
}

// Random text out of the characters that matter, where phrases overlap in every way, and some that do not matter.
TEST(ScriptFolder, IsOpenccOnRandomText) {
  for (const std::string& config : ScriptFolder::Configs()) {
    const ScriptFolder folder(config);
    const opencc::SimpleConverter peer(config + ".json");
    Rng rng(11);
    const std::vector<char32_t>& triggers = folder.triggers();
    ASSERT_FALSE(triggers.empty());
    const std::u32string common =
        text::DecodeUtf8(kTexts[2]) + text::DecodeUtf8(kTexts[3]) + text::DecodeUtf8(kTexts[4]);
    for (int round = 0; round < 400; ++round) {
      std::string text;
      const uint64_t length = rng.Below(40);
      for (uint64_t i = 0; i < length; ++i) {
        const uint64_t kind = rng.Below(8);
        char32_t c;
        if (kind < 3) {
          c = triggers[rng.Below(triggers.size())];
        } else if (kind < 6) {
          c = common[rng.Below(common.size())];
        } else if (kind < 7) {
          c = static_cast<char32_t>(0x4E00 + rng.Below(0x5000));
        } else {
          c = U" a,。1é😀"[rng.Below(7)];
        }
        text::AppendUtf8(&text, c);
      }
      ASSERT_EQ(Fold(folder, text), peer.Convert(text)) << config << ": " << text;
    }
  }
}

TEST(ScriptFolder, TextWithoutTriggersStays) {
  const ScriptFolder folder("t2s");
  EXPECT_LT(folder.triggers().size(), 5000u);
  // Everyday simplified text holds none, so that cleaning never walks it.
  for (const char32_t c : std::u32string_view(U"这个产品的质量非常好，我很喜欢，下次还会再买。着了过在不是")) {
    for (const char32_t trigger : folder.triggers()) EXPECT_NE(c, trigger) << text::EncodeUtf8(std::u32string(1, c));
  }
}

}  // namespace
}  // namespace atelier::data::clean
