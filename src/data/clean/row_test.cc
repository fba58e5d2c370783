#include "data/clean/row.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/record_line.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

struct ReadBack {
  std::vector<std::string> wrong, lines, written;
};

ReadBack Read(std::string text, bool ids = false) {
  const size_t size = text.size();
  text.append(kPadding, '\0');
  Arena arena;
  Row row(&arena);
  RowReader reader;
  reader.Start(std::string_view(text).substr(0, size));
  ReadBack back;
  std::string_view wrong;
  while (reader.Next(&row, &wrong)) {
    back.wrong.emplace_back(wrong);
    back.lines.emplace_back(row.line);
    if (!wrong.empty()) continue;
    std::string out;
    row.changes = 1;  // writes it field by field
    row.Write(&out, ids);
    back.written.push_back(out);
  }
  return back;
}

TEST(Row, KeepsFieldsAndTheirOrder) {
  const std::string line = R"({"b":"中文 \"x\" \\ \n","a":-1.50e+3,"n":null,"t":true,"l":[1,{"x":"]"}],"e":"","z":{}})";
  const ReadBack back = Read(line + "\n");
  ASSERT_EQ(back.wrong, std::vector<std::string>{""});
  EXPECT_EQ(back.written[0], line + "\n");
}

TEST(Row, UnescapesAndWritesTheFewestEscapes) {
  const ReadBack back = Read(R"({ "k\u0065y" : "\u4e2d\/\ud83d\ude00\u0007" , "n" : 1 }
)");
  ASSERT_EQ(back.wrong[0], "");
  EXPECT_EQ(back.written[0], "{\"key\":\"中/😀\\u0007\",\"n\":1}\n");
}

TEST(Row, RefusesWithAReason) {
  const struct {
    std::string line, why;
  } kCases[] = {
      {R"({"a":"\ud800"})", "a lone surrogate"},
      {R"({"a":"\udc00"})", "a lone surrogate"},
      {R"({"a":"\ud800\u0041"})", "a lone surrogate"},
      {R"({"a":"x\u0000y"})", "a NUL character"},
      {R"({"a":"\q"})", "an unknown escape in a string"},
      {R"({"a":"\u12"})", "a \\u escape that is cut off"},
      {R"({"a":"\u12g4"})", "a \\u escape that is not hexadecimal"},
      {"{\"a\":\"\xFF\"}", "invalid UTF-8"},
      {"{\"a\":\"\xED\xA0\x80\"}", "invalid UTF-8"},
      {"{\"a\":\"\t\"}", "a control character in a string"},
      {R"({"a":"x)", "a string that does not end"},
      {R"({"a":1,"a":2})", "a field's name that comes twice"},
      {R"({"a":1,"\u0061":2})", "a field's name that comes twice"},
      {R"({"a":01})", "a value that is not JSON"},
      {R"({"a":1.})", "a value that is not JSON"},
      {R"({"a":NaN})", "a value that is not JSON"},
      {R"({"a":1 "b":2})", "fields without a comma between them"},
      {R"({"a":1}{"b":2})", "text behind the object"},
      {R"({"a":1} x)", "text behind the object"},
      {R"({"a":[1,,2]})", "not JSON inside a value"},
      {R"({"a":[1})", "not JSON inside a value"},
      {R"({"a":[1)", "a nested value that does not end"},
      {R"({"a")", "a field's name without a colon"},
      {R"({"a":})", "a value that is not JSON"},
      {R"({"a":1)", "an object that does not end"},
      {R"({)", "a field without a name"},
      {R"([1])", "not a JSON object"},
      {R"("x")", "not a JSON object"},
      {R"(null)", "not a JSON object"},
  };
  // Each alone, and each between two good lines, which must come through.
  for (const auto& one : kCases) {
    EXPECT_EQ(Read(one.line + "\n").wrong[0], one.why) << one.line;
    const ReadBack between = Read("{\"x\":\"1\"}\n" + one.line + "\n{\"y\":\"2\"}\n");
    ASSERT_EQ(between.wrong.size(), 3u) << one.line;
    EXPECT_EQ(between.wrong[0], "");
    EXPECT_NE(between.wrong[1], "") << one.line;
    EXPECT_EQ(between.wrong[2], "") << one.line;
    EXPECT_EQ(between.written, (std::vector<std::string>{"{\"x\":\"1\"}\n", "{\"y\":\"2\"}\n"})) << one.line;
    EXPECT_EQ(between.lines[1], one.line);
  }
}

TEST(Row, BlankLinesAndMissingLineFeeds) {
  EXPECT_EQ(Read("").wrong.size(), 0u);
  EXPECT_EQ(Read("\n \n\r\n").wrong.size(), 0u);
  EXPECT_EQ(Read("{}\r\n{\"a\":1}").written, (std::vector<std::string>{"{}\n", "{\"a\":1}\n"}));
}

TEST(Row, IdIsTheDatasetsOwn) {
  for (const std::string line :
       {R"({"b":"x","a":"中\n"})", R"({"_id":"00000000000000000000000000000000","b":1,"a":2,"_split":"train"})",
        R"({})", R"({"_from":[0,3],"z":"q"})", R"({"a":"\u4e2d"})"}) {
    const ReadBack back = Read(line + "\n", true);
    ASSERT_EQ(back.wrong[0], "");
    const Json json = ParseJson(back.written[0], "line");
    EXPECT_EQ(json.begin().key(), "_id");
    EXPECT_EQ(json["_id"].get<std::string>(), RecordId(back.written[0])) << back.written[0];
  }
}

// Whatever nlohmann writes comes back the same, and broken bytes never do harm.
TEST(Row, RandomRecords) {
  Rng rng(1);
  for (int round = 0; round < 300; ++round) {
    Json json = Json::object();
    std::string text;
    std::vector<std::string> expected;
    for (uint64_t lines = rng.Below(6); lines > 0; --lines) {
      json = Json::object();
      for (uint64_t fields = rng.Below(7); fields > 0; --fields) {
        std::string value;
        for (uint64_t c = rng.Below(50); c > 0; --c) {
          text::AppendUtf8(&value,
                           static_cast<char32_t>(1 + (rng.Below(3) == 0 ? rng.Below(0x10FFFF) : rng.Below(0x7F))));
        }
        json[Cat("k", rng.Below(100))] = rng.Below(4) == 0 ? Json(rng.Uniform()) : Json(value);
      }
      expected.push_back(ToText(json));
      text += expected.back() + "\n";
    }
    const ReadBack back = Read(text);
    ASSERT_EQ(back.written.size(), expected.size()) << text;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(ParseJson(back.written[i], "written"), ParseJson(expected[i], "expected"));
    }
    if (text.empty()) continue;
    text[rng.Below(text.size())] = static_cast<char>(rng.Below(256));
    Read(text);
  }
}

}  // namespace
}  // namespace atelier::data::clean
