#include "artefact/manifest.h"

#include <gtest/gtest.h>

#include "artefact/memory_file.h"
#include "artefact/tiny_model.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

TEST(Manifest, DescribesWhatTheFileSays) {
  const std::string bytes = TinyModel("小模型");
  const MemoryFile file(bytes);
  const Manifest m = Describe(*GgufFile::Open(file.path()));
  EXPECT_EQ(m.architecture, "llama");
  EXPECT_EQ(m.quantisation, "Q8_0");
  EXPECT_EQ(m.parameters, 64 * 4 * 2);
  EXPECT_EQ(m.context_length, 128);
  EXPECT_EQ(m.config["block_count"], 1);
  EXPECT_EQ(m.config["rope.freq_base"], 10000.0);
  EXPECT_EQ(m.licence, "mit");
  EXPECT_EQ(m.bytes, bytes.size());
}

TEST(Manifest, WithoutAFileTypeTheMostBytesName) {
  const std::string small(4 * 4, 'a'), large(256 * 2, 'b');
  GgufWriter writer;
  writer.AddTensor("s", TensorType::kF32, {4}, small);
  writer.AddTensor("l", TensorType::kBF16, {256}, large);
  const MemoryFile file(writer.ToBytes());
  EXPECT_EQ(Describe(*GgufFile::Open(file.path())).quantisation, "BF16");
  const MemoryFile empty(GgufWriter().ToBytes());
  EXPECT_EQ(Describe(*GgufFile::Open(empty.path())).quantisation, "none");
}

Manifest Full() {
  Manifest m;
  m.name = "gemma3-270m";
  m.architecture = "gemma3";
  m.quantisation = "Q4_K_M";
  m.parameters = 268'000'000;
  m.context_length = 32768;
  m.config = {{"block_count", 18}};
  m.sha256 = std::string(64, 'a');
  m.bytes = 253113024;
  m.licence = "gemma";
  m.source = "gemma3-270m";
  m.terms = {
      .name = "Terms", .url = "https://example.com", .sha256 = "bb", .accepted_by = "user:张", .accepted_at = 17};
  m.created_at = 42;
  return m;
}

TEST(Manifest, ComesBackFromItsFile) {
  const std::string path = Cat(::testing::TempDir(), "/manifest_", getpid(), ".json");
  for (const bool terms : {true, false}) {
    Manifest m = Full();
    if (!terms) m.terms = {};
    SaveManifest(m, path);
    EXPECT_EQ(ToText(ToJson(LoadManifest(path))), ToText(ToJson(m)));
    EXPECT_EQ(LoadManifest(path).terms.accepted_by, m.terms.accepted_by);
  }
}

TEST(Manifest, IsReadStrictly) {
  const auto refused = [](const std::function<void(Json&)>& change, std::string_view says) {
    Json json = ToJson(Full());
    change(json);
    try {
      ManifestFromJson(json, "m.json");
      ADD_FAILURE() << "accepted " << ToText(json);
    } catch (const Error& error) {
      EXPECT_NE(error.Line().find(says), std::string::npos) << error.Line();
      EXPECT_TRUE(error.Line().starts_with("m.json")) << error.Line();
    }
  };
  const Json full = ToJson(Full());
  for (const auto& item : full.items()) {
    if (item.key() != "terms") refused([&](Json& json) { json.erase(item.key()); }, item.key());
    refused([&](Json& json) { json[item.key()] = nullptr; }, item.key());
  }
  refused([](Json& json) { json["sha265"] = "x"; }, "did you mean sha256");
  refused([](Json& json) { json["format"] = 2; }, "manifest format 2");
  refused([](Json& json) { json["bytes"] = -1; }, "bytes");
  refused([](Json& json) { json["terms"].erase("url"); }, "terms");
  refused([](Json& json) { json = Json::array(); }, "object");
}

TEST(Manifest, NamesAreMadeOfFileNames) {
  EXPECT_EQ(ModelNameFrom("/a/b/SmolLM2-135M-Instruct.Q4_1.gguf"), "smollm2-135m-instruct.q4_1");
  EXPECT_EQ(ModelNameFrom("模型 v2 (最终).gguf"), "v2");
  EXPECT_EQ(ModelNameFrom("a b.gguf"), "a-b");
  EXPECT_EQ(ModelNameFrom("模型.gguf"), "model");
  EXPECT_EQ(ModelNameFrom(""), "model");
  EXPECT_EQ(ModelNameFrom(std::string(200, 'x')).size(), 64u);
  for (const char* name : {"a", "A.b-c_9", "7b"}) EXPECT_TRUE(IsModelName(name)) << name;
  for (const char* name : {"", ".a", "-a", "a/b", "..", "a b", "模", "a\n"}) EXPECT_FALSE(IsModelName(name)) << name;
}

}  // namespace
}  // namespace atelier::artefact
