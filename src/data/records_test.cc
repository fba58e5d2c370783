#include "data/records.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::data {
namespace {

class Records : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(::testing::TempDir(), "records_", ::getpid());
    MakeFolders(folder_);
  }
  std::string File(const std::string& name, std::string_view bytes) {
    const std::string path = Cat(folder_, "/", name);
    WriteFileAtomic(path, bytes);
    return path;
  }
  std::string MessageOf(const std::string& path, const ImportOptions& options = {}) {
    try {
      ReadRecords(path, options);
    } catch (const Error& e) {
      return e.Line();
    }
    return "";
  }
  std::string folder_;
};

TEST_F(Records, CsvAndJsonLinesGiveTheSame) {
  ImportOptions options;
  options.list_fields = {"features"};
  const auto csv =
      ReadRecords(File("a.csv", "\xEF\xBB\xBFname,features,price\n杯子,保温；便携；500毫升,59元\n"), options);
  const auto jsonl =
      ReadRecords(File("a.jsonl", R"({"name":" 杯子 ","features":["保温","便携",""," 500毫升"],"price":"59元"})"
                                  "\r\n\n"),
                  options);
  ASSERT_EQ(csv.records.size(), 1u);
  EXPECT_EQ(csv.encoding, Encoding::kUtf8Bom);
  EXPECT_EQ(csv.records[0].fields, jsonl.records[0].fields);
  EXPECT_EQ(csv.records[0].fields["features"], Json({"保温", "便携", "500毫升"}));
  EXPECT_EQ(csv.records[0].line, 2u);
  EXPECT_EQ(jsonl.records[0].line, 1u);
}

TEST_F(Records, ListsComeInManyHands) {
  constexpr std::string_view kMarks = ";；、|\n";
  EXPECT_EQ(SplitList("a; b;c", kMarks), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(SplitList("甲、乙；丙", kMarks), (std::vector<std::string>{"甲", "乙", "丙"}));
  EXPECT_EQ(SplitList(R"(["a, b", 3, ""])", kMarks), (std::vector<std::string>{"a, b", "3"}));
  EXPECT_EQ(SplitList("[not json; at all]", kMarks), (std::vector<std::string>{"[not json", "at all]"}));
  EXPECT_EQ(SplitList(" ; ;", kMarks), std::vector<std::string>{});
}

TEST_F(Records, ReadsTheEncodingsOfOffices) {
  // "名称,价格\n茶,5元\n" in each.
  const std::string gb = "\xC3\xFB\xB3\xC6,\xBC\xDB\xB8\xF1\n\xB2\xE8,5\xD4\xAA\n";
  std::string le = "\xFF\xFE", be = "\xFE\xFF";
  for (const char16_t unit : std::u16string_view(u"名称,价格\n茶,5元\n")) {
    const char low = static_cast<char>(unit & 0xFF), high = static_cast<char>(unit >> 8);
    le += {low, high};
    be += {high, low};
  }
  for (const auto& [bytes, encoding] : std::vector<std::pair<std::string, Encoding>>{
           {gb, Encoding::kGb18030}, {le, Encoding::kUtf16Le}, {be, Encoding::kUtf16Be}}) {
    const auto read = ReadRecords(File("e.csv", bytes));
    EXPECT_EQ(read.encoding, encoding);
    EXPECT_EQ(read.records.at(0).fields, Json({{"名称", "茶"}, {"价格", "5元"}})) << Name(encoding);
  }
}

TEST_F(Records, OtherBytesAreNamedByLine) {
  EXPECT_NE(MessageOf(File("latin1.csv", "name,price\ncaf\xE9,5\n"))
                .find("latin1.csv:2: the byte 0xe9 is neither UTF-8 nor GB18030"),
            std::string::npos);
  EXPECT_NE(MessageOf(File("mixed.csv", "名称\n茶\nab\xFF\xFE\n")).find("mixed.csv:3: the byte 0xff"),
            std::string::npos);
  EXPECT_NE(MessageOf(File("nul.csv", std::string("a\nb\0c\n", 6))).find("nul.csv:2: a NUL byte"), std::string::npos);
  EXPECT_NE(MessageOf(File("odd.csv", "\xFF\xFE\x61")).find("odd number of bytes"), std::string::npos);
  EXPECT_NE(MessageOf(File("pair.csv", std::string("\xFF\xFE\n\0\x00\xD8\x61\0", 8)))
                .find("pair.csv:2: half of a UTF-16 pair"),
            std::string::npos);
}

TEST_F(Records, BadJsonLinesAreNamedByLine) {
  EXPECT_NE(MessageOf(File("b.jsonl", "{\"a\":1}\n{\"a\":\n")).find("b.jsonl:2: not a JSON object"), std::string::npos);
  EXPECT_NE(MessageOf(File("c.jsonl", "[1]\n")).find("c.jsonl:1: not a JSON object"), std::string::npos);
  EXPECT_NE(MessageOf(File("d.jsonl", "{\"a\":{\"b\":1}}\n")).find("the field 'a' holds an object"), std::string::npos);
  EXPECT_NE(MessageOf(File("e.jsonl", "\n\n")).find("no records"), std::string::npos);
}

TEST_F(Records, UnknownFieldsAreNamedWithTheNearest) {
  ImportOptions options;
  options.known_fields = {"name", "features"};
  EXPECT_NE(MessageOf(File("k.csv", "name,featurs\na,b\n"), options)
                .find("unknown field 'featurs' (did you mean 'features'?)"),
            std::string::npos);
}

TEST_F(Records, AFileBeyondTheLimitIsRefused) {
  ImportOptions options;
  options.most_bytes = 100;
  EXPECT_NE(MessageOf(File("big.csv", std::string(101, 'a')), options).find("larger than 100 B"), std::string::npos);
}

}  // namespace
}  // namespace atelier::data
