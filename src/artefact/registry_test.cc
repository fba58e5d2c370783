#include "artefact/registry.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "artefact/adapter.h"
#include "artefact/model_file.h"
#include "artefact/tiny_model.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = Cat(::testing::TempDir(), "/", ::getpid(), "_registry_",
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(root_);
    MakeFolders(root_ + "/home/models");
    studio_.emplace(store::Studio::Init(root_ + "/studio"));
    registry_.emplace(&*studio_, root_ + "/home",
                      [this](std::string_view event, std::string_view subject, const Json&) {
                        events_.push_back(Cat(event, " ", subject));
                      });
    alone_.emplace(nullptr, root_ + "/home");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  ModelEntry Make(const std::string& name, const std::string& path, char fill = 'w') {
    WriteFileAtomic(path, TinyModel(name, fill));
    ModelEntry entry{.name = name, .path = path, .manifest = Describe(*GgufFile::Open(path))};
    entry.manifest.name = name;
    entry.manifest.sha256 = Sha256HexOfFile(path);
    entry.manifest.source = "test";
    return entry;
  }
  ModelEntry Store(const std::string& name) {
    ModelEntry entry = Make(name, registry_->StorePath(name));
    SaveManifest(entry.manifest, registry_->StoreManifestPath(name));
    return entry;
  }
  template <typename Body>
  Error Failure(Body body) {
    try {
      body();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(Code::kInternal, "");
  }

  std::string root_;
  std::optional<store::Studio> studio_;
  std::optional<Registry> registry_, alone_;
  std::vector<std::string> events_;
};

TEST_F(RegistryTest, ResolvesRegisteredThenStoredThenPath) {
  Store("both");
  registry_->Register(Make("both", root_ + "/mine.gguf", 'x'));
  EXPECT_EQ(registry_->Resolve("both").path, root_ + "/mine.gguf");
  EXPECT_TRUE(registry_->Resolve("both").registered);
  EXPECT_EQ(alone_->Resolve("both").path, registry_->StorePath("both"));
  EXPECT_EQ(alone_->Resolve("both").manifest.source, "test");

  const ModelEntry by_path = registry_->Resolve(root_ + "/mine.gguf");
  EXPECT_EQ(by_path.name, "mine");
  EXPECT_EQ(by_path.manifest.architecture, "llama");
  EXPECT_EQ(by_path.manifest.sha256, "");
  RemoveFile(registry_->StoreManifestPath("both"));
  EXPECT_EQ(alone_->Resolve("both").manifest.architecture, "llama") << "weights without a manifest are usable";
}

TEST_F(RegistryTest, WhatIsNotThereIsSaidWithWhatToDo) {
  Store("my-model");
  EXPECT_NE(Failure([&] { registry_->Resolve("my-modle"); }).hint().find("my-model"), std::string::npos);
  EXPECT_NE(Failure([&] { registry_->Resolve("smollm2"); }).hint().find("atelier model pull smollm2"),
            std::string::npos);
  EXPECT_EQ(Failure([&] { registry_->Resolve("/no/such.gguf"); }).code(), Code::kNotFound);
  EXPECT_EQ(Failure([&] { registry_->Resolve(""); }).code(), Code::kNotFound);
  EXPECT_EQ(Failure([&] { registry_->Resolve("../home/models/my-model"); }).code(), Code::kNotFound);
  registry_->Register(Make("gone", root_ + "/gone.gguf"));
  RemoveFile(root_ + "/gone.gguf");
  EXPECT_NE(Failure([&] { registry_->Resolve("gone"); }).Line().find("its file is gone"), std::string::npos);
  EXPECT_FALSE(registry_->List()[0].present);
}

TEST_F(RegistryTest, ListsBothAndHidesNothing) {
  Store("stored");
  const ModelEntry used = Store("used");
  registry_->Register(used);
  registry_->Register(Make("local", root_ + "/local.gguf"));
  WriteFileAtomic(registry_->StorePath("broken"), "no model");
  const std::vector<ModelEntry> list = registry_->List();
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[0].name, "local");
  EXPECT_EQ(list[1].name, "used");
  EXPECT_TRUE(list[1].registered);
  EXPECT_EQ(list[2].name, "broken");
  EXPECT_FALSE(list[2].registered);
  EXPECT_EQ(list[3].name, "stored");
}

TEST_F(RegistryTest, ANameStandsForOneModel) {
  registry_->Register(Make("m", root_ + "/one.gguf", 'a'));
  const Error error = Failure([&] { registry_->Register(Make("m", root_ + "/two.gguf", 'b')); });
  EXPECT_EQ(error.code(), Code::kConflict);
  EXPECT_EQ(registry_->Resolve("m").path, root_ + "/one.gguf");
  registry_->Register(Make("m", root_ + "/moved.gguf", 'a'));  // the same weights elsewhere
  EXPECT_EQ(registry_->Resolve("m").path, root_ + "/moved.gguf");
  EXPECT_EQ(registry_->List().size(), 1u);
}

TEST_F(RegistryTest, AStudioThatWasMovedFindsItsModels) {
  registry_->Register(Make("trained", root_ + "/studio/models/trained.gguf"));
  const ModelEntry used = Store("used");
  registry_->Register(used);
  EXPECT_EQ(registry_->Resolve("trained").path, std::filesystem::canonical(root_ + "/studio/models/trained.gguf"));

  registry_.reset(), studio_.reset();
  std::filesystem::rename(root_ + "/studio", root_ + "/elsewhere");
  studio_.emplace(store::Studio::Open(root_ + "/elsewhere"));
  registry_.emplace(&*studio_, root_ + "/home", nullptr);
  EXPECT_EQ(registry_->Resolve("trained").path, std::filesystem::canonical(root_ + "/elsewhere/models/trained.gguf"));
  EXPECT_EQ(registry_->Resolve("used").path, used.path) << "what lies outside stays where it is";
}

TEST_F(RegistryTest, EventsAndTermsAreOneTransaction) {
  ModelEntry entry = Make("m", root_ + "/m.gguf");
  entry.manifest.terms = {.name = "T", .url = "u", .sha256 = "h", .accepted_by = "user:a", .accepted_at = 5};
  registry_->Register(entry, "model.pulled");
  registry_->Register(entry);
  EXPECT_EQ(events_, (std::vector<std::string>{"terms.accepted m", "model.pulled m", "model.registered m"}));
  EXPECT_EQ(studio_->db().QueryInt("SELECT count(*) FROM terms_acceptances WHERE model = 'm' AND actor = 'user:a'"), 1);

  Registry failing(&*studio_, root_ + "/home", [](std::string_view, std::string_view, const Json&) {
    throw Error(Code::kIo, "the audit trail cannot be written");
  });
  EXPECT_THROW(failing.Register(Make("n", root_ + "/n.gguf")), Error);
  EXPECT_EQ(studio_->db().QueryInt("SELECT count(*) FROM models WHERE name = 'n'"), 0) << "registered without a trace";
}

TEST_F(RegistryTest, RemoveKeepsWeightsUnlessAsked) {
  const ModelEntry stored = Store("stored");
  registry_->Register(stored);
  registry_->Remove("stored", false);
  EXPECT_TRUE(FileExists(stored.path));
  EXPECT_EQ(events_.back(), "model.removed stored");
  EXPECT_EQ(Failure([&] { registry_->Remove("stored", false); }).code(), Code::kNotFound);
  registry_->Remove("stored", true);
  EXPECT_FALSE(FileExists(stored.path));
  EXPECT_FALSE(FileExists(registry_->StoreManifestPath("stored")));

  const ModelEntry local = Make("local", root_ + "/local.gguf");
  registry_->Register(local);
  registry_->Remove("local", true);
  EXPECT_TRUE(FileExists(local.path)) << "a file outside the store was deleted";

  const ModelEntry alone = Store("alone");
  alone_->Remove("alone", false);
  EXPECT_FALSE(FileExists(alone.path));
  EXPECT_THROW(registry_->Remove("../studio/studio", true), Error);
}

TEST_F(RegistryTest, AnAdapterStandsWithTheModelsThatItFits) {
  const auto adapter = [&](const std::string& name, const std::string& architecture, int64_t width, int layer) {
    Adapter made;
    made.architecture = architecture, made.alpha = 2, made.licence = "cc0-1.0", made.base = "m";
    const auto numbers = [](int64_t count) { return std::vector<float>(static_cast<size_t>(count), 0.5f); };
    made.pairs = {{Cat("blk.", layer, ".attn_q.weight"), 1, width, 4, numbers(width), numbers(4)}};
    ModelEntry entry{.name = name, .path = Cat(root_, "/", name, ".gguf"), .manifest = {}};
    WriteAdapterGguf(made, entry.path);
    entry.manifest = DescribeFile(entry.path);
    entry.manifest.name = name;
    entry.manifest.sha256 = Sha256HexOfFile(entry.path);
    registry_->Register(entry);
    return entry;
  };
  ModelEntry model = Make("m", root_ + "/m.gguf");
  model.manifest.config["embedding_length"] = 64;
  registry_->Register(model);
  const ModelEntry fits = adapter("fits", "llama", 64, 0);
  EXPECT_EQ(fits.manifest.architecture, "adapter");
  EXPECT_EQ(fits.manifest.config["adapts"], "llama");
  adapter("family", "gemma3", 64, 0);
  adapter("wide", "llama", 128, 0);
  adapter("deep", "llama", 64, 1);
  EXPECT_TRUE(registry_->Verify(fits).sound);

  const ModelEntry both = registry_->ResolveAdapted("m+fits");
  EXPECT_EQ(both.name, "m+fits");
  EXPECT_EQ(both.path, model.path);
  EXPECT_EQ(both.adapter->path, fits.path);
  EXPECT_EQ(both.manifest.sha256, model.manifest.sha256 + "+" + fits.manifest.sha256);
  EXPECT_EQ(both.manifest.licence, "mit and cc0-1.0");
  EXPECT_FALSE(registry_->ResolveAdapted("m").adapter);
  EXPECT_EQ(registry_->ResolveAdapted(Cat("m+", fits.path)).adapter->name, "fits") << "a path will do";
  for (const char* name : {"m+family", "m+wide", "m+deep", "m+m", "fits+fits"}) {
    EXPECT_EQ(Failure([&] { registry_->ResolveAdapted(name); }).code(), Code::kConflict) << name;
  }
  for (const char* name : {"m+nobody", "nobody+fits", "+", "m+", "+fits"}) {
    EXPECT_EQ(Failure([&] { registry_->ResolveAdapted(name); }).code(), Code::kNotFound) << name;
  }
  // Where one file is wanted, the adapter is not left out in silence.
  EXPECT_EQ(Failure([&] { registry_->Resolve("m+fits"); }).code(), Code::kUnsupported);
  EXPECT_EQ(Failure([&] { registry_->ResolveAdapted("m+fits+fits"); }).code(), Code::kUnsupported);

  std::vector<std::string> names;
  for (const ModelEntry& entry : WithAdapters(registry_->List())) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"m", "m+fits"}));
}

TEST_F(RegistryTest, VerifySeesEveryKindOfDamage) {
  ModelEntry entry = Make("m", root_ + "/m.gguf");
  EXPECT_TRUE(registry_->Verify(entry).sound);
  EXPECT_EQ(registry_->Verify(entry).sha256, entry.manifest.sha256);
  std::string bytes = ReadFile(entry.path);
  bytes.back() ^= 1;  // inside padding: only the hash can tell
  WriteFileAtomic(entry.path, bytes);
  EXPECT_FALSE(registry_->Verify(entry).sound);
  EXPECT_NE(registry_->Verify(entry).problem.find("SHA-256"), std::string::npos);
  entry.manifest.sha256.clear();
  WriteFileAtomic(entry.path, bytes.substr(0, 200));
  EXPECT_FALSE(registry_->Verify(entry).sound);
  RemoveFile(entry.path);
  EXPECT_FALSE(registry_->Verify(entry).sound);
}

}  // namespace
}  // namespace atelier::artefact
