#include "text/unicode.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/rng.h"

namespace atelier::text {
namespace {

struct BrokenCase {
  const char* bytes;
  const char* clean;
};

// Expected values: Python 3.11, bytes.decode("utf-8", errors="replace").
constexpr BrokenCase kBroken[] = {
    {"\x80", "\uFFFD"},
    {"a\xFF"
     "b",
     "a\uFFFDb"},
    {"\xC0\xAF", "\uFFFD\uFFFD"},
    {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},
    {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
    {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
    {"\xE4\xB8", "\uFFFD"},
    {"\xE4\xB8x", "\uFFFDx"},
    {"\xF0\x9F\x98", "\uFFFD"},
    {"\xF0\x9F\xE4\xBD\xA0", "\uFFFD你"},
    {"\xF1\x80\x80\xE1\x80\xC2"
     "b\x80",
     "\uFFFD\uFFFD\uFFFDb\uFFFD"},
    {"\xF8\x88\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"},
    {"\xC2", "\uFFFD"},
    {"\xF4\x8F\xBF\xBF", "\U0010FFFF"},
};

TEST(Unicode, BrokenBytesBecomeReplacementsByMaximalSubparts) {
  for (const BrokenCase& c : kBroken) {
    EXPECT_EQ(SanitizeUtf8(c.bytes), c.clean);
    EXPECT_EQ(EncodeUtf8(DecodeUtf8(c.bytes)), c.clean);
    EXPECT_EQ(IsValidUtf8(c.bytes), std::string_view(c.bytes) == c.clean) << c.clean;
  }
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

TEST(Unicode, EveryCharacterSurvivesTheRoundTrip) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    std::string text;
    AppendUtf8(&text, c);
    const DecodedChar d = DecodeChar(text);
    ASSERT_TRUE(d.valid);
    ASSERT_EQ(d.length, text.size());
    ASSERT_EQ(d.c, c >= 0xD800 && c <= 0xDFFF ? kReplacement : c);
  }
  std::string beyond;
  AppendUtf8(&beyond, 0x110000);
  EXPECT_EQ(beyond, "\uFFFD");
}

TEST(Unicode, StreamGivesTheSameTextWhateverThePieces) {
  Rng rng(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    const size_t length = rng.Next() % 24;
    while (bytes.size() < length) {
      switch (rng.Next() % 4) {
        case 0: bytes.push_back(static_cast<char>(rng.Next())); break;
        case 1: AppendUtf8(&bytes, 0x4E00 + rng.Next() % 0x5000); break;
        case 2: AppendUtf8(&bytes, 0x1F600 + rng.Next() % 64); break;
        default: bytes.push_back('a');
      }
    }
    Utf8Stream stream;
    std::string out;
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = std::min<size_t>(1 + rng.Next() % 3, bytes.size() - at);
      const std::string piece = stream.Append(std::string_view(bytes).substr(at, size));
      ASSERT_TRUE(IsValidUtf8(piece));
      out += piece;
      at += size;
    }
    out += stream.Finish();
    ASSERT_EQ(out, SanitizeUtf8(bytes));
    ASSERT_FALSE(stream.pending());
  }
}

TEST(Unicode, StreamHoldsBackOnlyWhatCanStillBecomeACharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Append("\xE4\xB8"), "");
  EXPECT_TRUE(stream.pending());
  EXPECT_EQ(stream.Append("\x96\xE7"), "世");
  EXPECT_EQ(stream.Append("x"), "\uFFFDx");
  EXPECT_FALSE(stream.pending());
  EXPECT_EQ(stream.Append("\xF5"), "\uFFFD");  // no character begins so: nothing to wait for
  EXPECT_EQ(stream.Append("\xF0\x9F"), "");
  EXPECT_EQ(stream.Finish(), "\uFFFD");
  EXPECT_EQ(stream.Finish(), "");
}

TEST(Unicode, PropertiesOfKnownCharacters) {
  const auto has = [](char32_t c, uint16_t bits) { return (Properties(c) & bits) == bits; };
  EXPECT_TRUE(has(U'a', kLetter | kLatin | kLower));
  EXPECT_TRUE(has(U'Ж', kLetter | kUpper));
  EXPECT_FALSE(has(U'Ж', kLatin));
  EXPECT_TRUE(has(U'的', kLetter | kHan));
  EXPECT_TRUE(has(U'〇', kNumber | kHan));
  EXPECT_TRUE(has(U'々', kLetter | kHan));
  EXPECT_TRUE(has(0x20000, kLetter | kHan));
  EXPECT_TRUE(has(0x2EBF0, kLetter | kHan));  // Unicode 15.1
  EXPECT_TRUE(has(0x2EE5D, kLetter | kHan));
  EXPECT_TRUE(has(0x2EE5E, kUnassigned));
  EXPECT_TRUE(has(0x0301, kMark));
  EXPECT_TRUE(has(U'²', kNumber));
  EXPECT_TRUE(has(U'，', kPunctuation));
  EXPECT_TRUE(has(U'😀', kSymbol));
  EXPECT_TRUE(has(U'$', kSymbol));
  EXPECT_TRUE(has(0x3000, kSeparator | kSpace));
  EXPECT_TRUE(has(0xA0, kSeparator | kSpace));
  EXPECT_TRUE(has('\t', kControlChar | kSpace));
  EXPECT_TRUE(has(0x85, kControlChar | kSpace));
  EXPECT_FALSE(has(0x1C, kSpace));
  EXPECT_FALSE(has(0x200B, kSpace));
  EXPECT_TRUE(has(0x200B, kControlChar));
  EXPECT_TRUE(has(0x378, kUnassigned));
  EXPECT_EQ(Properties(0x110000), kUnassigned);
  EXPECT_EQ(Properties(0xFFFFFFFF), kUnassigned);
}

TEST(Unicode, EveryCharacterHasExactlyOneCategory) {
  constexpr uint16_t kCategories = 255;
  size_t letters = 0, numbers = 0, punctuation = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    ASSERT_EQ(__builtin_popcount(Properties(c) & kCategories), 1) << static_cast<uint32_t>(c);
    if (c >= 0x10000) continue;
    letters += IsLetter(c);
    numbers += IsNumber(c);
    punctuation += IsPunctuation(c);
  }
  // Counts of Python 3.11's unicodedata for U+0000..U+FFFF; Unicode 15 added none of these there.
  EXPECT_EQ(letters, 48965u);
  EXPECT_EQ(numbers, 735u);
  EXPECT_EQ(punctuation, 625u);
}

TEST(Unicode, PropertiesAreBuiltOnceByAnyThread) {
  std::vector<std::thread> threads;
  std::vector<uint16_t> seen(4);
  for (size_t i = 0; i < seen.size(); ++i) threads.emplace_back([&seen, i] { seen[i] = Properties(U'中'); });
  for (std::thread& thread : threads) thread.join();
  for (uint16_t bits : seen) EXPECT_EQ(bits, kLetter | kHan);
}

TEST(Unicode, NormalForms) {
  EXPECT_EQ(Nfc("e\u0301"), "é");
  EXPECT_EQ(Nfc("가"), "가");
  EXPECT_EQ(Nfc("ﬁ Ａ"), "ﬁ Ａ");
  EXPECT_EQ(Nfc("\xFF"), "\uFFFD");
  EXPECT_EQ(Nfc(""), "");
  EXPECT_EQ(FoldForComparison("Ｈéllo Straße ﬁ\u00AD①"), "héllo strasse fi1");
  EXPECT_EQ(FoldForComparison("第１名"), "第1名");
  EXPECT_EQ(ToLower("ÀΣΑ AΣ İ"), "àσα aς i̇");
}

TEST(Unicode, CountsAndWidths) {
  EXPECT_EQ(CountChars("a你😀\xFF"), 4u);
  EXPECT_EQ(CountChars(""), 0u);
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("你好，"), 6);
  EXPECT_EQ(DisplayWidth("😀"), 2);
  EXPECT_EQ(DisplayWidth("👩‍💻"), 2);
  EXPECT_EQ(DisplayWidth("👨‍👩‍👧‍👦"), 2);
  EXPECT_EQ(DisplayWidth("👍🏽"), 2);
  EXPECT_EQ(DisplayWidth("🇨🇳"), 2);
  EXPECT_EQ(DisplayWidth("❤️"), 2);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("ｱＡ한\u200B\t"), 5);
  EXPECT_EQ(DisplayWidth("\xFF"), 1);
  EXPECT_EQ(TakeColumns("你好吗", 5), "你好");
  EXPECT_EQ(TakeColumns("ae\u0301x", 2), "ae\u0301");
  EXPECT_EQ(TakeColumns("abc", -1), "");
  EXPECT_EQ(TakeColumns("abc", 9), "abc");
}

TEST(Unicode, ScriptShares) {
  const ScriptShares mixed = Scripts("我用iPhone 15 打字！");
  EXPECT_EQ(mixed.letters, 10u);
  EXPECT_DOUBLE_EQ(mixed.han, 0.4);
  EXPECT_DOUBLE_EQ(mixed.latin, 0.6);
  EXPECT_DOUBLE_EQ(Scripts("привет").other, 1.0);
  EXPECT_EQ(Scripts("123 !?").letters, 0u);
  EXPECT_EQ(Scripts("").han, 0.0);
}

}  // namespace
}  // namespace atelier::text
