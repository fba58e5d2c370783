#include "evaluate/line_file.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace atelier::evaluate {
namespace {

std::string Complaint(const std::function<void()>& what) {
  try {
    what();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(LineFile, LinesEndInLineFeedsOnly) {
  const auto file = ParseLineFile(
      "\xEF\xBB\xBF"
      "a \r\n\n\u3000b\u2028"
      "c\x1e"
      "d",
      "f");
  EXPECT_EQ(file->lines, (std::vector<std::string_view>{"a", "",
                                                        "\u3000b\u2028"
                                                        "c\x1e"
                                                        "d"}));
  EXPECT_EQ(ParseLineFile("a\n\n", "f")->lines.size(), 2u);
}

TEST(LineFile, FaultsNameFileAndLine) {
  EXPECT_EQ(Complaint([] { ParseLineFile("", "f"); }), "f: is empty");
  EXPECT_EQ(Complaint([] {
              ParseLineFile(
                  "good\nba\xFF"
                  "d\n",
                  "f");
            }),
            "f:2: byte 3 of the line is not UTF-8");
  const auto four = ParseLineFile("a\nb\nc\nd\n", "h"), two = ParseLineFile("a\nb\n", "r");
  EXPECT_EQ(Complaint([&] { MustAlign(*four, *two); }),
            "h:3: has no counterpart: r ends after 2 lines, this one after 4");
  EXPECT_EQ(Complaint([&] { MustAlign(*two, *four); }),
            "h:3: has no counterpart: r ends after 2 lines, this one after 4");
  EXPECT_EQ(Complaint([] { MustSay(*ParseLineFile("\n \u3000\n", "r")); }), "r: every reference is empty");
  EXPECT_EQ(Complaint([] { MustSay(*ParseLineFile("\na\n", "r")); }), "");
}

}  // namespace
}  // namespace atelier::evaluate
