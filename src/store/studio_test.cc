#include "store/studio.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {
namespace {

namespace fs = std::filesystem;

std::string FreshFolder(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_s_", name);
  fs::remove_all(path);
  return path;
}

TEST(Studio, IsFoundByWalkingUp) {
  const std::string root = FreshFolder("店 'shop\"");
  Studio made = Studio::Init(root);
  for (const char* below : {"data", "models", "recipes", "objects"}) EXPECT_TRUE(FolderExists(made.Path(below)));
  EXPECT_TRUE(FileExists(made.Path("studio.db")));
  EXPECT_EQ(made.tenant(), "default");
  MakeFolders(made.Path("recipes/a/b"));
  const std::optional<Studio> found = Studio::Find("", made.Path("recipes/a/b"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->folder(), made.folder());
  EXPECT_EQ(found->name(), fs::path(root).filename().string());
  EXPECT_EQ(Studio::Require(root, "/").folder(), made.folder());
}

TEST(Studio, NoneIsSaidWithWhatToDo) {
  const std::string root = FreshFolder("none");
  MakeFolders(root);
  EXPECT_FALSE(Studio::Find("", root));
  for (const std::string& named : {std::string(), root}) {
    try {
      Studio::Require(named, root);
      FAIL() << "a studio was found where there is none";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kNotFound);
      EXPECT_NE(error.hint().find("atelier init"), std::string::npos);
    }
  }
}

TEST(Studio, ALostDatabaseIsNotReplacedByAnEmptyOne) {
  const std::string root = FreshFolder("lost");
  Studio::Init(root);
  for (const bool empty : {true, false}) {
    empty ? fs::resize_file(root + "/studio.db", 0) : static_cast<void>(fs::remove(root + "/studio.db"));
    try {
      Studio::Open(root);
      FAIL() << "was opened";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorrupt);
      EXPECT_NE(error.Line().find(empty ? "is empty" : "is missing"), std::string::npos) << error.Line();
    }
    EXPECT_EQ(FileExists(root + "/studio.db"), empty);
  }
}

TEST(Studio, InitTwiceIsAConflictAndHarmsNothing) {
  const std::string root = FreshFolder("twice");
  MakeFolders(root);
  WriteFileAtomic(root + "/notes.txt", "mine");
  Studio::Init(root).db().Run("INSERT INTO runs (id, recipe, config_hash, seed, started_at) VALUES ('r','x','',0,0)");
  try {
    Studio::Init(root);
    FAIL() << "a second init went through";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConflict);
  }
  EXPECT_EQ(ReadFile(root + "/notes.txt"), "mine");
  EXPECT_EQ(Studio::Open(root).db().QueryInt("SELECT count(*) FROM runs"), 1);
}

TEST(Studio, TheFileIsReadStrictly) {
  const std::string root = FreshFolder("strict");
  Studio::Init(root);
  const auto refused = [&](const std::string& text, const std::string& says) {
    WriteFileAtomic(root + "/studio.toml", text);
    try {
      Studio::Open(root);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_NE(error.Line().find(says), std::string::npos) << error.Line();
    }
  };
  refused("format = 1\nname = \"x\"\ntenent = \"y\"\n", "tenant");  // the nearest known key
  refused("format = 2\nname = \"x\"\n", "format");
  refused("name = \"x\"\n", "format");
  refused("format = 1\nname = \n", "studio.toml:2");
  WriteFileAtomic(root + "/studio.toml", "format = 1\nname = \"x\"\ntenant = \"team\"\n");
  EXPECT_EQ(Studio::Open(root).tenant(), "team");
}

}  // namespace
}  // namespace atelier::store
