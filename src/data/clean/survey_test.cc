#include "data/clean/survey.h"

#include <gtest/gtest.h>

#include <set>

#include "base/rng.h"
#include "base/str.h"
#include "data/clean/language_id.h"
#include "data/clean/tokens.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

std::string RandomText(Rng* rng) {
  static const std::u32string kCommon =
      U"the and THE 42 ,.; 中文的了是在测试數據漢字 かなカナ 한국 Öäß é <&> ++ \n\n   zzzzzz 。，！！！😀𠀋";
  std::string text;
  const uint64_t style = rng->Below(4);
  for (uint64_t i = rng->Below(style == 0 ? 600 : 60); i > 0; --i) {
    if (style == 0 || rng->Below(4) > 0) {
      const std::string_view words[] = {"the",   "Quick", " ", " ", "brown-fox", "12345678901234567890",
                                        "don't", "aaa",   "\n"};
      text += words[rng->Below(9)];
    }
    if (style != 0) text::AppendUtf8(&text, kCommon[rng->Below(kCommon.size())]);
    if (style == 3) text::AppendUtf8(&text, static_cast<char32_t>(1 + rng->Below(0x30000)));
  }
  return text;
}

std::string_view Padded(std::string* text) {
  const size_t size = text->size();
  text->append("aaaaaaa  \n11the the the", 22).append(64, 'x');  // what lies behind a text must not count
  return std::string_view(*text).substr(0, size);
}

// Character by character, by the properties of text/.
TEST(Survey, CountsWhatIsThere) {
  Rng rng(2);
  for (int round = 0; round < 1500; ++round) {
    std::string text = RandomText(&rng);
    const std::u32string plain = text::DecodeUtf8(text);
    const Survey survey = PlainCharTable().Scan(Padded(&text));
    uint32_t letters = 0, digits = 0, spaces = 0, signs = 0, run = 0, longest = 0;
    char32_t before = 0;
    for (const char32_t c : plain) {
      const uint16_t bits = text::Properties(c);
      letters += (bits & (text::kLetter | text::kHan)) != 0 && (bits & (text::kPunctuation | text::kSymbol)) == 0;
      digits += (bits & text::kNumber) && !(bits & text::kHan);
      spaces += (bits & text::kSpace) != 0;
      signs += (bits & (text::kPunctuation | text::kSymbol)) && !(bits & text::kHan);
      run = c == before ? run + 1 : 1;
      before = c;
      longest = std::max(longest, run);
    }
    ASSERT_EQ(survey.characters, plain.size());
    ASSERT_EQ(survey.longest_run, longest) << text;
    if (plain.find_first_of(U"々〆〇") == std::u32string::npos) ASSERT_LE(letters, survey.letters()) << text;
    ASSERT_EQ(survey.count[kClassDigit], digits) << text;
    ASSERT_EQ(survey.count[kClassSpace], spaces) << text;
    ASSERT_EQ(survey.count[kClassPunct] + survey.count[kClassSymbol], signs) << text;
  }
}

TEST(Survey, SaysWhatTroubleThereIs) {
  const auto trouble = [](std::string text) { return PlainCharTable().Scan(Padded(&text)).trouble; };
  EXPECT_EQ(trouble("plain English text, with 42 words & more than one line"), kMarkup);
  EXPECT_EQ(trouble("这个产品的质量非常好，我很喜欢。“好”") & ~(kQuote | kStopHan), kWideMark | kNotNfkc);
  EXPECT_TRUE(trouble("e\xCC\x81") & kNotNfc);
  EXPECT_FALSE(trouble("é") & kNotNfc);
  EXPECT_TRUE(trouble("ＡＢ") & kWide);
  EXPECT_TRUE(trouble("tab\there, in a long line of ordinary letters") & kOddSpace);
  EXPECT_TRUE(trouble("a long line of ordinary letters with a bell\x07") & kControl);
  EXPECT_TRUE(trouble("zero\xE2\x80\x8Bwidth") & kInvisible);
}

// Words and repeated runs of three, by a set.
TEST(Tokens, CountsWordsAndRepeats) {
  Rng rng(4);
  Tokeniser tokeniser(&PlainCharTable());
  for (int round = 0; round < 1500; ++round) {
    std::string text = RandomText(&rng);
    std::vector<std::string> words;
    std::string word;
    const auto end_word = [&] {
      if (!word.empty()) words.push_back(word);
      word.clear();
    };
    for (const char32_t c : text::DecodeUtf8(text)) {
      const int kind = PlainCharTable().Of(c) & 15;
      std::string one;
      text::AppendUtf8(&one, c);
      if (kind == kClassHan || kind == kClassHanChina || kind == kClassHanJapan || kind == kClassKana) {
        end_word();
        words.push_back(one);
      } else if (kind == kClassAscii || kind == kClassLatin || kind == kClassDigit || kind == kClassHangul ||
                 kind == kClassLetter || kind == kClassMark) {
        word += ToLowerAscii(one);
      } else {
        end_word();
      }
    }
    end_word();
    std::set<std::vector<std::string>> seen;
    uint32_t repeated = 0;
    for (size_t i = 2; i < words.size(); ++i) repeated += !seen.insert({words[i - 2], words[i - 1], words[i]}).second;
    const std::string copy = text;
    const std::string_view view = Padded(&text);
    const Tokens tokens = tokeniser.Count(view);
    ASSERT_EQ(tokens.words, words.size()) << copy;
    ASSERT_EQ(tokens.triples, words.size() < 3 ? 0 : words.size() - 2) << copy;
    ASSERT_EQ(tokeniser.Repeated(view), repeated) << copy;
    ASSERT_GE(tokens.repeated, repeated) << copy;
  }
}

TEST(Language, TellsChineseEnglishAndOthers) {
  const std::pair<const char*, const char*> kTexts[] = {
      {"这个产品的质量非常好，下次还会再买。", "zh"},
      {"質量很好，值得購買", "zh"},
      {"不错", "zh"},
      {"用 Debian 的 apt 安装 openssh-server 软件包", "zh"},
      {"人民日报", "zh"},
      {"The delivery was fast and the quality is good.", "en"},
      {"Great product!", "en"},
      {"ok", "en"},
      {"Install required packages for the compilation", "en"},
      {"He visited the café in Zürich with Mr. Müller.", "en"},
      {"東京都の駅で働いています。", "other"},
      {"駅前広場", "other"},
      {"とても良い商品です", "other"},
      {"정말 좋은 제품입니다", "other"},
      {"Очень хороший товар", "other"},
      {"منتج جيد جدا", "other"},
      {"Die Lieferung war schnell und die Qualität ist gut.", "other"},
      {"Alles bestens, gerne wieder!", "other"},
      {"Très bon produit, je recommande.", "other"},
      {"El producto es muy bueno y lo recomiendo", "other"},
      {"Il prodotto è molto buono", "other"},
      {"O produto é muito bom", "other"},
      {"Barang bagus, pengiriman cepat, terima kasih", "other"},
      {"Dobrý produkt", "other"},
      {"12345 !!!", ""},
      {"", ""},
  };
  for (const auto& [text, language] : kTexts) EXPECT_EQ(LanguageOf(text), language) << text;
}

}  // namespace
}  // namespace atelier::data::clean
