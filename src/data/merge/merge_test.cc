#include "data/merge/merge.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/ids.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/record_line.h"

namespace atelier::data {
namespace {

class Merge : public testing::Test {
 protected:
  Merge() : folder_(testing::TempDir() + "merge-" + NewUuid()), datasets_(folder_) {}
  ~Merge() override { std::filesystem::remove_all(folder_); }

  void Store(const std::string& name, const std::vector<std::string>& records) {
    LineBuilder lines;
    std::vector<LineField> fields;
    for (size_t i = 0; i < records.size(); ++i) {
      ASSERT_TRUE(SplitLine(records[i], &fields)) << records[i];
      lines.Begin();
      for (const LineField& field : fields) {
        lines.Key(field.key);
        lines.Json(field.value);
      }
      lines.End(0, i + 1);
    }
    DatasetWriter writer(datasets_, name);
    writer.Append(lines.lines(), lines.records());
    Manifest draft;
    draft.sources = {{name + ".csv", "csv", 1, "", "UTF-8"}};
    draft.recipe.operation = "import";
    writer.Commit(draft);
  }

  // The records without our keys, but with "_from".
  std::vector<std::string> Run(const std::vector<std::string>& refs, const MergeOptions& options,
                               Json* report = nullptr) {
    const MergeOutcome outcome = MergeDatasets(datasets_, "out", refs, options);
    if (report != nullptr) *report = outcome.report;
    std::vector<std::string> out;
    DatasetReader(datasets_, "out").ReadAll([&](std::string_view lines) {
      for (const std::string& line : Split(lines.substr(0, lines.size() - 1), '\n')) {
        EXPECT_EQ(RecordId(line), PlainText(FindValue(line, "_id")));
        std::vector<LineField> fields;
        SplitLine(line, &fields);
        std::string text;
        for (const LineField& field : fields) {
          if (field.key != "_id") text += Cat(text.empty() ? "" : " ", field.key, "=", field.value);
        }
        out.push_back(text);
      }
      return true;
    });
    return out;
  }

  std::string folder_;
  Datasets datasets_;
};

using Lines = std::vector<std::string>;

TEST_F(Merge, FieldByFieldByTheirRules) {
  Store("shop", {R"({"sku":"7","name":"壶","price":10,"seen":"2024-05-01","tags":"a"})", R"({"sku":"8","name":"杯"})",
                 R"({"sku":"","name":"无"})"});
  Store("catalogue", {R"({"sku":7,"name":"手冲咖啡壶","price":12,"seen":"2024-04-01","weight":300,"tags":"b"})",
                      R"({"sku":"9","name":"a \"b\""})", R"({"sku":null,"name":"无"})",
                      R"({"sku":"7","price":11,"seen":"2024-06-01","name":"","tags":"a"})"});
  MergeOptions options{.key = {"sku"}, .rule = {ConflictRule::kFirst}};
  options.fields["name"] = {ConflictRule::kLongest};
  options.fields["price"] = {ConflictRule::kNewest, "seen"};
  options.fields["tags"] = {ConflictRule::kList};
  Json report;
  EXPECT_EQ(Run({"shop", "catalogue"}, options, &report),
            (Lines{R"(sku="7" name="手冲咖啡壶" price=11 seen="2024-05-01" tags=["a","b"] weight=300 _from=[0,1])",
                   R"(sku="8" name="杯" _from=[0,2])", R"(sku="" name="无" _from=[0,3])",
                   R"(sku="9" name="a \"b\"" _from=[1,2])", R"(sku=null name="无" _from=[1,3])"}));
  EXPECT_EQ(report["merged"], 1);
  EXPECT_EQ(report["keys"], 3);
  EXPECT_EQ(report["without_key"], 2);
  EXPECT_EQ(report["conflicts"], (Json{{"name", 1}, {"price", 1}, {"seen", 1}, {"tags", 1}}));
  const Manifest manifest = datasets_.Load("out");
  EXPECT_EQ(manifest.parents.size(), 2u);
  EXPECT_EQ(manifest.sources[1].name, "catalogue.csv");
}

TEST_F(Merge, KeepBothKeepsAllWhereSomethingDiffers) {
  Store("a", {R"({"k":"1","v":"x"})", R"({"k":"2","v":"x"})"});
  Store("b", {R"({"k":"1","v":"y"})", R"({"k":"2","v":"x","w":true})"});
  EXPECT_EQ(Run({"a", "b"}, {.key = {"k"}, .rule = {ConflictRule::kKeepBoth}}),
            (Lines{R"(k="1" v="x" _from=[0,1])", R"(k="1" v="y" _from=[1,1])", R"(k="2" v="x" w=true _from=[0,2])"}));
}

TEST_F(Merge, ErrorNamesBothSides) {
  Store("a", {R"({"k":"1","v":"x"})"});
  Store("b", {R"({"k":"1","v":"y"})"});
  try {
    Run({"a", "b"}, {.key = {"k"}, .rule = {ConflictRule::kError}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kConflict);
    for (const char* part : {"'1'", "'v'", "'x' in a@1", "'y' in b@1"}) {
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
  }
  EXPECT_TRUE(datasets_.Versions("out").empty());
  EXPECT_THROW(Run({"a", "b"}, {.key = {"kk"}}), Error);
  EXPECT_THROW(Run({"a"}, {.key = {"k"}}), Error);
}

TEST_F(Merge, KeysOfSeveralFieldsAndFolded) {
  Store("a", {R"({"x":"1","y":"23","n":"1"})", R"({"x":"Ａb","y":"c","n":"1"})"});
  Store("b", {R"({"x":"12","y":"3","n":"2"})", R"({"x":"aB ","y":"C","n":"2"})"});
  EXPECT_EQ(Run({"a", "b"}, {.key = {"x", "y"}}).size(), 4u);
  EXPECT_EQ(Run({"a", "b"}, {.key = {"x", "y"}, .fold_key = true}).size(), 3u);
}

TEST_F(Merge, ALargeMergeThatSpillsEqualsTheSmallOne) {
  Rng rng(1);
  std::map<std::string, std::string> expected;  // key -> the first value
  Lines a, b;
  for (int i = 0; i < 20'000; ++i) {
    Lines& side = i % 2 == 0 ? a : b;
    side.push_back(Cat("{\"k\":\"", rng.Below(9000), "\",\"v\":\"", i, std::string(rng.Below(60), 'x'), "\"}"));
  }
  for (const Lines* side : {&a, &b}) {
    for (const std::string& line : *side) expected.emplace(FindValue(line, "k"), FindValue(line, "v"));
  }
  Store("a", a);
  Store("b", b);
  const Lines whole = Run({"a", "b"}, {.key = {"k"}});
  const Lines small = Run({"a", "b"}, {.key = {"k"}, .memory = 1u << 17});
  EXPECT_EQ(whole, small);
  ASSERT_EQ(whole.size(), expected.size());
  for (const std::string& line : whole) {
    const Lines parts = Split(line, ' ');
    ASSERT_EQ(parts[1], Cat("v=", expected.at(parts[0].substr(2))));
  }
}

TEST_F(Merge, TheConfigurationIsStrict) {
  const MergeOptions options = ReadMergeOptions(Table::Parse(
      "key = [\"shop\", \"sku\"]\non_conflict = \"newest:day\"\n[fields]\n\"na me\" = \"longest\"\ntags = \"list\"\n",
      "m.toml"));
  EXPECT_EQ(options.key.size(), 2u);
  EXPECT_EQ(options.rule.by, "day");
  EXPECT_EQ(ToToml(ReadMergeOptions(Table::Parse(ToToml(options), "again"))), ToToml(options));
  for (const char* bad :
       {"on_conflict = \"first\"\n", "key = \"a\"\nrule = \"first\"\n", "key = \"a\"\non_conflict = \"list\"\n",
        "key = \"a\"\n[fields]\nb = \"keep-both\"\n", "key = \"a\"\n[fields]\nb = \"newest:\"\n"}) {
    try {
      ReadMergeOptions(Table::Parse(bad, "m.toml"));
      FAIL() << bad;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("m.toml"), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace atelier::data
