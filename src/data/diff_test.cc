#include "data/diff.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/str.h"
#include "data/export.h"
#include "data/field_stats.h"
#include "data/profile.h"
#include "data/record_line.h"

namespace atelier::data {
namespace fs = std::filesystem;
namespace {

using Row = std::vector<std::pair<std::string, std::string>>;  // key and JSON value

class VersionsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(testing::TempDir(), "versions-", ::getpid(), "-",
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  DatasetReader Make(const std::vector<Row>& rows) {
    LineBuilder lines;
    for (const Row& row : rows) {
      lines.Begin();
      for (const auto& [key, value] : row) {
        lines.Key(Escaped(key));
        lines.Json(value);
      }
      lines.End(0, 1);
    }
    const Datasets all(folder_);
    DatasetWriter writer(all, "d");
    writer.Append(lines.lines(), rows.size());
    FieldStatistics statistics;
    statistics.Add(lines.lines());
    Manifest draft;
    draft.fields = statistics.Fields();
    writer.Commit(draft);
    return DatasetReader(all, "d");
  }
  std::string Out(const DatasetReader& reader, const ExportOptions& options) {
    std::string out;
    Export(reader, options, [&](std::string_view bytes) { out += bytes; });
    return out;
  }
  std::string folder_;
};

TEST_F(VersionsTest, DiffByContentIsAMultiset) {
  const DatasetReader a = Make({{{"x", "1"}}, {{"x", "1"}}, {{"x", "2"}}, {{"x", "3"}}});
  const DatasetReader b = Make({{{"x", "3"}}, {{"x", "1"}}, {{"x", "4"}}, {{"x", "4"}}});
  const DiffReport report = Diff(a, b);
  EXPECT_EQ(report.same, 2u);
  EXPECT_EQ(report.removed, 2u);
  EXPECT_EQ(report.added, 2u);
  EXPECT_EQ(report.changed, 0u);
  EXPECT_EQ(report.added_samples.size(), 1u);  // equal ones are shown once
  const DiffReport none = Diff(a, a);
  EXPECT_EQ(none.same, 4u);
  EXPECT_EQ(none.added + none.removed + none.changed, 0u);
  EXPECT_TRUE(none.fields.empty());
}

TEST_F(VersionsTest, DiffByKeyFindsChangesAndFields) {
  const DatasetReader a = Make({{{"id", "1"}, {"t", "\"a\""}},
                                {{"id", "2"}, {"t", "\"b\""}},
                                {{"id", "3"}, {"t", "\"c\""}},
                                {{"t", "\"no key\""}}});
  const DatasetReader b = Make({{{"id", "3"}, {"t", "\"C\""}, {"u", "1"}},
                                {{"id", "1"}, {"t", "\"a\""}},
                                {{"id", "4"}, {"t", "5"}},
                                {{"id", "4"}, {"t", "5"}}});
  const DiffReport report = Diff(a, b, {.key = "id"});
  EXPECT_EQ(report.same, 1u);
  EXPECT_EQ(report.changed, 1u);
  EXPECT_EQ(report.removed, 2u);
  EXPECT_EQ(report.added, 2u);
  EXPECT_EQ(report.without_key[0], 1u);
  EXPECT_EQ(report.repeated_keys[1], 1u);
  ASSERT_EQ(report.changed_samples.size(), 1u);
  EXPECT_EQ(report.changed_samples[0].fields, (std::vector<std::string>{"t", "u"}));
  EXPECT_NE(report.changed_samples[0].before.find("\"c\""), std::string::npos);
  std::map<std::string, std::string> what;
  for (const FieldDiff& field : report.fields) what[field.name] = field.what;
  EXPECT_EQ(what, (std::map<std::string, std::string>{{"id", "statistics"}, {"t", "types"}, {"u", "added"}}));
  EXPECT_THROW(Diff(a, b, {.key = "ids"}), Error);
}

TEST_F(VersionsTest, DiffInPartsGivesTheSame) {
  std::vector<Row> old, now;
  for (int i = 0; i < 100'000; ++i) {
    old.push_back({{"id", Cat(i)}, {"v", "1"}});
    if (i % 10 != 0) now.push_back({{"id", Cat(i)}, {"v", i % 7 == 0 ? "2" : "1"}});
  }
  const DatasetReader a = Make(old), b = Make(now);
  const DiffReport parts = Diff(a, b, {.key = "id", .memory = 1u << 20});
  EXPECT_EQ(parts.removed, 10'000u);
  EXPECT_EQ(parts.added, 0u);
  EXPECT_EQ(parts.changed, 100'000u / 7 + 1 - (100'000u / 70 + 1));
  EXPECT_EQ(parts.same + parts.changed, 90'000u);
}

TEST_F(VersionsTest, ExportsWhatWasAskedFor) {
  const DatasetReader reader = Make({{{"a", "\"x,\\\"y\\\"\""}, {"b", "1.50"}, {"c", "[1,2]"}},
                                     {{"a", "\"=1+1\""}, {"b", "-5"}},
                                     {{"a", "\"中\\n文\""}, {"b", "null"}, {"c", "\"-x\""}}});
  EXPECT_EQ(Out(reader, {}),
            "{\"a\":\"x,\\\"y\\\"\",\"b\":1.50,\"c\":[1,2]}\n{\"a\":\"=1+1\",\"b\":-5}\n"
            "{\"a\":\"中\\n文\",\"b\":null,\"c\":\"-x\"}\n");
  EXPECT_EQ(Out(reader, {.format = "csv", .guard_formulas = true}),
            "a,b,c\r\n\"x,\"\"y\"\"\",1.50,\"[1,2]\"\r\n'=1+1,-5,\r\n\"中\n文\",,'-x\r\n");
  EXPECT_EQ(Out(reader, {.format = "csv", .fields = {"b", "a"}, .bom = true}).substr(0, 8),
            "\xEF\xBB\xBF"
            "b,a\r\n");
  EXPECT_EQ(Out(reader, {.fields = {"b"}}), "{\"b\":1.50}\n{\"b\":-5}\n{\"b\":null}\n");
  EXPECT_THROW(Out(reader, {.fields = {"nosuch"}}), Error);
  EXPECT_THROW(Out(reader, {.split = "train"}), Error);
  EXPECT_THROW(Out(reader, {.format = "xlsx"}), Error);
}

TEST_F(VersionsTest, TheProfileCountsAndThePageEscapes) {
  std::vector<Row> rows;
  for (int i = 0; i < 1000; ++i) {
    rows.push_back({{"n", Cat(i % 100)}, {"t", i % 4 == 0 ? "\"<script>alert(1)</script>\"" : "\"普通\""}});
  }
  const DatasetReader reader = Make(rows);
  const Profile profile = MakeProfile(reader);
  EXPECT_EQ(profile.duplicates, 900u);
  EXPECT_FALSE(profile.duplicates_estimated);
  ASSERT_EQ(profile.fields.size(), 2u);
  uint64_t sum = 0;
  for (const uint64_t count : profile.fields[0].numbers.counts) sum += count;
  EXPECT_EQ(sum, 1000u);
  EXPECT_EQ(profile.fields[0].numbers.counts.front(), 30u);  // 0, 1, 2 of 0..99 in 40 bins
  ASSERT_EQ(profile.fields[1].top.size(), 2u);
  EXPECT_EQ(profile.fields[1].top[0], (std::pair<std::string, uint64_t>{"普通", 750}));
  EXPECT_EQ(profile.samples.size(), 8u);
  for (const char* language : {"zh", "en"}) {
    const std::string page = ProfilePage(profile, language);
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
    EXPECT_EQ(page.find("http://"), std::string::npos);
    EXPECT_EQ(page.find("https://"), std::string::npos);
    EXPECT_EQ(page.find(" src="), std::string::npos);
    EXPECT_NE(page.find(language == std::string("zh") ? "缺失" : "Missing"), std::string::npos);
  }
}

}  // namespace
}  // namespace atelier::data
