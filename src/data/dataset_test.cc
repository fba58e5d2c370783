#include "data/dataset.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/record_line.h"

namespace atelier::data {
namespace fs = std::filesystem;
namespace {

class DatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(testing::TempDir(), "dataset-", ::getpid(), "-",
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string Lines(size_t from, size_t count) {
    LineBuilder builder;
    for (size_t i = from; i < from + count; ++i) {
      builder.Begin();
      builder.Key("n");
      builder.Int(static_cast<int64_t>(i));
      builder.Key("文本");
      builder.Text(Cat("第", i, "条 \"quoted\" 😀 ", std::string(i % 50, 'x')));
      builder.End(0, i);
    }
    return std::string(builder.lines());
  }
  Manifest Make(const std::string& name, size_t records, WriterOptions options = {}) {
    DatasetWriter writer(all(), name, options);
    writer.Append(Lines(0, records), records);
    return writer.Commit({});
  }
  static std::string All(const DatasetReader& reader) {
    std::string out;
    reader.ReadAll([&](std::string_view lines) {
      EXPECT_EQ(lines.back(), '\n');
      out += lines;
      return true;
    });
    return out;
  }
  Datasets all() const { return Datasets(folder_); }
  template <typename Fn>
  static std::string ErrorOf(const Fn& fn, Code* code = nullptr) {
    try {
      fn();
    } catch (const Error& e) {
      if (code != nullptr) *code = e.code();
      return e.Line();
    }
    return "";
  }
  std::string folder_;
};

TEST_F(DatasetTest, WhatWasWrittenIsRead) {
  const std::string lines = Lines(0, 5000);
  DatasetWriter writer(all(), "评论-1.x", {.shard_bytes = 100'000});
  writer.Append(lines, 5000);
  writer.Reject({.source = 2, .line = 7, .column = 3, .reason = "why", .text = "bad \xFF bytes"});
  writer.AddFile("report.json", "{}");
  Manifest draft;
  draft.licence = "CC0";
  draft.recipe = {"import", "a = 1\n", ""};
  const Manifest made = writer.Commit(draft);
  EXPECT_EQ(made.Reference(), "评论-1.x@1");
  EXPECT_EQ(made.records, 5000u);
  EXPECT_GT(made.shards.size(), 3u);
  const DatasetReader reader(all(), "评论-1.x");
  EXPECT_EQ(All(reader), lines);
  EXPECT_EQ(ToJson(reader.manifest()), ToJson(made));
  EXPECT_EQ(reader.manifest().licence, "CC0");
  std::string rejects;
  reader.ReadRejects([&](std::string_view part) { return rejects += part, true; });
  EXPECT_EQ(
      rejects,
      "{\"stage\":\"import\",\"source\":2,\"line\":7,\"column\":3,\"reason\":\"why\",\"text\":\"bad \uFFFD bytes\"}\n");
  ASSERT_EQ(made.files.size(), 2u);
  EXPECT_EQ(made.files[0].file, "report.json");
}

TEST_F(DatasetTest, ShardsDependOnTheLinesAlone) {
  const std::string lines = Lines(0, 3000);
  std::string hash;
  for (const size_t piece : {1u, 7u, 500u, 3000u}) {
    DatasetWriter writer(all(), Cat("p", piece), {.level = static_cast<int>(piece % 3 + 1), .shard_bytes = 50'000});
    size_t begin = 0, records = 0;
    for (size_t at = 0, n = 0; at < lines.size();) {
      at = lines.find('\n', at) + 1;
      if (++n % piece == 0 || at == lines.size()) {
        writer.Append(std::string_view(lines).substr(begin, at - begin), n - records);
        begin = at;
        records = n;
      }
    }
    const Manifest made = writer.Commit({});
    if (hash.empty()) hash = made.content_hash;
    EXPECT_EQ(made.content_hash, hash) << piece;
    for (size_t i = 0; i + 1 < made.shards.size(); ++i) {
      EXPECT_GE(made.shards[i].bytes, 50'000u);
      EXPECT_LT(made.shards[i].bytes, 50'400u);
    }
  }
}

TEST_F(DatasetTest, NamesAreSafeFolders) {
  for (const char* good : {"a", "评论", "reviews_2.x-y", "été", "7", "кот"}) {
    EXPECT_EQ(ErrorOf([&] { CheckDatasetName(good); }), "") << good;
  }
  for (const std::string& bad : std::vector<std::string>{"", ".hidden", "-x", "a/b", "..", "a b", "a@1", "\xFF", "a\n",
                                                         std::string(65, 'a'), "e\xCC\x81"}) {
    EXPECT_NE(ErrorOf([&] { CheckDatasetName(bad); }), "") << bad;
  }
  EXPECT_EQ(ParseDatasetRef("评论@12").version, 12);
  EXPECT_EQ(ParseDatasetRef("评论").version, 0);
  for (const char* bad : {"a@", "a@0", "a@x", "a@-1", "@1", "a@1@2"}) {
    EXPECT_NE(ErrorOf([&] { ParseDatasetRef(bad); }), "") << bad;
  }
}

TEST_F(DatasetTest, VersionsCountUpAndNumbersAreNotUsedTwice) {
  EXPECT_EQ(Make("d", 3).version, 1);
  EXPECT_EQ(Make("d", 4).version, 2);
  EXPECT_EQ(all().Load("d").records, 4u);
  EXPECT_EQ(all().Load("d@1").records, 3u);
  all().Remove({"d", 2});
  EXPECT_EQ(all().Versions("d"), std::vector<int>{1});
  EXPECT_EQ(Make("d", 5).version, 3);
  Code code{};
  EXPECT_NE(ErrorOf([&] { all().Load("d@2"); }, &code).find("no version 2"), std::string::npos);
  EXPECT_EQ(code, Code::kNotFound);
  EXPECT_NE(ErrorOf([&] { all().Load("dd"); }).find("did you mean 'd'"), std::string::npos);
  all().Remove({"d", 0});
  EXPECT_TRUE(all().Names().empty());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(DatasetTest, WithoutCommitNothingIsLeft) {
  {
    DatasetWriter writer(all(), "gone");
    writer.Append(Lines(0, 10), 10);
    writer.Reject({.reason = "x"});
  }
  EXPECT_TRUE(fs::is_empty(folder_));
  EXPECT_NE(ErrorOf([&] { DatasetWriter(all(), "x").Append("{\"no\":\"end\"}", 1); }), "");
}

TEST_F(DatasetTest, LeftoversOfTheDeadAreSweptAndThoseOfTheLivingStay) {
  Make("d", 1);
  const std::string dead = Cat(folder_, "/d/.new-dead");
  fs::create_directory(dead);
  std::ofstream(dead + "/part-00000.jsonl.zst") << "half";
  DatasetWriter living(all(), "d");  // swept the dead
  EXPECT_FALSE(fs::exists(dead));
  living.Append(Lines(0, 2), 2);
  Make("d", 3);  // must not sweep the living
  EXPECT_EQ(living.Commit({}).version, 3);
  EXPECT_EQ(All(DatasetReader(all(), "d@3")), Lines(0, 2));
}

TEST_F(DatasetTest, WritersSideBySideGetNumbersOfTheirOwn) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 4; ++round) Make("d", static_cast<size_t>(i) + 1, {.background = false});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(all().Versions("d").size(), 32u);
  EXPECT_EQ(all().Versions("d").back(), 32);
  for (const std::string& entry : ListFolder(folder_ + "/d")) EXPECT_EQ(entry[0], 'v') << entry;
}

TEST_F(DatasetTest, DamageIsNamed) {
  const Manifest made = Make("d", 2000);
  const std::string path = Cat(all().Path("d"), "/", made.shards[0].file);
  const std::string good = ReadFile(path);
  const auto read = [&] {
    Code code{};
    const std::string what = ErrorOf([&] { All(DatasetReader(all(), "d")); }, &code);
    if (!what.empty()) {
      EXPECT_EQ(code, Code::kCorrupt) << what;
      EXPECT_NE(what.find("part-00000"), std::string::npos) << what;
    }
    return what;
  };
  EXPECT_EQ(read(), "");
  size_t found = 0, harmless = 0;
  for (size_t at = 0; at < good.size(); at += 97) {  // any byte: zstd's checksum or ours
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    WriteFileAtomic(path, bad);
    if (!read().empty()) {
      ++found;
      continue;
    }
    // Padding bits of a block mean nothing: then the text is what was written.
    EXPECT_EQ(All(DatasetReader(all(), "d")), Lines(0, 2000)) << at;
    ++harmless;
  }
  EXPECT_GT(found, 300u);
  EXPECT_LT(harmless, 10u);
  WriteFileAtomic(path, good.substr(0, good.size() / 2));
  EXPECT_NE(read(), "");
  fs::remove(path);
  EXPECT_NE(read().find("missing"), std::string::npos);
}

TEST_F(DatasetTest, ABombIsStoppedAtWhatTheManifestSays) {
  const Manifest made = Make("d", 10);
  const std::string path = Cat(all().Path("d"), "/", made.shards[0].file);
  const std::string zeros(256u << 20, '\n');
  std::string bomb(ZSTD_compressBound(zeros.size()), 0);
  bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), zeros.data(), zeros.size(), 1));
  WriteFileAtomic(path, bomb);
  // The manifest is made to fit the file's size, as a hostile one would be.
  Json manifest = ToJson(made);
  manifest["shards"][0]["compressed_bytes"] = bomb.size();
  WriteFileAtomic(all().Path("d") + "/manifest.json", ToText(manifest));
  uint64_t seen = 0;
  const std::string what = ErrorOf(
      [&] { DatasetReader(all(), "d").ReadAll([&](std::string_view lines) { return seen += lines.size(), true; }); });
  EXPECT_NE(what.find("more text than the manifest says"), std::string::npos) << what;
  EXPECT_LT(seen, 4u << 20);
}

TEST_F(DatasetTest, ManifestsAreReadStrictly) {
  const Manifest made = Make("d", 10);
  const Json good = ToJson(made);
  EXPECT_EQ(ToJson(ParseManifest(ToText(good), "m")), good);
  const auto refuses = [&](const char* what, const std::function<void(Json&)>& change) {
    Json bad = good;
    change(bad);
    Code code{};
    EXPECT_NE(ErrorOf([&] { ParseManifest(ToText(bad), "m"); }, &code), "") << what;
    EXPECT_TRUE(code == Code::kCorrupt || code == Code::kUnsupported) << what;
  };
  refuses("unknown key", [](Json& m) { m["extra"] = 1; });
  refuses("missing key", [](Json& m) { m.erase("licence"); });
  refuses("format", [](Json& m) { m["format"] = 2; });
  refuses("type", [](Json& m) { m["records"] = "10"; });
  refuses("negative", [](Json& m) { m["bytes"] = -1; });
  refuses("sum", [](Json& m) { m["records"] = 11; });
  refuses("a path", [](Json& m) { m["shards"][0]["file"] = "../../etc/passwd"; });
  refuses("hash", [](Json& m) { m["content_hash"] = std::string(64, '0'); });
  refuses("shard's hash", [](Json& m) { m["shards"][0]["xxh3"] = std::string(32, '0'); });
  refuses("version", [](Json& m) { m["version"] = 0; });
  EXPECT_NE(ErrorOf([] { ParseManifest("[[[[", "m"); }), "");
}

}  // namespace
}  // namespace atelier::data
