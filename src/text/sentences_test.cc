#include "text/sentences.h"

#include <gtest/gtest.h>
#include <string>

#include "base/str.h"

namespace atelier::text {
namespace {

TEST(SentencesTest, EndersOfBothLanguages) {
  const auto cut = [](std::string_view text) {
    std::vector<std::string> out;
    for (const std::string_view sentence : Sentences(text)) out.emplace_back(Trim(sentence));
    return out;
  };
  EXPECT_EQ(cut("他说：“走吧！”我们就走了。真的？！是。"),
            (std::vector<std::string>{"他说：“走吧！”", "我们就走了。", "真的？！", "是。"}));
  EXPECT_EQ(cut("Use tools, e.g. apt, vs. dpkg. Version 2.5 of Dr. J. Smith works. See No. 5 now. No. Yes!"),
            (std::vector<std::string>{"Use tools, e.g. apt, vs. dpkg.", "Version 2.5 of Dr. J. Smith works.",
                                      "See No. 5 now.", "No.", "Yes!"}));
  EXPECT_EQ(cut("Edit /etc/fstab. 然后重启 sshd.service 即可。"),
            (std::vector<std::string>{"Edit /etc/fstab.", "然后重启 sshd.service 即可。"}));
  EXPECT_EQ(cut("He said \"Go.\" Then left."), (std::vector<std::string>{"He said \"Go.\"", "Then left."}));
  EXPECT_TRUE(cut("").empty());

  std::string hostile = "\xFF\xE4.\xF0\x9F。";
  std::string joined;
  for (const std::string_view sentence : Sentences(hostile)) joined += sentence;
  EXPECT_EQ(joined, hostile);
}

}  // namespace
}  // namespace atelier::text
