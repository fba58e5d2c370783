#include "data/clean/clean_dataset.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/record_line.h"

namespace atelier::data::clean {
namespace {

class CleanDatasetTest : public testing::Test {
 protected:
  CleanDatasetTest() {
    folder_ = testing::TempDir() + "clean_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    MakeFolders(folder_);
  }
  ~CleanDatasetTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::vector<std::string>& records) {
    DatasetWriter writer(Datasets(folder_), name);
    for (const std::string& record : records) {
      const std::string bare = record.substr(1);
      writer.Append(Cat("{\"_id\":\"", RecordId(record + "\n"), "\",", bare, "\n"), 1);
    }
    Manifest draft;
    draft.recipe.operation = "import";
    draft.licence = "CC0";
    writer.Commit(std::move(draft));
  }
  std::string Lines(const std::string& ref) {
    std::string lines;
    DatasetReader(Datasets(folder_), ref).ReadAll([&](std::string_view more) {
      lines.append(more);
      return true;
    });
    return lines;
  }

  std::string folder_;
};

TEST_F(CleanDatasetTest, MakesTheNextVersion) {
  Write("shop", {R"({"text":"臺灣","price":1,"_split":"train"})", R"({"text":"x","price":3,"_split":"train"})",
                 R"({"text":"fine words","price":5,"_split":"test"})"});
  CleanRequest request;
  request.dataset = "shop";
  request.toml =
      "[[operation]]\nuse='fold_script'\nto='t2s'\n[[operation]]\nuse='rules'\nleast_characters=2\n"
      "[[operation]]\nuse='scale'\nfields='price'\nmethod='standard'\n";
  request.toml_file = "clean.toml";
  request.threads = 2;
  const CleanedDataset cleaned = CleanDataset(Datasets(folder_), request);
  EXPECT_EQ(cleaned.manifest.Reference(), "shop@2");
  EXPECT_EQ(cleaned.manifest.records, 2u);
  const std::string page = ReadFile(Datasets(folder_).Path("shop@2") + "/clean.html");
  EXPECT_NE(page.find("shop@1"), std::string::npos);
  EXPECT_NE(page.find("<del>臺灣</del>"), std::string::npos);
  EXPECT_EQ(cleaned.manifest.rejects, 1u);
  EXPECT_EQ(cleaned.manifest.licence, "CC0");
  EXPECT_EQ(cleaned.manifest.recipe.toml, request.toml);
  EXPECT_EQ(cleaned.manifest.parents.at(0).name, "shop");
  EXPECT_EQ(cleaned.manifest.splits.at("train"), 1u);
  const std::vector<std::string> lines = Split(Lines("shop"), '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(PlainText(FindValue(lines[0], "text")), "台湾");
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(PlainText(FindValue(lines[i], "_id")), RecordId(lines[i]));
  // The version before is untouched; the report and the dropped record stand beside the new one.
  EXPECT_NE(Lines("shop@1").find("臺灣"), std::string::npos);
  std::string rejects;
  const DatasetReader reader(Datasets(folder_), "shop@2");
  reader.ReadRejects([&](std::string_view more) {
    rejects.append(more);
    return true;
  });
  EXPECT_NE(rejects.find("\"stage\":\"rules\""), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("too few characters"), std::string::npos) << rejects;
  const Json report = ParseJson(ReadFile(reader.folder() + "/clean.json"), "clean.json");
  EXPECT_EQ(report["operations"][1]["dropped"], 1);

  // The same transformation on other data, which have no split to fit on.
  Write("new", {R"({"text":"one more","price":11})"});
  request.dataset = "new";
  EXPECT_THROW(CleanDataset(Datasets(folder_), request), Error);
  EXPECT_EQ(Datasets(folder_).Versions("new").size(), 1u);  // nothing was left behind
  request.fitted = "shop@2";
  CleanDataset(Datasets(folder_), request);
  const double shift = report["operations"][2]["fitted"]["price"]["shift"],
               factor = report["operations"][2]["fitted"]["price"]["factor"];
  const std::string line = Lines("new");
  EXPECT_DOUBLE_EQ(*ParseDouble(FindValue(line, "price")), (11 - shift) / factor);
}

TEST_F(CleanDatasetTest, FittedOfAnotherListIsRefused) {
  Write("a", {R"({"price":1,"_split":"train"})"});
  CleanRequest request;
  request.dataset = "a";
  request.toml_file = "clean.toml";
  request.toml = "[[operation]]\nuse='scale'\nfields='price'\nmethod='minmax'\n";
  CleanDataset(Datasets(folder_), request);
  request.fitted = "a@2";
  request.toml = "[[operation]]\nuse='scale'\nfields='other'\nmethod='minmax'\n";
  for (const char* toml : {"[[operation]]\nuse='scale'\nfields='other'\nmethod='minmax'\n",
                           "[[operation]]\nuse='encode'\nfields='price'\nmethod='ordinal'\n"}) {
    request.toml = toml;
    try {
      CleanDataset(Datasets(folder_), request);
      ADD_FAILURE() << toml;
    } catch (const Error& e) {
      EXPECT_NE(e.Line().find("fitted values are of another list"), std::string::npos) << e.Line();
    }
  }
  request.fitted = "a@1";
  EXPECT_THROW(CleanDataset(Datasets(folder_), request), Error);
}

}  // namespace
}  // namespace atelier::data::clean
