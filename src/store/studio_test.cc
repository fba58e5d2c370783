#include "store/studio.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
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
  for (const char* below : {"data", "models", "recipes", "objects", "indexes", "suites"})
    EXPECT_TRUE(FolderExists(made.Path(below)));
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

TEST(Studio, OtherRoomsTablesAreHandedOverUnread) {
  const std::string root = FreshFolder("tables");
  const Studio studio = Studio::Init(root);
  EXPECT_FALSE(studio.Settings("serve"));
  const std::string head = "format = 1\nname = \"x\"\n";
  WriteFileAtomic(root + "/studio.toml", head + "[serve]\nwhatever = 3\n[serve.below]\nmore = true\n");
  EXPECT_EQ(Studio::Open(root).name(), "x");
  std::optional<Table> table = studio.Settings("serve");  // as the file is now
  ASSERT_TRUE(table);
  EXPECT_EQ(table->Int("whatever"), 3);
  EXPECT_TRUE(table->Sub("below").Bool("more"));
  for (const char* bad : {"[serv]\n", "serve = 1\n", "[[serve]]\n", "tenent = \"a\"\n[serve]\n", "[serve\n"}) {
    WriteFileAtomic(root + "/studio.toml", head + bad);
    EXPECT_THROW(studio.Settings("serve"), Error) << bad;
    EXPECT_THROW(Studio::Open(root), Error) << bad;
  }
}

// As somebody who may read a studio and not write it. The tests may run as root, who may write anything.
class Reader {
 public:
  explicit Reader(const std::string& root) : root_(root) { Set(0555, 0444, ::geteuid() == 0 ? 65534 : ::geteuid()); }
  ~Reader() { Set(0755, 0644, ::getuid()); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  void Set(mode_t folder, mode_t file, uid_t user) {
    if (user == ::getuid()) EXPECT_EQ(::seteuid(user), 0);
    ::chmod(root_.c_str(), folder);
    for (const auto& entry : fs::directory_iterator(root_)) {
      if (entry.is_regular_file()) ::chmod(entry.path().c_str(), file);
    }
    if (user != ::getuid()) EXPECT_EQ(::seteuid(user), 0);
  }
  const std::string root_;
};

TEST(Studio, IsOpenedForReadingWhereItCannotBeWritten) {
  const std::string root = FreshFolder("read % only?#");
  Studio::Init(root).db().Run("INSERT INTO runs (id, recipe, config_hash, seed, started_at) VALUES ('r','x','',0,0)");
  {
    const Reader reader(root);
    Studio studio = Studio::Open(root, Access::kReadIfMust);
    EXPECT_TRUE(studio.read_only());
    EXPECT_EQ(studio.db().QueryInt("SELECT count(*) FROM runs"), 1);
    try {
      studio.db().Run("DELETE FROM runs");
      ADD_FAILURE() << "written";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kPermissionDenied) << error.Line();
    }
    studio.Reopen(Access::kReadIfMust);
    EXPECT_TRUE(studio.read_only());
    EXPECT_EQ(studio.db().QueryInt("SELECT count(*) FROM runs"), 1);
  }
  Studio studio = Studio::Open(root, Access::kReadIfMust);
  EXPECT_FALSE(studio.read_only());
  studio.db().Run("DELETE FROM runs");
}

TEST(Studio, ChangesThatWaitInTheLogAreNotReadPast) {
  const std::string root = FreshFolder("log");
  Studio writer = Studio::Init(root);
  writer.db().Run("INSERT INTO runs (id, recipe, config_hash, seed, started_at) VALUES ('r','x','',0,0)");
  // As a killed process leaves it: the row is in the log alone.
  const std::string copy = FreshFolder("log copy");
  fs::copy(root, copy, fs::copy_options::recursive);
  fs::remove(copy + "/studio.db-shm");
  ASSERT_GT(fs::file_size(copy + "/studio.db-wal"), 0u);
  {
    const Reader reader(copy);
    try {
      Studio::Open(copy, Access::kReadIfMust);
      ADD_FAILURE() << "opened without its log";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kPermissionDenied);
      EXPECT_NE(error.Line().find("-wal"), std::string::npos) << error.Line();
    }
  }
  EXPECT_EQ(Studio::Open(copy).db().QueryInt("SELECT count(*) FROM runs"), 1);
}

}  // namespace
}  // namespace atelier::store
