#include "retrieve/html_child.h"

#include <sys/stat.h>

#include <filesystem>

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"

namespace atelier::retrieve {
namespace {

class HtmlChildTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "html-child-" + NewUuid();
    MakeFolders(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What reading a page says with this shell script in the place of atelier; "" where it is read.
  std::string Says(const std::string& script, data::ChildLimits limits = {}) {
    const std::string program = folder_ + "/child";
    WriteFileAtomic(program, "#!/bin/sh\n" + script + "\n");
    ::chmod(program.c_str(), 0755);
    document_ = {};
    document_.id = "page";
    try {
      ReadText("<p>page</p>", TextKind::kHtml, &document_, ReadHtmlInChild(program, limits));
    } catch (const Error& e) {
      EXPECT_EQ(e.Line().find('\n'), std::string::npos) << e.Line();
      code_ = e.code();
      return e.Line();
    }
    return "";
  }

  std::string folder_;
  Document document_;
  Code code_ = Code::kInternal;
};

TEST_F(HtmlChildTest, TheDocumentComesThroughWhole) {
  Document direct;
  ReadHtml(
      "<title>T</title><h1 id=a>一 😀</h1><p>Text &amp; <b>more</b><ul><li>item</ul><pre> code\n</pre>"
      "<h2><a id=\"b\"/>Two</h2><table border=1><tr><td>1<td>2</table>",
      &direct);
  Document back;
  HtmlFromJson(ParseJson(ToText(HtmlToJson(direct)), "test"), &back);
  EXPECT_EQ(back.text, direct.text);
  EXPECT_EQ(back.title, "T");
  ASSERT_EQ(back.blocks.size(), direct.blocks.size());
  ASSERT_GE(back.blocks.size(), 6U);
  for (size_t i = 0; i < back.blocks.size(); ++i) {
    EXPECT_EQ(back.blocks[i].kind, direct.blocks[i].kind);
    EXPECT_EQ(back.blocks[i].level, direct.blocks[i].level);
    EXPECT_EQ(back.blocks[i].begin, direct.blocks[i].begin);
    EXPECT_EQ(back.blocks[i].end, direct.blocks[i].end);
    EXPECT_EQ(back.blocks[i].anchor, direct.blocks[i].anchor);
  }
  EXPECT_EQ(back.blocks[0].anchor, "a");
}

TEST_F(HtmlChildTest, WhatTheChildSaysIsWhatIsRead) {
  EXPECT_EQ(Says("[ \"$1 $2 $(cat)\" = 'index read-html <p>page</p>' ] && "
                 "printf '%s' '{\"title\":\"T\",\"text\":\"One\\nTwo\",\"blocks\":[[0,1,0,3,\"x\"],[1,0,4,7,\"\"]]}'"),
            "");
  EXPECT_EQ(document_.text, "One\nTwo");
  EXPECT_EQ(document_.title, "T");
  EXPECT_EQ(document_.lang, "en");
  EXPECT_EQ(document_.blocks.at(0).anchor, "x");
}

TEST_F(HtmlChildTest, AChildThatTakesTooMuchIsStopped) {
  EXPECT_NE(Says("sleep 60", {.seconds = 0.3}).find("it takes too much to read: "), std::string::npos);
  EXPECT_EQ(code_, Code::kInvalidInput);
  EXPECT_NE(Says("while :; do :; done", {.seconds = 0.3}).find("did not end within"), std::string::npos);
  EXPECT_NE(Says("exec yes", {.output_bytes = 1u << 20}).find("wrote more than 1.0 MiB"), std::string::npos);
  EXPECT_NE(Says("exec yes 1>&2", {.output_bytes = 1u << 20}).find("wrote more than 1.0 MiB"), std::string::npos);
}

TEST_F(HtmlChildTest, AChildThatDiesIsOneLine) {
  EXPECT_EQ(Says("echo 'atelier: HTML that nests too deep (save it as text)' >&2; exit 1"),
            "HTML that nests too deep (save it as text)");
  EXPECT_EQ(Says("kill -SEGV $$"), "the reader of HTML ended with 139 (too deep or too large?)");
  EXPECT_EQ(Says("printf 'terminate\\033[31m called\\nmore\\n' >&2; exit 3"),
            "the reader of HTML: terminate\xEF\xBF\xBD[31m called");
  EXPECT_EQ(code_, Code::kInvalidInput);
}

TEST_F(HtmlChildTest, NonsenseIsNotBelieved) {
  for (const std::string json :
       {"", "{", "[]", "{}", R"({"title":1,"text":"","blocks":[]})", R"({"title":"","text":"","blocks":[1]})",
        R"({"title":"","text":"abc","blocks":[[5,0,0,1,""]]})", R"({"title":"","text":"abc","blocks":[[-1,0,0,1,""]]})",
        R"({"title":"","text":"abc","blocks":[[1,0,0,4,""]]})", R"({"title":"","text":"abc","blocks":[[1,0,2,1,""]]})",
        R"({"title":"","text":"abc","blocks":[[1,0,1,2,""],[1,0,0,1,""]]})",
        R"({"title":"","text":"abc","blocks":[[0,0,0,1,""]]})", R"({"title":"","text":"abc","blocks":[[1,2,0,1,""]]})",
        R"({"title":"","text":"abc","blocks":[[1,0,0,18446744073709551615,""]]})"}) {
    const std::string said = Says(Cat("echo '", json, "'"));
    EXPECT_NE(said, "") << json;
    EXPECT_EQ(code_, Code::kInvalidInput) << json;
    EXPECT_TRUE(document_.blocks.empty()) << json;
  }
}

}  // namespace
}  // namespace atelier::retrieve
