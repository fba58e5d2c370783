#include "data/collect.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/rng.h"
#include "base/str.h"
#include "store/data_use.h"

namespace atelier::data {
namespace {

class CollectTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "collect-" + NewUuid();
    studio_.emplace(store::Studio::Init(folder_));
    datasets_.emplace(studio_->Path("data"));
  }
  void TearDown() override {
    studio_.reset();
    std::filesystem::remove_all(folder_);
  }

  // The next version of `name`, whose records name these texts' objects, which are put.
  void Import(const std::string& name, const std::vector<std::string>& texts) {
    DatasetWriter writer(*datasets_, name);
    for (const std::string& text : texts) {
      writer.Append(Cat("{\"_id\":\"0\",\"sha256\":\"", studio_->objects().Put(text), "\"}\n"), 1);
    }
    writer.Commit({});
  }
  // As `data rm` does it.
  Collected Remove(const std::string& ref) {
    const DatasetRef parsed = ParseDatasetRef(ref);
    std::set<std::string> named = ObjectsOf(*studio_, *datasets_, parsed);
    datasets_->Remove(parsed);
    return Collect(*studio_, *datasets_, std::move(named));
  }
  std::string Here() const {
    std::string out;
    for (const std::string& hash : studio_->objects().Hashes()) out += studio_->objects().Get(hash);
    std::sort(out.begin(), out.end());
    return out;
  }

  std::string folder_;
  std::optional<store::Studio> studio_;
  std::optional<Datasets> datasets_;
};

TEST_F(CollectTest, WhatTwoVersionsShareStaysWithTheLast) {
  Import("d", {"a", "b"});
  Import("d", {"b", "c"});
  Import("other", {"c"});
  Collected gone = Remove("d@1");
  EXPECT_EQ(gone.objects, 1U);
  EXPECT_EQ(gone.bytes, 1U);
  EXPECT_EQ(gone.kept, 1U);
  EXPECT_EQ(Here(), "bc");
  gone = Remove("d");
  EXPECT_EQ(gone.objects, 1U);
  EXPECT_EQ(Here(), "c") << "another dataset names it";
  EXPECT_EQ(Remove("other@1").objects, 1U);
  EXPECT_EQ(Here(), "");
}

TEST_F(CollectTest, AllThatNothingNames) {
  Import("d", {"a"});
  studio_->objects().Put("lost");
  const std::string half = Cat(studio_->Path("objects"), "/", Sha256Hex("a").substr(0, 2), "/x.tmp.abcdef");
  WriteFileAtomic(half, "half!");
  const Collected dry = CollectAll(*studio_, *datasets_, true);
  EXPECT_EQ(dry.objects, 1U);
  EXPECT_EQ(dry.bytes, 9U);
  EXPECT_EQ(dry.kept, 1U);
  EXPECT_TRUE(FileExists(half));
  const Collected all = CollectAll(*studio_, *datasets_);
  EXPECT_EQ(all.objects, 1U);
  EXPECT_EQ(all.bytes, 9U);
  EXPECT_FALSE(FileExists(half));
  EXPECT_EQ(Here(), "a");
  EXPECT_EQ(CollectAll(*studio_, *datasets_).objects, 0U);
}

TEST_F(CollectTest, RowsOfTheDatabaseAreReferences) {
  const std::string hash = studio_->objects().Put("picture");
  studio_->db().Execute("CREATE TABLE shown (id INTEGER, output TEXT)");
  studio_->db().Run("INSERT INTO shown VALUES (1, ?)",
                    Cat("{\"file\":\"objects/", hash.substr(0, 2), "/", hash.substr(2), "\"}"));
  EXPECT_EQ(CollectAll(*studio_, *datasets_).kept, 1U);
  studio_->db().Run("DELETE FROM shown");
  EXPECT_EQ(CollectAll(*studio_, *datasets_).objects, 1U);
}

TEST_F(CollectTest, ReferencesAsTheyStandInTexts) {
  const std::string hash = Sha256Hex("x"), other = Sha256Hex("y");
  const std::set<std::string> all = {hash, other};
  EXPECT_EQ(NamedIn(Cat("[\"", hash, "\"]"), all), std::set<std::string>{hash});
  EXPECT_EQ(NamedIn(hash, all), std::set<std::string>{hash});
  EXPECT_EQ(NamedIn(Cat("sha256:", hash, ",", other), all), all);
  EXPECT_EQ(NamedIn(Cat("objects/", hash.substr(0, 2), "/", hash.substr(2), ".png"), all), std::set<std::string>{hash});
  for (const std::string& none : {Cat("a", hash), Cat(hash, "0"), hash.substr(1), Sha256Hex("z"), std::string()}) {
    EXPECT_TRUE(NamedIn(none, all).empty()) << none;
  }
}

TEST_F(CollectTest, NobodyCollectsWhileSomebodyWorks) {
  Import("d", {"a"});
  const std::string lost = studio_->objects().Put("lost");
  {
    DatasetWriter writer(*datasets_, "new");  // which may name any object before it ends
    EXPECT_TRUE(CollectAll(*studio_, *datasets_).busy);
    EXPECT_TRUE(Collect(*studio_, *datasets_, {lost}).busy);
  }
  {
    const DatasetReader reader(*datasets_, "d");
    EXPECT_TRUE(CollectAll(*studio_, *datasets_).busy);
    Import("d", {"b"});  // readers and writers do not wait for each other
  }
  EXPECT_EQ(Here().size(), 6U);
  // Who comes while somebody collects waits.
  std::optional<store::DataUse> alone = store::DataUse::TryAlone(datasets_->folder());
  ASSERT_TRUE(alone);
  std::atomic<bool> in = false;
  std::thread late([&] {
    const DatasetWriter writer(*datasets_, "late");
    in = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(in);
  alone.reset();
  late.join();
  EXPECT_TRUE(in);
  EXPECT_EQ(CollectAll(*studio_, *datasets_).objects, 1U);
}

TEST_F(CollectTest, WhereAVersionCannotBeReadNothingGoes) {
  Import("d", {"a"});
  studio_->objects().Put("lost");
  const std::string shard = Cat(datasets_->Path("d"), "/part-00000.jsonl.zst"), whole = ReadFile(shard);
  WriteFileAtomic(shard, whole.substr(0, whole.size() - 1));
  EXPECT_THROW(CollectAll(*studio_, *datasets_), Error);
  EXPECT_EQ(studio_->objects().Hashes().size(), 2U);
  WriteFileAtomic(shard, whole);
  EXPECT_EQ(CollectAll(*studio_, *datasets_).objects, 1U);
}

TEST_F(CollectTest, KilledAtAnyMomentEveryVersionHasItsObjects) {
  Rng rng(2);
  int cut = 0;
  const std::string did = folder_ + "/collected";  // once anything was
  for (int round = 0; round < 15; ++round) {
    const auto spawn = [&](const std::function<void()>& work) {
      const pid_t child = ::fork();
      if (child == 0) {
        try {
          work();
        } catch (const Error&) {
        }
        ::_exit(0);
      }
      return child;
    };
    // One imports what shares objects with the version before, while the other removes that and collects.
    const std::vector<std::string> texts = {Cat("r", round), Cat("r", round + 1), "shared"};
    const pid_t importer = spawn([&] {
      for (int i = 0; i < 3; ++i) Import("d", texts);
    });
    const pid_t remover = spawn([&] {
      store::Studio own = store::Studio::Open(folder_);
      while (true) {
        const std::vector<int> versions = datasets_->Versions("d");
        if (versions.size() > 1) datasets_->Remove(DatasetRef{"d", versions.front()});
        if (!CollectAll(own, *datasets_).busy) WriteFileAtomic(did, "");
        ::usleep(1000);
      }
    });
    ::usleep(static_cast<useconds_t>(rng.Below(400'000)));
    for (const pid_t child : {importer, remover}) {
      int status = 0;
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      cut += WIFSIGNALED(status);
    }
    for (const int version : datasets_->Versions("d")) {
      DatasetReader(datasets_->Path(DatasetRef{"d", version})).ReadAll([&](std::string_view lines) {
        for (const std::string& line : Split(lines, '\n')) {
          if (line.empty()) continue;
          const std::string hash = ParseJson(line, "line")["sha256"];
          EXPECT_TRUE(studio_->objects().Has(hash)) << "round " << round << ", version " << version;
        }
        return true;
      });
    }
  }
  EXPECT_GE(cut, 15);
  EXPECT_TRUE(FileExists(did));
  CollectAll(*studio_, *datasets_);
  std::set<std::string> named = ObjectsOf(*studio_, *datasets_, DatasetRef{"d", 0});
  EXPECT_EQ(named.size(), studio_->objects().Hashes().size());
}

}  // namespace
}  // namespace atelier::data
