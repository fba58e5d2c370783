#include "retrieve/chunk.h"

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::retrieve {
namespace {

Document Read(std::string_view text, TextKind kind) {
  Document document;
  document.id = "d";
  ReadText(text, kind, &document);
  return document;
}

std::vector<std::string> Texts(const Document& document, const ChunkOptions& options = {}) {
  std::vector<std::string> texts;
  for (const Chunk& chunk : ChunkDocument(document, options)) {
    texts.push_back(document.text.substr(chunk.begin, chunk.end - chunk.begin));
  }
  return texts;
}

// What holds for every document, however ugly.
void Hold(const Document& document, const ChunkOptions& options) {
  size_t before = 0;
  std::vector<bool> covered(document.text.size());
  for (const Chunk& chunk : ChunkDocument(document, options)) {
    ASSERT_LT(chunk.begin, chunk.end);
    ASSERT_LE(chunk.end, document.text.size());
    ASSERT_GE(chunk.begin, before);  // in order; overlaps only forward
    before = chunk.begin;
    const std::string_view text = std::string_view(document.text).substr(chunk.begin, chunk.end - chunk.begin);
    EXPECT_TRUE(text::IsValidUtf8(text));
    EXPECT_LE(EstimateTokens(text), options.most + options.most / 4 + 8) << text.substr(0, 200);
    EXPECT_EQ(chunk.begin_char, text::CountChars(std::string_view(document.text).substr(0, chunk.begin)));
    EXPECT_EQ(chunk.end_char - chunk.begin_char, text::CountChars(text));
    for (size_t i = chunk.begin; i < chunk.end; ++i) covered[i] = true;
  }
  for (const Block& block : document.blocks) {
    if (block.kind == BlockKind::kHeading) continue;
    for (size_t i = block.begin; i < block.end; ++i) {
      const bool blank = std::isspace(static_cast<unsigned char>(document.text[i])) != 0;
      ASSERT_TRUE(covered[i] || blank) << "byte " << i << " of a block is in no chunk";
    }
  }
}

TEST(ChunkTest, NothingCrossesAHeadingAndPathsAreKept) {
  const Document document = Read(
      "# 手册\n\n前言。\n\n## 安装\n\n先下载。\n\n### 网络\n\n再联网。\n\n## Use\n\nRun it.\n", TextKind::kMarkdown);
  const std::vector<Chunk> chunks = ChunkDocument(document);
  ASSERT_EQ(chunks.size(), 4U);
  EXPECT_EQ(chunks[0].headings, "手册");
  EXPECT_EQ(chunks[2].headings, "手册\x1f安装\x1f网络");
  EXPECT_EQ(chunks[3].headings, "手册\x1fUse");
  EXPECT_EQ(Texts(document)[2], "再联网。");
  EXPECT_EQ(chunks[2].begin_char, text::CountChars(std::string_view(document.text).substr(0, chunks[2].begin)));
}

TEST(ChunkTest, TablesAndCodeStayWholeWhereTheyFit) {
  std::string text = "# T\n\n";
  for (int i = 0; i < 14; ++i) text += Cat("Sentence number ", i, " says something of some length about nothing. ");
  const std::string table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
                    code = "```\nfor x in *; do\n\n  echo $x\ndone\n```";
  text += "\n\n" + table + "\n\n" + code + "\n";
  const Document document = Read(text, TextKind::kMarkdown);
  size_t tables = 0, codes = 0;
  for (const std::string& chunk : Texts(document, {80, 140, 20})) {
    tables += chunk.find(table) != std::string::npos;
    codes += chunk.find(code) != std::string::npos;
  }
  EXPECT_EQ(tables, 1U);
  EXPECT_EQ(codes, 1U);
  Hold(document, {80, 140, 20});
}

TEST(ChunkTest, NeighboursOverlapByWholeSentences) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += Cat("Sentence number ", i, " is here. ");
  const Document document = Read(text, TextKind::kPlain);
  const std::vector<Chunk> chunks = ChunkDocument(document, {60, 100, 20});
  ASSERT_GT(chunks.size(), 3U);
  for (size_t i = 1; i < chunks.size(); ++i) {
    EXPECT_LT(chunks[i].begin, chunks[i - 1].end);
    EXPECT_TRUE(std::string_view(document.text).substr(chunks[i].begin).starts_with("Sentence number "));
  }
  const std::vector<Chunk> apart = ChunkDocument(document, {60, 100, 0});
  for (size_t i = 1; i < apart.size(); ++i) EXPECT_GE(apart[i].begin, apart[i - 1].end);
}

TEST(ChunkTest, UglyText) {
  std::vector<std::string> texts = {"",
                                    " \n\t\n",
                                    "x",
                                    "\xEF\xBB\xBF# only a heading",
                                    "😀👩‍👩‍👧 family\n\n🇨🇳",
                                    "שלום עולם. مرحبا بالعالم!",
                                    "\xff\xfe broken \xc3\x28 bytes",
                                    "a\0b\n\nc",
                                    "| not | closed",
                                    "```\nnever closed\n\n# not a heading",
                                    "Title\n=====\n\nBody.",
                                    "   ####### seven\n#nospace\n# ",
                                    std::string(3000, '\n'),
                                    "# A\n## B\n# C\n\n\n### D"};
  texts.push_back(std::string(200'000, 'x'));
  std::string han, mixed;
  for (int i = 0; i < 30'000; ++i) han += "字";
  for (int i = 0; i < 5'000; ++i) mixed += "word 词 ";
  texts.push_back(han);
  texts.push_back(mixed);
  texts.push_back("# t\n\n" + han + "\n\n```\n" + std::string(20'000, 'c') + "\n```");
  for (const std::string& text : texts) {
    for (const TextKind kind : {TextKind::kPlain, TextKind::kMarkdown, TextKind::kHtml}) {
      const Document document = Read(text, kind);
      Hold(document, {});
      Hold(document, {40, 60, 10});
    }
  }
}

TEST(ChunkTest, TheTokensAreAboutWhatAModelMakes) {
  EXPECT_EQ(EstimateTokens(""), 0);
  // XLM-R makes 9 of the first and 12 of the second.
  EXPECT_NEAR(EstimateTokens("The quick brown fox jumps over the lazy dog"), 11, 3);
  EXPECT_NEAR(EstimateTokens("软件包管理系统会自动解决依赖关系。"), 12, 3);
}

TEST(HtmlTest, BlocksAnchorsTablesAndCode) {
  const Document document = Read(
      "<html><head><title>T &amp; U</title><style>p{}</style></head><body><div class='toc'>no</div>"
      "<h1><a id=\"_top\"/>One</h1><p>First <b>bold</b>\n text.</p><ul><li><p>item</p></li><li>two</li></ul>"
      "<h2 id='sub'>Sub</h2><pre>$ ls\n  a  b</pre>"
      "<table border='1'><tr><th>k</th><th>v</th></tr><tr><td>a &lt; b</td><td><p>1</p></td></tr></table>"
      "<script>alert(1)</script></body></html>",
      TextKind::kHtml);
  EXPECT_EQ(document.title, "T & U");
  EXPECT_EQ(document.text, "One\nFirst bold text.\nitem\ntwo\nSub\n$ ls\n  a  b\nk | v\na < b | 1");
  ASSERT_EQ(document.blocks.size(), 7U);
  EXPECT_EQ(document.blocks[0].anchor, "_top");
  EXPECT_EQ(document.blocks[2].kind, BlockKind::kItem);
  EXPECT_EQ(document.blocks[4].anchor, "sub");
  EXPECT_EQ(document.blocks[5].kind, BlockKind::kCode);
  EXPECT_EQ(document.blocks[6].kind, BlockKind::kTable);
}

TEST(HtmlTest, NestingWithoutBoundIsRefused) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<div>";
  EXPECT_THROW(Read(deep, TextKind::kHtml), Error);
  std::string flat;
  for (int i = 0; i < 20'000; ++i) flat += "<p>text<br>";
  EXPECT_NO_THROW(Read(flat, TextKind::kHtml));
}

}  // namespace
}  // namespace atelier::retrieve
