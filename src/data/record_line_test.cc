#include "data/record_line.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/field_stats.h"
#include "data/json_record.h"
#include "data/zstd_stream.h"

namespace atelier::data {
namespace {

std::string Line(const std::vector<std::pair<std::string, std::string>>& fields, int source = 0, uint64_t line = 1) {
  LineBuilder builder;
  builder.Begin();
  for (const auto& [key, value] : fields) {
    builder.Key(Escaped(key));
    builder.Json(value);
  }
  builder.End(source, line);
  return std::string(builder.lines());
}

TEST(RecordLine, HasItsIdFirstAndWhereItCameFromLast) {
  // The id is XXH3-128 of {"a":"x","b":1}, by the xxhsum program: xxhsum -H2.
  EXPECT_EQ(Line({{"b", "1"}, {"a", "\"x\""}}, 3, 9),
            "{\"_id\":\"e02de5863dafb8f60dfe6f7343dc2fe8\",\"b\":1,\"a\":\"x\",\"_from\":[3,9]}\n");
}

TEST(RecordLine, IdsAreTheContentsWhateverTheOrderAndOurKeys) {
  const std::string one = RecordId(Line({{"b", "1"}, {"a", "\"x\""}}, 0, 1));
  EXPECT_EQ(one.size(), 32u);
  EXPECT_EQ(one, RecordId(Line({{"a", "\"x\""}, {"b", "1"}}, 5, 70)));
  EXPECT_EQ(one, RecordId("{\"a\":\"x\",\"_split\":\"train\",\"b\":1}"));
  EXPECT_NE(one, RecordId(Line({{"a", "\"x\""}, {"b", "2"}})));
  EXPECT_NE(one, RecordId(Line({{"a", "\"x\""}, {"c", "1"}})));
  const std::string line = Line({{"b", "1"}, {"a", "\"x\""}});
  EXPECT_EQ(PlainText(FindValue(line, "_id")), RecordId(line));
}

TEST(RecordLine, SplitsWhatJsonAllows) {
  std::vector<LineField> fields;
  ASSERT_TRUE(SplitLine("{\"a\":\"},{\\\"\",\"b\":[1,{\"c\":\"]\"}],\"d\\\"\":null}\n", &fields));
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0].value, "\"},{\\\"\"");
  EXPECT_EQ(fields[1].value, "[1,{\"c\":\"]\"}]");
  EXPECT_EQ(fields[2].key, "d\\\"");
  EXPECT_EQ(fields[2].value, "null");
  EXPECT_TRUE(SplitLine("{}", &fields));
  for (const char* bad : {"", "{", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":\"x}", "{\"a\":[1}", "x",
                          "{\"a\":1}}", "{\"a\\\":1}"}) {
    EXPECT_FALSE(SplitLine(bad, &fields)) << bad;
  }
}

TEST(RecordLine, EscapesAsFewAsNeededAndBack) {
  const std::string ugly("a\"b\\c\n\t\r\b\f\x01\x1f 中文 😀 /\x7f");
  const std::string inside = Escaped(ugly);
  EXPECT_EQ(PlainText(Cat("\"", inside, "\"")), ugly);
  EXPECT_EQ(Json::parse(Cat("\"", inside, "\"")).get<std::string>(), ugly);
  EXPECT_EQ(Json(ugly).dump(), Cat("\"", inside, "\"")) << "the same form as the JSON library's";
  EXPECT_EQ(CharactersOf(inside), 20u);
  EXPECT_EQ(PlainText("\"\\u4e2d\\ud83d\\ude00\""), "中😀");
  EXPECT_EQ(PlainText("12.50"), "12.50");
}

TEST(JsonRecord, TakesWhatJsonTakesAndKeepsItsMeaning) {
  JsonRecordParser parser;
  for (const char* line :
       {R"({"a":1,"b":[1, 2 ,{"c" : null , "d":[ ]}],"e":"x\u0041\n\/\ud83d\ude00","f":-0.0,"g":1e-400,"h":true})",
        R"({ })", R"({"":1})", "{\"k\":\"\xE4\xB8\xAD\"}", R"({"a":{"a":{"a":[[[[]]]]}}})",
        R"({"big":18446744073709551615,"neg":-9223372036854775808,"f":1.7976931348623157e308})"}) {
    LineBuilder builder;
    std::string padded = line;
    padded.append(kReadPadding, ' ');
    builder.Begin();
    ASSERT_TRUE(parser.Parse(std::string_view(padded).substr(0, std::string(line).size()), &builder))
        << line << parser.reason();
    builder.End(0, 1);
    Json got = Json::parse(builder.lines());
    got.erase("_id");
    got.erase("_from");
    Json want = Json::parse(line);
    if (want.contains("")) want = {{"x", 1}};
    EXPECT_EQ(got, want);
    EXPECT_EQ(RecordId(builder.lines()).size(), 32u);
  }
}

TEST(JsonRecord, RefusesWithReasonAndColumn) {
  JsonRecordParser parser;
  const std::vector<std::tuple<std::string, std::string, size_t>> cases = {
      {R"({"a":1,"a":2})", "the key 'a' twice", 0},
      {R"({"o":{"a":1,"b":2,"a":2}})", "the key 'a' twice", 0},
      {R"({"a":"\ud800"})", "surrogate", 6},
      {R"({"a":"\udc00x"})", "surrogate", 6},
      {R"({"a":NaN})", "NaN", 6},
      {R"({"a":-Infinity})", "NaN", 6},
      {R"({"ab":1e400})", "beyond the range", 7},
      {R"({"a":123456789012345678901})", "beyond 64 bits", 6},
      {R"({"a":1}})", "behind the object", 8},
      {R"([1])", "not a JSON object", 0},
      {R"("x")", "not a JSON object", 0},
      {R"({"a":01})", "leading zeros", 6},
      {R"({"a":1.})", "point", 6},
      {R"({"a":"\u0000"})", "NUL", 6},
      {R"({"a":"x)", "never closes", 0},
      {R"({"a":1,})", "not valid JSON", 0},
      {R"({"a" 1})", "not valid JSON", 0},
      {R"({"a":"b":1})", "not valid JSON", 0},
      {R"({"a":[1,2})", "not valid JSON", 0},
      {R"({"a":tru})", "true, false and null", 6},
      {R"({'a':1})", "not valid JSON", 0},
      {"{\"a\":\"\x01\"}", "control character", 0},
      {"{\"a\":\"\xFF\"}", "not UTF-8", 0},
      {"{\"a\":" + std::string(300, '[') + std::string(300, ']') + "}", "levels", 0},
  };
  for (const auto& [line, reason, column] : cases) {
    LineBuilder builder;
    builder.Begin();
    std::string padded = line;
    padded.append(kReadPadding, ' ');
    EXPECT_FALSE(parser.Parse(std::string_view(padded).substr(0, line.size()), &builder)) << line;
    EXPECT_NE(parser.reason().find(reason), std::string::npos) << line << " -> " << parser.reason();
    if (column > 0) EXPECT_EQ(parser.column(), column) << line;
    builder.Cancel();
    EXPECT_EQ(builder.lines(), "");
  }
  // A bad line leaves nothing behind for the next.
  LineBuilder builder;
  builder.Begin();
  const std::string good = "{\"a\":1}" + std::string(kReadPadding, ' ');
  EXPECT_TRUE(parser.Parse(std::string_view(good).substr(0, 7), &builder));
}

TEST(FieldStatistics, CountsWhatIsThere) {
  FieldStatistics statistics;
  statistics.Add(Line({{"t", "\"中文\""}, {"n", "1"}, {"m", "null"}}) + Line({{"t", "\" \\n\""}, {"n", "4.5"}}) +
                 Line({{"n", "\"x\""}, {"t", "\"a\\u0001b\""}, {"m", "[]"}}));
  const std::vector<FieldInfo> fields = statistics.Fields();
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0].name, "t");
  EXPECT_EQ(fields[0].present, 3u);
  EXPECT_EQ(fields[0].empty, 1u);
  EXPECT_EQ(fields[0].lengths->min, 2u);
  EXPECT_EQ(fields[0].lengths->max, 3u);
  EXPECT_EQ(fields[1].types, (std::map<std::string, uint64_t>{{"number", 2}, {"text", 1}}));
  EXPECT_DOUBLE_EQ(fields[1].numbers->mean, 2.75);
  EXPECT_NEAR(fields[1].numbers->stddev, 2.4748737, 1e-6);
  EXPECT_EQ(fields[2].present, 2u);
  EXPECT_EQ(fields[2].empty, 2u);
  EXPECT_THROW(statistics.Add("nonsense\n"), Error);
}

TEST(FieldStatistics, EstimatesDistinctValuesAndMerges) {
  FieldStatistics whole, parts[2];
  Rng rng(7);
  for (int i = 0; i < 60'000; ++i) {
    const std::string line = Line({{"id", Cat(i)}, {"few", Cat(i % 100)}, {"half", Cat(rng.Next() % 30'000)}});
    whole.Add(line);
    parts[i % 2].Add(line);
  }
  parts[0].Merge(parts[1]);
  const auto a = whole.Fields(), b = parts[0].Fields();
  EXPECT_NEAR(static_cast<double>(a[0].distinct), 60'000, 60'000 * 0.05);
  EXPECT_NEAR(static_cast<double>(a[1].distinct), 100, 2);
  EXPECT_NEAR(static_cast<double>(a[2].distinct), 30'000 * (1 - std::exp(-2.0)), 1500);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(a[i].distinct, b[i].distinct);
    EXPECT_EQ(a[i].present, b[i].present);
    EXPECT_NEAR(a[i].numbers->mean, b[i].numbers->mean, 1e-6);
    EXPECT_NEAR(a[i].numbers->stddev, b[i].numbers->stddev, 1e-6);
  }
}

}  // namespace
}  // namespace atelier::data
