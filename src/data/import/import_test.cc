#include "data/import/import.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/csv.h"
#include "data/import/section.h"
#include "data/media/picture_head.h"

namespace atelier::data {
namespace fs = std::filesystem;
namespace {

class ImportTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(testing::TempDir(), "import-", ::getpid(), "-",
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/in");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string File(const std::string& name, std::string_view bytes) const {
    const std::string path = Cat(folder_, "/in/", name);
    fs::create_directories(fs::path(path).parent_path());
    WriteFileAtomic(path, bytes);
    return path;
  }
  Manifest Take(ImportRequest request) {
    notes_.clear();
    const store::Objects objects(folder_ + "/objects");
    ImportHelpers helpers;
    helpers.objects = &objects;
    helpers.note = [&](const std::string& note) { notes_.push_back(note); };
    return Import(all(), "d", request, helpers);
  }
  Manifest Take(const std::string& path) { return Take(ImportRequest{.sources = {path}}); }
  std::string ErrorOf(const ImportRequest& request) {
    try {
      Take(request);
    } catch (const Error& e) {
      return e.Line();
    }
    return "";
  }
  // The records without our keys, as JSON.
  std::vector<Json> Records() const {
    std::vector<Json> out;
    DatasetReader(all(), "d").ReadAll([&](std::string_view lines) {
      for (const std::string& line : Split(lines.substr(0, lines.size() - 1), '\n')) {
        Json record = Json::parse(line);
        record.erase("_id");
        record.erase("_from");
        out.push_back(std::move(record));
      }
      return true;
    });
    return out;
  }
  std::vector<Json> Rejects() const {
    std::vector<Json> out;
    DatasetReader(all(), "d").ReadRejects([&](std::string_view lines) {
      for (const std::string& line : Split(lines.substr(0, lines.size() - 1), '\n')) out.push_back(Json::parse(line));
      return true;
    });
    return out;
  }
  Datasets all() const { return Datasets(folder_ + "/data"); }
  std::string folder_;
  std::vector<std::string> notes_;
};

TEST_F(ImportTest, BadRowsAreRejectedWithLineColumnAndReason) {
  const Manifest made = Take(File("t.csv",
                                  "名称,note\n茶,\"a \"\"b\"\"\nzwei\"\nonly one\n\"x\"y,2\n好,\xFF\xFE\n\nn,u\0l\n"
                                  "\"open,1\nlast,2\n"));
  const std::vector<Json> records = Records(), rejects = Rejects();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0], Json({{"名称", "茶"}, {"note", "a \"b\"\nzwei"}}));
  EXPECT_EQ(made.records, 2u);
  ASSERT_GE(rejects.size(), 3u);
  EXPECT_EQ(rejects[0]["line"], 4);
  EXPECT_NE(rejects[0]["reason"].get<std::string>().find("1 cells where the header has 2"), std::string::npos);
  EXPECT_EQ(rejects[1]["line"], 5);
  EXPECT_EQ(rejects[1]["column"], 4);
  EXPECT_EQ(rejects[2]["line"], 6);
  EXPECT_EQ(rejects[2]["reason"], "bytes that do not decode");
  EXPECT_EQ(made.rejects, rejects.size());
}

TEST_F(ImportTest, AQuoteThatNeverClosesCostsOneLine) {
  Take(File("t.csv", "a,b\n1,2\n\"open,3\n4,5\n6,7\n"));
  EXPECT_EQ(Records().size(), 3u);
  ASSERT_EQ(Rejects().size(), 1u);
  EXPECT_EQ(Rejects()[0]["line"], 3);
  // The same with more behind it than a cell may hold.
  std::string text = "a,b\n1,2\n\"open,3\n";
  for (int i = 0; i < 3000; ++i) text += "4,5\n";
  ImportRequest request{.sources = {File("big.csv", text)}};
  request.most_cell_bytes = 1000;
  Take(request);
  EXPECT_EQ(Records().size(), 3001u);
  EXPECT_EQ(Rejects().size(), 1u);
}

TEST_F(ImportTest, StrictFailsAtTheFirstAndLeavesNothing) {
  ImportRequest request{.sources = {File("t.csv", "a,b\n1,2\n3\n")}};
  request.strict = true;
  EXPECT_NE(ErrorOf(request).find("t.csv:3: a row of 1 cells"), std::string::npos);
  EXPECT_TRUE(all().Names().empty());
  EXPECT_FALSE(fs::exists(folder_ + "/data/d"));
}

TEST_F(ImportTest, TypesAreDetectedWhereTheyAreSure) {
  std::string text = "price,count,plz,phone,agent,day,mixed,long,item_id,empty\n";
  for (int i = 0; i < 20; ++i) {
    text += Cat(i, ".5,", i * 7, ",", 10115 + i, ",13800138", 100 + i, ",00", i, ",202401", 10 + i, ",",
                i == 19 ? "x" : "1", ",12345678901", i, ",", i, ",\n");
  }
  Take(File("t.csv", text));
  const Json record = Records()[3];
  EXPECT_EQ(record["price"], 3.5);
  EXPECT_EQ(record["count"], 21);
  EXPECT_EQ(record["plz"], "10118");
  EXPECT_EQ(record["phone"], "13800138103");
  EXPECT_EQ(record["agent"], "003");
  EXPECT_EQ(record["day"], "20240113");
  EXPECT_EQ(record["mixed"], "1");
  EXPECT_EQ(record["long"], "123456789013");
  EXPECT_EQ(record["item_id"], "3");
  EXPECT_EQ(record["empty"], "");
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("read as numbers: price, count "), std::string::npos) << notes_[0];

  ImportRequest request{.sources = {File("u.csv", text)}};
  request.types = {{"*", "text"}, {"plz", "number"}};
  Take(request);
  EXPECT_EQ(Records()[3]["price"], "3.5");
  EXPECT_EQ(Records()[3]["plz"], 10118);
  request.types = {{"prise", "number"}};
  EXPECT_NE(ErrorOf(request).find("did you mean 'price'"), std::string::npos);
}

TEST_F(ImportTest, ANumberColumnKeepsWhatIsNoNumberAsText) {
  ImportRequest request{.sources = {File("t.csv", "n\n1\n\n007\n2.50\nNaN\n1e999\n12345678901234567890\n\"\"\n")}};
  request.types = {{"n", "number"}};
  Take(request);
  EXPECT_EQ(Records(), (std::vector<Json>{{{"n", 1}},
                                          {{"n", "007"}},
                                          {{"n", 2.5}},
                                          {{"n", "NaN"}},
                                          {{"n", "1e999"}},
                                          {{"n", "12345678901234567890"}}}));
}

TEST_F(ImportTest, TheScannerGivesTheSameRowsHoweverTheTextIsCut) {
  const std::string text = "a,b\r\n\"x\"\"\r\ny\",2\r\nplain,\"\"\r3,4\n\"t,u\",v\"w\n";
  const CsvTable whole = ParseCsv(text, "t");
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    CsvScanner scanner(',', {});
    std::vector<std::vector<std::string>> rows;
    std::string held = text.substr(0, cut);
    size_t at = 0;
    bool last = false;
    while (true) {
      const auto step = scanner.Next(held, last, &at);
      if (step == CsvScanner::Step::kEnd) break;
      ASSERT_NE(step, CsvScanner::Step::kDefect) << cut;
      if (step == CsvScanner::Step::kMore) {
        ASSERT_FALSE(last);
        held = held.substr(at) + text.substr(cut);
        at = 0;
        last = true;
        continue;
      }
      rows.emplace_back(scanner.cells().begin(), scanner.cells().end());
    }
    ASSERT_EQ(rows.size(), whole.rows.size() + 1) << cut;
    for (size_t i = 0; i < whole.rows.size(); ++i) ASSERT_EQ(rows[i + 1], whole.rows[i].cells) << cut;
  }
}

TEST_F(ImportTest, JsonLinesKeepTheirTypesAndTheirOrder) {
  const Manifest made =
      Take(File("t.jsonl", "{\"z\":1.50,\"a\":[1,{\"b\":null}],\"_x\":true}\r\n\n{\"q\":\"中\"}\n{bad}\n{\"n\":NaN}"));
  DatasetReader(all(), "d").ReadAll([&](std::string_view lines) {
    EXPECT_NE(lines.find("\"z\":1.50,\"a\":[1,{\"b\":null}],\"x_x\":true,\"_from\":[0,1]}\n"), std::string_view::npos)
        << lines;
    return true;
  });
  EXPECT_EQ(made.records, 2u);
  EXPECT_EQ(made.rejects, 2u);
  EXPECT_EQ(Rejects()[1]["line"], 5);
  EXPECT_EQ(made.sources[0].sha256.size(), 64u);
  EXPECT_NE(notes_.at(0).find("'_x' is kept as 'x_x'"), std::string::npos);
}

TEST_F(ImportTest, OfficeEncodingsStream) {
  // "名称,价格\n茶,5元\n" in GB18030, and a row that is broken in it.
  const Manifest gb = Take(File("gb.csv", "\xC3\xFB\xB3\xC6,\xBC\xDB\xB8\xF1\n\xB2\xE8,5\xD4\xAA\n"));
  EXPECT_EQ(gb.sources[0].encoding, "GB18030");
  EXPECT_EQ(Records()[0], Json({{"名称", "茶"}, {"价格", "5元"}}));
  // ASCII for longer than the first look, then GB18030.
  std::string late = "a,b\n";
  while (late.size() < 3u << 20) late += "1,plain words and nothing else\n";
  const size_t rows = static_cast<size_t>(std::count(late.begin(), late.end(), '\n'));
  for (int i = 0; i < 50; ++i) late += "2,\xB2\xE8\xBA\xCD\xBF\xA7\xB7\xC8\n";
  EXPECT_EQ(Take(File("late.csv", late)).sources[0].encoding, "GB18030");
  EXPECT_EQ(Records().at(rows)["b"], "茶和咖啡");
  EXPECT_NE(ErrorOf({.sources = {File("latin1.csv",
                                      "name\ncaf\xE9 cr\xE8me br\xFBl\xE9"
                                      "e\n")}})
                .find("latin1.csv:2"),
            std::string::npos);
}

TEST_F(ImportTest, ManyRowsInLittleBlocksAreAllThere) {
  // Rows of every length around the reader's block, quoted and not, Chinese: nothing is lost or doubled at a seam.
  Rng rng(3);
  std::string text = "i,t\n";
  std::vector<std::string> want;
  for (int i = 0; i < 40'000; ++i) {
    std::string cell;
    for (uint64_t n = rng.Below(60); n > 0; --n) cell += rng.Below(3) == 0 ? "茶" : rng.Below(9) == 0 ? "\r\n" : "ab";
    want.push_back(cell);
    text += Cat("r", i, ",\"", cell, "\"\n");
  }
  Take(File("t.csv", text));
  const std::vector<Json> records = Records();
  ASSERT_EQ(records.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(records[i]["i"], Cat("r", i));
    ASSERT_EQ(records[i]["t"], want[i]);
  }
}

TEST_F(ImportTest, BombsAreClearErrorsOrRejects) {
  std::string wide = "a";
  for (int i = 0; i < 1'000'000; ++i) wide += ",x";
  EXPECT_NE(ErrorOf({.sources = {File("wide.csv", wide + "\n1\n")}}).find("more than 10000 columns"),
            std::string::npos);
  ImportRequest request{.sources = {File("cell.csv", "a,b\n1," + std::string(3u << 20, 'x') + "\n3,4\n")}};
  request.most_cell_bytes = 1u << 20;
  Take(request);
  EXPECT_EQ(Records().size(), 1u);
  EXPECT_NE(Rejects().at(0)["reason"].get<std::string>().find("more than 1.0 MiB"), std::string::npos);
  EXPECT_NE(ErrorOf({.sources = {File("zero.csv", std::string(1000, '\0'))}}), "");
  EXPECT_NE(ErrorOf({.sources = {File("none.csv", "")}}).find("empty"), std::string::npos);
  EXPECT_NE(ErrorOf({.sources = {File("head.csv", "a,b\n")}}).find("no records"), std::string::npos);
  EXPECT_NE(ErrorOf({.sources = {File("twice.csv", "a,a\n1,2\n")}}).find("two columns are named 'a'"),
            std::string::npos);
}

TEST_F(ImportTest, TextByParagraphLineOrFile) {
  const std::string path = File("t.txt", "eins\nzwei\n\n \n三\r\n\r\nvier");
  EXPECT_EQ(Take(path).records, 3u);
  EXPECT_EQ(Records()[0]["text"], "eins\nzwei");
  EXPECT_EQ(Records()[1]["text"], "三");
  EXPECT_EQ(Take({.sources = {path}, .unit = "line"}).records, 4u);
  EXPECT_EQ(Take({.sources = {path}, .unit = "file"}).records, 1u);
  EXPECT_EQ(Records()[0]["text"], "eins\nzwei\n\n \n三\n\nvier");
}

TEST_F(ImportTest, FoldersGoFileByFile) {
  File("b/t.txt", "one");
  File("a.md", "# T\nx");
  File("c.weird", "?");
  const Manifest made = Take(folder_ + "/in");
  EXPECT_EQ(made.records, 2u);
  ASSERT_EQ(made.sources.size(), 2u);
  EXPECT_EQ(made.sources[0].name, "a.md");
  EXPECT_EQ(made.sources[1].name, "b/t.txt");
  EXPECT_NE(notes_.at(0).find("c.weird"), std::string::npos);
}

TEST_F(ImportTest, SqliteTablesAreReadAndNothingElse) {
  const std::string path = folder_ + "/in/t.db";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db,
                         "CREATE TABLE \"o d\"(id INTEGER, t TEXT, v REAL, _x TEXT); INSERT INTO \"o d\" VALUES "
                         "(9007199254740993,'茶 \"x\"',1.5,NULL),(2,CAST(x'ff' AS TEXT),1,NULL),(3,'c',9e999,''),"
                         "(4,x'00',1,NULL)",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  const std::string before = ReadFile(path);
  Take({.sources = {path}, .table = "o d"});
  EXPECT_EQ(Records(),
            (std::vector<Json>{{{"id", 9007199254740993}, {"t", "茶 \"x\""}, {"v", 1.5}, {"x_x", nullptr}}}));
  EXPECT_EQ(Rejects().size(), 3u);
  Take({.sources = {path}, .query = "SELECT id + 1 AS next FROM \"o d\" WHERE id < 5 ORDER BY id"});
  EXPECT_EQ(Records(), (std::vector<Json>{{{"next", 3}}, {{"next", 4}}, {{"next", 5}}}));
  EXPECT_NE(ErrorOf({.sources = {path}, .query = "DELETE FROM \"o d\""}).find("one statement that reads"),
            std::string::npos);
  EXPECT_NE(ErrorOf({.sources = {path}, .query = "SELECT 1; SELECT 2"}).find("one statement"), std::string::npos);
  EXPECT_NE(ErrorOf({.sources = {path}, .query = "ATTACH '/tmp/x' AS x"}), "");
  EXPECT_NE(ErrorOf({.sources = {path}, .table = "od"}).find("did you mean 'o d'"), std::string::npos);
  EXPECT_NE(ErrorOf({.sources = {File("no.db", "not a database, by far not one, but long enough for a header to be")},
                     .table = "t"}),
            "");
  EXPECT_EQ(ReadFile(path), before);
}

TEST(Pictures, HeadsSayTheSize) {
  using namespace std::string_literals;
  const auto is = [](const std::string& bytes, std::string_view format, uint32_t width, uint32_t height) {
    const auto info = ReadPictureHead(bytes);
    ASSERT_TRUE(info) << format;
    EXPECT_EQ(info->format, format);
    EXPECT_EQ(info->width, width) << format;
    EXPECT_EQ(info->height, height) << format;
    for (size_t cut = 0; cut < bytes.size(); ++cut) ReadPictureHead(bytes.substr(0, cut));  // no read behind the end
  };
  is("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\1\x90\0\0\0\x14"s, "png", 400, 20);
  is("GIF89a\x10\0\x20\0"s, "gif", 16, 32);
  is("\xFF\xD8\xFF\xE0\0\x04JF\xFF\xC2\0\x11\x08\0\x64\1\x2C\3\0\0\0"s, "jpeg", 300, 100);
  is("RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x0F\0\0\x1F\0\0"s, "webp", 16, 32);
  is("BM"s + std::string(16, 0) + "\x10\0\0\0\xE0\xFF\xFF\xFF"s, "bmp", 16, 32);
  EXPECT_FALSE(ReadPictureHead("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\0\0\0\0\x14"s));
  EXPECT_FALSE(ReadPictureHead("\xFF\xD8\xFF\xD9"s));
  EXPECT_FALSE(ReadPictureHead("hello"));
}

TEST(Markdown, SectionsKnowTheirHeadings) {
  const Document document = ParseMarkdown(
      "---\ntitle: 手册\ntags:\n- a\n- b\ndraft: true\n---\nintro\n\n# A\n## B ##\none\n\n```sh\n# no "
      "heading\n\n```\nSetext\n===\n"
      "x\n\n| h |\n|---|\n| 1 |\n#nospace\n\n### C");
  EXPECT_EQ(document.title, "手册");
  ASSERT_EQ(document.sections.size(), 3u);
  EXPECT_EQ(document.sections[0].text, "intro");
  EXPECT_EQ(document.sections[1].headings, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(document.sections[1].text, "one\n\n```sh\n# no heading\n \n```");
  EXPECT_EQ(document.sections[1].line, 11u);
  EXPECT_EQ(document.sections[2].headings, std::vector<std::string>{"Setext"});
  EXPECT_EQ(document.sections[2].text, "x\n\n| h |\n|---|\n| 1 |\n#nospace");
  EXPECT_EQ(document.fields, (std::vector<std::pair<std::string, std::string>>{
                                 {"title", "\"手册\""}, {"tags", "[\"a\",\"b\"]"}, {"draft", "\"true\""}}));
}

TEST(Html, TextWithoutWhatSurroundsIt) {
  const Document document = ExtractHtml(
      "<title> The  page</title><nav>menu</nav><header role=banner>logo</header><h1>One</h1><p>Some <b>bold</b>\n text"
      "<br>second<script>alert(1)</script><ul><li>a<li>b</ul><div hidden>secret</div><h2>二</h2><table><tr><th>k<td>v"
      "<tr><td>1<td>2</table><pre>\n  two\n   three</pre><footer>imprint</footer><p>&lt;tag&gt; &nbsp;&amp;");
  EXPECT_EQ(document.title, "The page");
  ASSERT_EQ(document.sections.size(), 2u);
  EXPECT_EQ(document.sections[0].text, "Some bold text\nsecond\n\n- a\n- b");
  EXPECT_EQ(document.sections[1].headings, (std::vector<std::string>{"One", "二"}));
  EXPECT_EQ(document.sections[1].text, "k | v\n1 | 2\n\n  two\n   three\n\n<tag> \xC2\xA0&");
  const Document main = ExtractHtml("<div>around</div><main><p>inside</main><div>after</div>");
  ASSERT_EQ(main.sections.size(), 1u);
  EXPECT_EQ(main.sections[0].text, "inside");
  EXPECT_EQ(ToJson(DocumentFromJson(ToJson(document))), ToJson(document));
}

TEST(Html, DeepNestingIsAnErrorAndManyParagraphsAreNot) {
  std::string deep, flat;
  for (int i = 0; i < 100'000; ++i) deep += "<div>";
  for (int i = 0; i < 50'000; ++i) flat += "<p>x<br><li>y";
  EXPECT_THROW(ExtractHtml(deep), Error);
  EXPECT_THROW(ExtractHtml(deep.substr(0, 5 * 5000)), Error);
  EXPECT_EQ(ExtractHtml(flat).sections.size(), 1u);
  EXPECT_NO_THROW(ExtractHtml(""));
  EXPECT_NO_THROW(ExtractHtml(std::string("<\0a<//><<<!--", 13)));
}

}  // namespace
}  // namespace atelier::data
