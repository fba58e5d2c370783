#include "store/backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/archive.h"
#include "store/migrations.h"

namespace atelier::store {
namespace {

namespace fs = std::filesystem;

std::string Fresh(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_b_", name);
  fs::remove_all(path);
  return path;
}

std::string LineOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return Cat(Info(error.code()).name, ": ", error.Line());
  }
  return "done";
}

void AddRun(Database& db, const std::string& id, const std::string& options = "{}") {
  db.Run("INSERT INTO runs (id, recipe, config_hash, seed, options, started_at) VALUES (?, '茶 🍵', 'x', -1, ?, 5)", id,
         options);
}

// Every row of every table as text, in the tables' order.
std::string Dump(Database& db) {
  std::vector<std::string> tables;
  {
    Statement names = db.Prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    while (names.Step()) tables.push_back(names.Text(0));
  }
  std::string out;
  for (const std::string& table : tables) {
    Statement rows = db.Prepare(Cat("SELECT * FROM ", table));
    while (rows.Step()) {
      out += table;
      for (int i = 0; i < rows.columns(); ++i) out += Cat("|", rows.IsNull(i) ? "NULL" : rows.Text(i));
      out += "\n";
    }
  }
  return out;
}

std::map<std::string, std::string> FilesBelow(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && !entry.is_symlink() && !name.starts_with("studio.db"))
      files[name] = ReadFile(entry.path().string());
  }
  return files;
}

Studio Shop(const std::string& folder) {
  Studio studio = Studio::Init(folder);
  for (int i = 0; i < 50; ++i) AddRun(studio.db(), Cat("run ", i), Cat("{\"n\":", i, "}"));
  MakeFolders(studio.Path("data/评论/v000001"));
  WriteFileAtomic(studio.Path("data/评论/v000001/part-00000.jsonl.zst"), std::string("\0\xff 字节", 9));
  WriteFileAtomic(studio.Path("recipes/empty file"), "");
  WriteFileAtomic(studio.Path("keys.secret"), "0123");
  studio.objects().Put(std::string(3 << 20, 'x'));
  MakeFolders(studio.Path("indexes/手册"));
  WriteFileAtomic(studio.Path("indexes/手册/index.json"), "{}");
  WriteFileAtomic(studio.Path("indexes/手册/a.seg"), "segment");
  return studio;
}

TEST(Backup, RestoredElsewhereIsEqualRowForRowAndByteForByte) {
  const std::string root = Fresh("whole"), file = Fresh("whole.tar.zst"), other = Fresh("other");
  Studio studio = Shop(root);
  // Of these none belongs to the studio, or not yet.
  WriteFileAtomic(studio.Path("notes.txt"), "mine");
  MakeFolders(studio.Path("data/评论/.new-1"));
  WriteFileAtomic(studio.Path("data/评论/.new-1/part"), "half");
  WriteFileAtomic(studio.Path("models/a.gguf.tmp.Ab3dEf"), "half");
  WriteFileAtomic(studio.Path("indexes/手册/lock"), "");
  fs::create_symlink("/etc/passwd", studio.Path("data/link"));
  const BackupManifest made = MakeBackup(studio, file, true, "1.2.3");
  EXPECT_EQ(made.rows.at("runs"), 50);
  EXPECT_EQ(made.schema, static_cast<int>(AllMigrations().size()));
  struct stat status = {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(ToText(ToJson(CheckBackup(file))), ToText(ToJson(made)));
  const auto place = [&](const std::string& path) {
    return std::find_if(made.files.begin(), made.files.end(), [&](const BackupFile& one) { return one.path == path; });
  };
  EXPECT_LT(place("indexes/手册/index.json"), place("data/评论/v000001/part-00000.jsonl.zst"))
      << "before what it names";

  RestoreBackup(file, other);
  Studio restored = Studio::Open(other);
  EXPECT_EQ(Dump(restored.db()), Dump(studio.db()));
  auto files = FilesBelow(root);
  for (const char* not_kept : {"notes.txt", "data/评论/.new-1/part", "models/a.gguf.tmp.Ab3dEf", "indexes/手册/lock"})
    files.erase(not_kept);
  EXPECT_EQ(FilesBelow(other), files);
  AddRun(restored.db(), "new");  // it is a studio like any other
  EXPECT_NE(LineOf([&] { RestoreBackup(file, other); }).find("not empty"), std::string::npos);
  EXPECT_NE(LineOf([&] { MakeBackup(studio, file, true, ""); }).find("is there already"), std::string::npos);

  const std::string bare = Fresh("bare.tar.zst"), open = Fresh("open");
  EXPECT_FALSE(MakeBackup(studio, bare, false, "").secrets);
  RestoreBackup(bare, open);
  EXPECT_FALSE(FileExists(Cat(open, "/keys.secret")));
}

TEST(Backup, IsOfOneMomentWhileOthersWrite) {
  const std::string root = Fresh("busy");
  Studio studio = Studio::Init(root);
  std::atomic<bool> enough{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    Database db = Database::Open(Cat(root, "/studio.db"));
    for (int i = 0; !enough.load(); ++i) {  // two rows or none
      Transaction both(db);
      AddRun(db, Cat("a", i));
      AddRun(db, Cat("b", i), Cat("\"", std::string(3000, 'x'), "\""));
      both.Commit();
      ++written;
    }
  });
  int64_t last = -1;
  for (int i = 0; i < 5; ++i) {
    const int before = written.load();
    while (written.load() < before + 20) std::this_thread::yield();
    const std::string file = Fresh(Cat("busy", i)), other = Fresh(Cat("busy_restored", i));
    const BackupManifest made = MakeBackup(studio, file, true, "");
    EXPECT_EQ(made.rows.at("runs") % 2, 0);
    EXPECT_GE(made.rows.at("runs"), 2 * (before + 20)) << "what was there before is in it";
    EXPECT_GT(made.rows.at("runs"), last);
    last = made.rows.at("runs");
    RestoreBackup(file, other);
    EXPECT_EQ(Studio::Open(other).db().QueryInt("SELECT count(*) FROM runs"), last);
  }
  enough = true;
  writer.join();
}

TEST(Backup, DamageIsSaidAndNothingIsLeft) {
  const std::string root = Fresh("damage"), file = Fresh("damage.tar.zst");
  {
    Studio studio = Shop(root);
    MakeBackup(studio, file, true, "");
  }
  const std::string whole = ReadFile(file);
  const std::string beside = Fresh("beside");  // not the common folder, where other tests' backups come and go
  MakeFolders(beside);
  const std::string bad = Fresh("bad.tar.zst"), target = Cat(beside, "/target");
  for (size_t at = 0; at < whole.size(); at += std::max<size_t>(1, whole.size() / 47)) {
    for (const bool cut : {true, false}) {
      std::string bytes = cut ? whole.substr(0, at) : whole;
      if (!cut) bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
      fs::remove(bad);
      WriteFileAtomic(bad, bytes);
      const std::string checked = LineOf([&] { CheckBackup(bad); });
      const std::string restored = LineOf([&] { RestoreBackup(bad, target); });
      if (!cut && checked == "done") {  // a bit that says nothing, of padding or a frame's head
        EXPECT_EQ(restored, "done");
        fs::remove_all(target);
        continue;
      }
      EXPECT_TRUE(checked.starts_with("corrupt: ")) << checked << " at " << at << " cut " << cut;
      EXPECT_TRUE(restored.starts_with("corrupt: ")) << restored;
      EXPECT_FALSE(fs::exists(target));
    }
  }
  EXPECT_TRUE(fs::is_empty(beside));
}

TEST(Backup, HostileArchivesWriteNowhere) {
  const std::string target = Fresh("hostile");
  const auto restore = [&](const std::string& name, const std::string& manifest) {
    const std::string file = Fresh("hostile.tar.zst");
    ArchiveWriter archive(file);
    archive.AddBytes(name, "x");
    archive.AddBytes("backup.json", manifest);
    archive.AddBytes("backup.sha256", Cat(Sha256Hex(manifest), "  backup.json\n"));
    archive.Commit();
    return LineOf([&] { RestoreBackup(file, target); });
  };
  const std::string empty =
      R"({"format":1,"studio":"s","tenant":"t","atelier":"","created_at":1,"schema":1,"secrets":false,"rows":{},"files":[]})";
  for (const char* name : {"../up", "data/../../up", "/tmp/up", "notes.txt", "data//x", "data/./x", "studio.db-wal"})
    EXPECT_TRUE(restore(name, empty).starts_with("corrupt: ")) << name;
  EXPECT_NE(restore("data/x", empty).find("does not know"), std::string::npos);
  const auto listing = [&](const std::string& name, const std::string& bytes) {
    return ReplaceAll(empty, "[]", Cat(R"([{"path":")", name, R"(","bytes":1,"sha256":")", Sha256Hex(bytes), "\"}]"));
  };
  EXPECT_NE(restore("data/x", listing("data/x", "y")).find("is damaged"), std::string::npos);
  EXPECT_NE(restore("data/x", listing("data/y", "x")).find("is missing"), std::string::npos);
  EXPECT_NE(restore("notes.txt", listing("notes.txt", "x")).find("belongs to no studio"), std::string::npos);
  EXPECT_NE(restore("data/x", listing("data/x", "x")).find("no studio.db"), std::string::npos);
  for (const char* manifest : {"", "{", "[]", "{}", R"({"format":"1"})", R"({"format":2})", "\xff"})
    EXPECT_NE(restore("data/x", manifest), "done") << manifest;
  EXPECT_NE(restore("data/x", R"({"format":2})").find("newer"), std::string::npos);
  EXPECT_FALSE(fs::exists(target));
  EXPECT_FALSE(fs::exists("/tmp/up"));
  const std::string no = Fresh("no.tar.zst");
  WriteFileAtomic(no, "no archive");
  EXPECT_TRUE(LineOf([&] { CheckBackup(no); }).starts_with("corrupt: "));
  EXPECT_TRUE(LineOf([&] { CheckBackup(Fresh("none")); }).starts_with("not_found: "));
}

TEST(Backup, WhatDoesNotFitIsNotBegun) {
  const std::string root = Fresh("fit"), file = Fresh("fit.tar.zst"), target = Fresh("fit_target");
  Studio studio = Shop(root);
  MakeBackup(studio, file, true, "");
  const std::string line = LineOf([&] { RestoreBackup(file, target, {}, uint64_t{1} << 60); });
  EXPECT_NE(line.find("does not fit"), std::string::npos) << line;
  EXPECT_FALSE(fs::exists(target));
}

}  // namespace
}  // namespace atelier::store
