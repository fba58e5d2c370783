#include "data/split/split.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/ids.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/record_line.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

struct Row {
  std::string text, reader, label, day;
};

class Split : public testing::Test {
 protected:
  Split() : folder_(testing::TempDir() + "split-" + NewUuid()), datasets_(folder_) {}
  ~Split() override { std::filesystem::remove_all(folder_); }

  void Store(const std::vector<Row>& rows, const std::string& name = "rows") {
    LineBuilder lines;
    for (size_t i = 0; i < rows.size(); ++i) {
      lines.Begin();
      const auto put = [&](std::string_view key, const std::string& value) {
        lines.Key(key);
        lines.Text(value);
      };
      put("text", rows[i].text);
      put("reader", rows[i].reader);
      put("label", rows[i].label);
      put("day", rows[i].day);
      lines.End(0, i + 1);
    }
    DatasetWriter writer(datasets_, name, {.shard_bytes = 20'000});
    writer.Append(lines.lines(), lines.records());
    Manifest draft;
    draft.recipe.operation = "import";
    writer.Commit(draft);
  }

  SplitOutcome Run(SplitOptions options, const std::string& ref = "rows") {
    options.similar.fields = {"text"};
    options.similar.recall = 0.99;
    return SplitDataset(datasets_, ref, std::move(options));
  }

  // By text, the part of the newest version.
  std::map<std::string, std::string> Parts(const std::string& ref = "rows") {
    std::map<std::string, std::string> out;
    DatasetReader(datasets_, ref).ReadAll([&](std::string_view lines) {
      for (const std::string& line : atelier::Split(lines.substr(0, lines.size() - 1), '\n')) {
        const std::string text = PlainText(FindValue(line, "text"));
        const std::string part = PlainText(FindValue(line, "_split"));
        EXPECT_FALSE(part.empty()) << line;
        EXPECT_EQ(RecordId(line), PlainText(FindValue(line, "_id")));
        if (out.count(text)) EXPECT_EQ(out[text], part) << text;
        out[text] = part;
      }
      return true;
    });
    return out;
  }

  std::string folder_;
  Datasets datasets_;
};

std::string Words(Rng* rng, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += Cat(i == 0 ? "" : " ", "w", rng->Below(2000));
  return out;
}

std::string Han(Rng* rng, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) text::AppendUtf8(&out, 0x4e00 + static_cast<char32_t>(rng->Below(3000)));
  return out;
}

// Rows of many readers, of whom one wrote all over the table; every seventh row has a near twin far away.
std::vector<Row> Table(size_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<Row> rows;
  for (size_t i = 0; i < count; ++i) {
    Row row;
    row.text = i % 2 == 0 ? Han(&rng, 40) : Words(&rng, 40);
    row.reader = i % 29 == 0 ? "the one reader" : Cat("reader ", seed, ".", rng.Below(count));
    row.label = rng.Below(10) == 0 ? "negative" : rng.Below(30) == 0 ? "罕见" : "positive";
    row.day = Cat("2024-", 10 + rng.Below(3), "-", 10 + rng.Below(19));
    rows.push_back(row);
  }
  return rows;
}

std::vector<std::pair<std::string, std::string>> PlantTwins(std::vector<Row>* rows, uint64_t seed) {
  Rng rng(seed);
  std::vector<std::pair<std::string, std::string>> twins;
  const size_t count = rows->size();
  for (size_t i = 0; i < count; i += 7) {
    Row twin = (*rows)[i];
    twin.text += i % 2 == 0 ? "吗" : " indeed";
    twin.reader = Cat("copyist ", i);
    twins.emplace_back((*rows)[i].text, twin.text);
    rows->insert(rows->begin() + static_cast<int64_t>(rng.Below(rows->size())), twin);
    // Insertion moves what comes behind it; the table's order does not matter here.
  }
  return twins;
}

TEST_F(Split, NoTwinAndNoReaderAstride) {
  std::vector<Row> rows = Table(3000, 1);
  const auto twins = PlantTwins(&rows, 2);
  Store(rows);
  const SplitOutcome outcome = Run({.group = "reader"});
  const auto parts = Parts();
  ASSERT_GT(twins.size(), 400u);
  for (const auto& [a, b] : twins) ASSERT_EQ(parts.at(a), parts.at(b)) << a;
  std::map<std::string, std::set<std::string>> by_reader;
  for (const Row& row : rows) by_reader[row.reader].insert(parts.at(row.text));
  for (const auto& [reader, places] : by_reader) ASSERT_EQ(places.size(), 1u) << reader;
  EXPECT_EQ(outcome.manifest.splits.size(), 3u);
  uint64_t sum = 0;
  for (const auto& [name, count] : outcome.manifest.splits) sum += count;
  EXPECT_EQ(sum, rows.size());
  // Without the two relations, both leaks are there: the test can see them.
  Run({.near = false, .fresh = true});
  const auto loose = Parts();
  size_t astride = 0;
  for (const auto& [a, b] : twins) astride += loose.at(a) != loose.at(b);
  EXPECT_GT(astride, 50u);
}

// A twin ties two readers' rows together: components of both relations at once.
TEST_F(Split, RelationsCompose) {
  Rng rng(3);
  std::vector<Row> rows;
  for (int chain = 0; chain < 40; ++chain) {
    for (int i = 0; i < 6; ++i) {  // reader i writes text i, and a near copy of text i+1
      const std::string reader = Cat(chain, ".", i);
      rows.push_back({Words(&rng, 50), reader, "", ""});
    }
    for (int i = 0; i < 5; ++i) {
      rows.push_back({rows[rows.size() - 5].text + " more", Cat(chain, ".", i), "", ""});
    }
  }
  Store(rows);
  Run({.group = "reader"});
  const auto parts = Parts();
  std::set<std::string> all;
  for (size_t chain = 0; chain < 40; ++chain) {
    std::set<std::string> places;
    for (size_t i = 0; i < 11; ++i) places.insert(parts.at(rows[chain * 11 + i].text));
    EXPECT_EQ(places.size(), 1u) << chain;
    all.insert(*places.begin());
  }
  EXPECT_GT(all.size(), 1u);
}

TEST_F(Split, GrowingMovesNothing) {
  for (const SplitOptions& options : {SplitOptions{}, SplitOptions{.group = "reader"},
                                      SplitOptions{.stratify = "label"}, SplitOptions{.time = "day"}}) {
    std::filesystem::remove_all(folder_);
    std::vector<Row> rows = Table(1500, 4);
    Store(rows);
    Run(options);
    const auto before = Parts();
    for (const Row& row : Table(700, 5))
      rows.insert(rows.begin() + static_cast<int64_t>(row.text.size() * 7 % rows.size()), row);
    Store(rows);
    const SplitOutcome grown = Run(options);
    const auto after = Parts();
    EXPECT_EQ(grown.report["older"], "rows@2");
    EXPECT_EQ(grown.report["known_before"], 1500);
    EXPECT_EQ(grown.report["moved"], 0);
    size_t moved = 0;
    for (const auto& [text, part] : before) moved += after.at(text) != part;
    // Table(700, 5)'s "the one reader" is the same as before: no component is joined with another.
    EXPECT_EQ(moved, 0u) << ToToml(options);
    EXPECT_EQ(after.size(), 2200u);
  }
}

// Shares alone, without the older version, keep random splits where they are: the hash decides.
TEST_F(Split, RandomIsAFunctionOfTheRecord) {
  std::vector<Row> rows = Table(2000, 6);
  Store(rows);
  Run({});
  const auto whole = Parts();
  std::map<std::string, int> counts;
  for (const auto& [text, part] : whole) ++counts[part];
  EXPECT_NEAR(counts["train"], 1600, 4 * std::sqrt(2000 * 0.16));
  EXPECT_NEAR(counts["valid"], 200, 4 * std::sqrt(2000 * 0.09));
  std::vector<Row> some(rows.rbegin(), rows.rbegin() + 900);
  Store(some, "some");
  Run({}, "some");
  for (const auto& [text, part] : Parts("some")) ASSERT_EQ(part, whole.at(text));
  Run({.seed = 2, .fresh = true}, "some");
  size_t other = 0;
  for (const auto& [text, part] : Parts("some")) other += part != whole.at(text);
  EXPECT_GT(other, 150u);
  // More train takes from the others and gives nothing back.
  Run({.parts = {{"train", 0.9}, {"valid", 0.05}, {"test", 0.05}}}, "some");
  for (const auto& [text, part] : Parts("some")) {
    if (whole.at(text) == "train") ASSERT_EQ(part, "train");
  }
}

TEST_F(Split, AJoiningRecordDrawsAllToTrain) {
  Rng rng(7);
  // Pairs of texts that share no shingle, and then a bridge that is near to both.
  std::vector<Row> rows;
  for (int i = 0; i < 300; ++i) rows.push_back({Words(&rng, 30), Cat("left ", i), "", ""});
  Store(rows);
  Run({.group = "reader"});
  const auto before = Parts();
  std::string train, test;
  for (const Row& row : rows)
    (before.at(row.text) == "train" ? train : before.at(row.text) == "test" ? test : train) = row.reader;
  rows.push_back({Words(&rng, 30), train, "", ""});
  rows.push_back({rows.back().text + " bridge", test, "", ""});
  Store(rows);
  const SplitOutcome outcome = Run({.group = "reader"});
  const auto after = Parts();
  EXPECT_EQ(outcome.report["moved"], 1);
  for (const Row& row : rows) {
    const bool tied = row.reader == train || row.reader == test;
    ASSERT_EQ(after.at(row.text), tied ? "train" : before.at(row.text)) << row.reader;
  }
}

TEST_F(Split, StrataHaveTheirShares) {
  std::vector<Row> rows = Table(3000, 8);
  Store(rows);
  Run({.stratify = "label"});
  const auto parts = Parts();
  std::map<std::string, std::map<std::string, double>> counts;
  std::map<std::string, double> totals;
  for (const Row& row : rows) ++counts[row.label][parts.at(row.text)], ++totals[row.label];
  ASSERT_GT(totals["罕见"], 20);
  for (const auto& [label, total] : totals) {
    EXPECT_NEAR(counts[label]["train"], 0.8 * total, 1.0) << label;
    EXPECT_NEAR(counts[label]["valid"], 0.1 * total, 1.0) << label;
    EXPECT_NEAR(counts[label]["test"], 0.1 * total, 1.0) << label;
  }
}

TEST_F(Split, TheLatestIsTest) {
  std::vector<Row> rows = Table(1000, 9);
  rows[500].day = "";  // no date: as if before all others
  Store(rows);
  const SplitOutcome outcome = Run({.time = "day"});
  EXPECT_EQ(outcome.report["without_time"], 1);
  const auto parts = Parts();
  EXPECT_EQ(parts.at(rows[500].text), "train");
  std::map<std::string, std::pair<std::string, std::string>> range;
  std::map<std::string, int> counts;
  for (const Row& row : rows) {
    auto& [first, last] = range[parts.at(row.text)];
    if (first.empty() || (row.day < first && !row.day.empty())) first = row.day;
    last = std::max(last, row.day);
    ++counts[parts.at(row.text)];
  }
  EXPECT_LE(range["train"].second, range["valid"].first);
  EXPECT_LE(range["valid"].second, range["test"].first);
  EXPECT_NEAR(counts["train"], 800, 1);
  EXPECT_NEAR(counts["test"], 100, 1);
}

TEST_F(Split, MemoryAndThreadsChangeNothing) {
  std::vector<Row> rows = Table(3000, 10);
  PlantTwins(&rows, 11);
  Store(rows);
  Run({.stratify = "label", .group = "reader"});
  const auto parts = Parts();
  SplitOptions small{.stratify = "label", .group = "reader", .fresh = true};
  small.similar.memory = 1u << 18;
  small.similar.threads = 3;
  Run(small);
  EXPECT_EQ(parts, Parts());
}

TEST_F(Split, WrongSettingsSayWhatToDo) {
  Store(Table(20, 12));
  const auto fails = [&](SplitOptions options, std::string_view with) {
    try {
      Run(std::move(options));
      FAIL() << with;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(with), std::string::npos) << e.what();
    }
  };
  fails({.parts = {{"train", 0.8}, {"test", 0.1}}}, "0.9");
  fails({.group = "user"}, "'user'");
  fails({.stratify = "lable"}, "'lable'");
  fails({.time = "label"}, "neither a number nor a date");
  fails({.stratify = "label", .time = "day"}, "not both");
  EXPECT_EQ(datasets_.Versions("rows").size(), 1u);  // nothing was left behind
  Store({}, "none");
  EXPECT_EQ(Run({}, "none").manifest.records, 0u);
}

TEST_F(Split, TheSplitIsTheLastKey) {
  std::string out;
  AppendWithSplit(R"({"_id":"1","text":"a","_from":[0,1]})", "train", &out);
  EXPECT_EQ(out, "{\"_id\":\"1\",\"text\":\"a\",\"_from\":[0,1],\"_split\":\"train\"}\n");
  out.clear();
  AppendWithSplit(R"({"_id":"1","text":"\"_split\":","_split":"test","_from":[0,1]})", "valid", &out);
  EXPECT_EQ(out, "{\"_id\":\"1\",\"text\":\"\\\"_split\\\":\",\"_from\":[0,1],\"_split\":\"valid\"}\n");
  out.clear();
  AppendWithSplit("{}", "train", &out);
  EXPECT_EQ(out, "{\"_split\":\"train\"}\n");
}

}  // namespace
}  // namespace atelier::data
