// Operations on columns against numpy and scikit-learn (tools/golden_clean.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/clean/memory_run.h"
#include "data/clean/sketch.h"

namespace atelier::data::clean {
namespace {

const Json& Peer() {
  static const Json* json =
      new Json(ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/clean/clean.json"), "clean.json"));
  return (*json)["table"];
}

std::string Rows() {
  std::string lines;
  for (const Json& row : Peer()["rows"]) lines += ToText(row) + "\n";
  return lines;
}

std::vector<Json> Parsed(const std::string& lines) {
  std::vector<Json> rows;
  for (const std::string& line : Split(lines, '\n')) {
    if (!line.empty()) rows.push_back(ParseJson(line, "line"));
  }
  return rows;
}

const char* const kNumbers = "fields = ['price', 'weight', 'flat', 'stars']\n";

TEST(Scale, IsScikitLearns) {
  for (const std::string method : {"minmax", "standard"}) {
    const MemoryRun run = MemoryRun::Of(Cat("[[operation]]\nuse='scale'\nmethod='", method, "'\n", kNumbers), Rows());
    const std::vector<Json> rows = Parsed(run.lines);
    ASSERT_EQ(rows.size(), Peer()["rows"].size());
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t j = 0; j < 4; ++j) {
        const double expected = Peer()[method][i][j].get<double>();
        const double ours = rows[i][Peer()["numbers"][j].get<std::string>()].get<double>();
        ASSERT_NEAR(ours, expected, 1e-12 * std::max(1.0, std::fabs(expected))) << method << " " << i << " " << j;
      }
    }
  }
}

TEST(Scale, NeedsATrainSplit) {
  const std::string toml = "[[operation]]\nuse='scale'\nmethod='minmax'\nfields='a'\n";
  for (const char* line : {"{\"a\":1}\n", "{\"a\":1,\"_split\":\"test\"}\n"}) {
    try {
      MemoryRun::Of(toml, line);
      ADD_FAILURE() << line;
    } catch (const Error& e) {
      EXPECT_NE(e.Line().find("no record of the split 'train'"), std::string::npos) << e.Line();
    }
  }
}

TEST(Encode, IsScikitLearns) {
  MemoryRun run = MemoryRun::Of("[[operation]]\nuse='encode'\nfields='colour'\nmethod='onehot'\n", Rows());
  std::vector<Json> rows = Parsed(run.lines);
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_FALSE(rows[i].contains("colour"));
    for (size_t j = 0; j < Peer()["onehot"]["columns"].size(); ++j) {
      const std::string column = Peer()["onehot"]["columns"][j].get<std::string>();
      ASSERT_EQ(rows[i][column].get<double>(), Peer()["onehot"]["values"][i][j].get<double>()) << column;
    }
  }
  run = MemoryRun::Of("[[operation]]\nuse='encode'\nfields='colour'\nmethod='ordinal'\n", Rows());
  rows = Parsed(run.lines);
  for (size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(rows[i]["colour"].get<double>(), Peer()["ordinal"][i].get<double>());
}

TEST(Encode, WhatTheFitDidNotSee) {
  const std::string lines =
      "{\"c\":\"a\",\"_split\":\"train\"}\n{\"c\":\"a\",\"_split\":\"train\"}\n{\"c\":\"b\",\"_split\":\"train\"}\n"
      "{\"c\":\"z\",\"_split\":\"test\"}\n";
  EXPECT_EQ(Parsed(MemoryRun::Of("[[operation]]\nuse='encode'\nfields='c'\nmethod='ordinal'\n", lines).lines)[3]["c"],
            -1);
  const auto rows = Parsed(MemoryRun::Of("[[operation]]\nuse='encode'\nfields='c'\nmethod='frequency'\n", lines).lines);
  EXPECT_DOUBLE_EQ(rows[0]["c"].get<double>(), 2.0 / 3);
  EXPECT_EQ(rows[3]["c"], 0);
  try {
    MemoryRun::Of("[[operation]]\nuse='encode'\nfields='c'\nmethod='ordinal'\nmost_categories=1\n", lines);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_NE(e.Line().find("has 2 categories, more than 1"), std::string::npos) << e.Line();
  }
}

TEST(SelectFeatures, ScoresAreScikitLearns) {
  const auto scores = [](const std::string& keys) {
    const MemoryRun run = MemoryRun::Of("[[operation]]\nuse='select_features'\nkeep=2\n" + keys, Rows());
    return run.report.operations[0].fitted;
  };
  const Json variance = scores(Cat("by='variance'\n", kNumbers));
  const Json chi = scores(Cat("by='chi_square'\ntarget='label'\n", kNumbers));
  for (size_t j = 0; j < 4; ++j) {
    const std::string name = Peer()["numbers"][j].get<std::string>();
    EXPECT_NEAR(variance[name]["score"].get<double>(), Peer()["variance"][j].get<double>(), 1e-8) << name;
    EXPECT_NEAR(chi[name]["score"].get<double>(), Peer()["chi_square"][j].get<double>(), 1e-9) << name;
  }
  const Json information = scores("by='mutual_information'\ntarget='label'\nfields=['weight','stars','colour']\n");
  for (size_t j = 0; j < 3; ++j) {
    const std::string name = Peer()["mutual_information"]["fields"][j].get<std::string>();
    EXPECT_NEAR(information[name]["score"].get<double>(), Peer()["mutual_information"]["scores"][j].get<double>(),
                1e-12);
  }
}

TEST(SelectFeatures, TheOthersGo) {
  const MemoryRun run =
      MemoryRun::Of(Cat("[[operation]]\nuse='select_features'\nby='variance'\nleast=0\n", kNumbers), Rows());
  const Json row = Parsed(run.lines)[0];
  EXPECT_FALSE(row.contains("flat"));
  EXPECT_TRUE(row.contains("price"));
  EXPECT_TRUE(row.contains("colour"));
}

TEST(Outliers, RangesAreNumpys) {
  for (const std::string method : {"zscore", "iqr", "mad"}) {
    const MemoryRun run =
        MemoryRun::Of(Cat("[[operation]]\nuse='outliers'\naction='clip'\nmethod='", method, "'\n", kNumbers), Rows());
    for (size_t j = 0; j < 4; ++j) {
      const std::string name = Peer()["numbers"][j].get<std::string>();
      if (name == "flat") continue;
      const Json& range = run.report.operations[0].fitted[name];
      EXPECT_NEAR(range["low"].get<double>(), Peer()[method][0][j].get<double>(), 1e-9) << method << " " << name;
      EXPECT_NEAR(range["high"].get<double>(), Peer()[method][1][j].get<double>(), 1e-9) << method << " " << name;
    }
    EXPECT_GT(run.report.operations[0].tally.changed, 0u) << method;
  }
  const MemoryRun run = MemoryRun::Of(Cat("[[operation]]\nuse='outliers'\nmethod='iqr'\n", kNumbers), Rows());
  EXPECT_GT(run.rejects.size(), 0u);
  for (const auto& reject : run.rejects) EXPECT_NE(reject.reason.find("a number far"), std::string::npos);
}

TEST(Missing, EveryWay) {
  const std::string lines = "{\"a\":1}\n{\"a\":3}\n{\"a\":null}\n{\"b\":1}\n{\"a\":\"N/A\"}\n{\"a\":8}\n{\"a\":3}\n";
  const auto fill = [&](const std::string& keys) {
    const MemoryRun run = MemoryRun::Of("[[operation]]\nuse='missing'\nfields='a'\nalso='N/A'\n" + keys, lines);
    return run.records < 7 ? Json(run.records) : Parsed(run.lines)[2]["a"];
  };
  EXPECT_THROW(fill("with='drop'\n"), Error);  // `also` is a list
  const auto of = [&](const std::string& keys) {
    const MemoryRun run = MemoryRun::Of("[[operation]]\nuse='missing'\nfields='a'\nalso=['N/A']\n" + keys, lines);
    if (run.records < 7) return Json(run.records);
    const std::vector<Json> rows = Parsed(run.lines);
    EXPECT_EQ(rows[2]["a"], rows[3]["a"]);
    EXPECT_EQ(rows[2]["a"], rows[4]["a"]);
    return rows[2]["a"];
  };
  EXPECT_EQ(of("with='drop'\n"), 4);
  EXPECT_EQ(of("with='constant'\nvalue='007'\n"), "007");
  EXPECT_EQ(of("with='constant'\nvalue=7\n"), 7);
  EXPECT_EQ(of("with='mean'\n"), 3.75);
  EXPECT_EQ(of("with='median'\n"), 3);
  EXPECT_EQ(of("with='mode'\n"), 3);
}

TEST(Labels, ConflictsAndImbalance) {
  const auto line = [](const char* text, const char* label) {
    return ToText(Json{{"text", text}, {"label", label}}) + "\n";
  };
  const std::string lines = line("a", "x") + line("a", "x") + line("a", "y") + line("b", "x") + line("c", "x") +
                            line("c", "y") + "{\"text\":\"d\"}\n";
  MemoryRun run = MemoryRun::Of("[[operation]]\nuse='labels'\n", lines);
  EXPECT_EQ(run.records, 7u);
  const Json findings = run.report.operations[0].findings;
  EXPECT_EQ(findings["conflicting_texts"], 2);
  EXPECT_EQ(findings["conflicting_records"], 5);
  EXPECT_EQ(findings["labels"]["x"], 4);
  EXPECT_EQ(findings["imbalance"], 2.0);
  EXPECT_EQ(findings["unlabelled"], 1);
  run = MemoryRun::Of("[[operation]]\nuse='labels'\nconflicts='drop'\nunlabelled='drop'\n", lines);
  EXPECT_EQ(run.lines, line("b", "x"));
  run = MemoryRun::Of("[[operation]]\nuse='labels'\nconflicts='majority'\nunlabelled='drop'\n", lines, 4, false, 1);
  EXPECT_EQ(run.lines, line("a", "x") + line("a", "x") + line("b", "x"));
}

TEST(Sketch, ExactAndThenNear) {
  Rng rng(3);
  Sketch sketch;
  std::vector<double> values;
  for (size_t i = 0; i < 3 * Sketch::kExact + 17; ++i) {
    values.push_back(rng.Uniform() * rng.Uniform());
    sketch.Add(values.back());
    if (values.size() == 1000) {
      std::vector<double> sorted = values;
      std::sort(sorted.begin(), sorted.end());
      EXPECT_TRUE(sketch.exact());
      EXPECT_DOUBLE_EQ(sketch.Quantile(0.25), sorted[249] + 0.75 * (sorted[250] - sorted[249]));
    }
  }
  EXPECT_FALSE(sketch.exact());
  EXPECT_EQ(sketch.size(), values.size());
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.01, 0.25, 0.5, 0.75, 0.999}) {
    const double got = sketch.Quantile(q);
    const auto rank = static_cast<double>(std::lower_bound(values.begin(), values.end(), got) - values.begin());
    EXPECT_NEAR(rank / static_cast<double>(values.size()), q, 1e-4) << q;
  }
}

}  // namespace
}  // namespace atelier::data::clean
