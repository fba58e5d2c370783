#include "artefact/adapter.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <limits>

#include "artefact/gguf.h"
#include "artefact/gguf_writer.h"
#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

std::string TempPath(const std::string& name) { return Cat(::testing::TempDir(), "/", getpid(), "-adapter-", name); }

LoraPair Pair(const std::string& tensor, int64_t rank, int64_t ins, int64_t outs) {
  LoraPair pair{tensor, rank, ins, outs, {}, {}};
  for (int64_t i = 0; i < rank * ins; ++i) pair.a.push_back(static_cast<float>(i) / 8);
  for (int64_t i = 0; i < outs * rank; ++i) pair.b.push_back(-static_cast<float>(i) / 16);
  return pair;
}

Adapter TwoLayers() {
  Adapter adapter;
  adapter.architecture = "llama", adapter.alpha = 6, adapter.name = "文案", adapter.licence = "MIT",
  adapter.base = "tiny";
  adapter.pairs = {Pair("blk.0.attn_q.weight", 2, 3, 8), Pair("blk.11.ffn_down.weight", 2, 5, 3)};
  return adapter;
}

void ExpectSame(const Adapter& a, const Adapter& b) {
  EXPECT_EQ(a.architecture, b.architecture);
  EXPECT_EQ(a.alpha, b.alpha);
  ASSERT_EQ(a.pairs.size(), b.pairs.size());
  for (size_t i = 0; i < a.pairs.size(); ++i) {
    EXPECT_EQ(a.pairs[i].tensor, b.pairs[i].tensor);
    EXPECT_EQ(a.pairs[i].rank, b.pairs[i].rank);
    EXPECT_EQ(a.pairs[i].a, b.pairs[i].a);
    EXPECT_EQ(a.pairs[i].b, b.pairs[i].b);
  }
}

TEST(Adapter, AsGgufComesBack) {
  const std::string path = TempPath("back.gguf");
  WriteAdapterGguf(TwoLayers(), path);
  const Adapter read = ReadAdapterGguf(path);
  ExpectSame(read, TwoLayers());
  EXPECT_EQ(read.name, "文案");
  EXPECT_EQ(read.scale(read.pairs[0]), 3);
  // The names and shapes that llama.cpp looks for.
  const auto file = GgufFile::Open(path);
  EXPECT_EQ(file->String("general.type"), "adapter");
  EXPECT_EQ(file->Require("blk.0.attn_q.weight.lora_a").shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(file->Require("blk.0.attn_q.weight.lora_b").shape, (std::vector<int64_t>{2, 8}));
}

TEST(Adapter, AsPeftComesBackWithRowsInHalves) {
  const std::string folder = TempPath("peft");
  for (const int64_t head_dim : {0, 4}) {
    WriteAdapterPeft(TwoLayers(), head_dim, folder);
    ExpectSame(ReadAdapterPeft(folder, "llama", head_dim), TwoLayers());
    const auto file = SafetensorsFile::Open(folder + "/adapter_model.safetensors");
    const SafeTensor* b = file->Find("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight");
    ASSERT_NE(b, nullptr);
    EXPECT_EQ(b->shape, (std::vector<int64_t>{8, 2}));
    const auto* values = reinterpret_cast<const float*>(b->data.data());
    const int64_t pairs[] = {0, 2, 1, 3};  // GGUF's row of each row of a head of four in halves
    for (int64_t row = 0; row < 8; ++row) {
      const int64_t from = head_dim == 0 ? row : row / 4 * 4 + pairs[row % 4];
      EXPECT_EQ(values[2 * row], -static_cast<float>(2 * from) / 16) << row;
    }
    ASSERT_NE(file->Find("base_model.model.model.layers.11.mlp.down_proj.lora_A.weight"), nullptr);
  }
  const Json config = ParseJson(ReadFile(folder + "/adapter_config.json"), "config");
  EXPECT_EQ(config["r"], 2);
  EXPECT_EQ(config["lora_alpha"], 6.0);
  EXPECT_EQ(config["target_modules"], Json({"down_proj", "q_proj"}));
}

void Fails(const std::function<void()>& work, Code code, const std::string& says) {
  try {
    work();
    ADD_FAILURE() << "no error; wanted " << says;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.Line();
    EXPECT_NE(error.Line().find(says), std::string::npos) << error.Line();
  }
}

TEST(Adapter, RefusesWhatIsNone) {
  const std::string path = TempPath("bad.gguf");
  const auto with = [&](const std::function<void(Adapter*)>& change, Code code, const std::string& says) {
    Adapter adapter = TwoLayers();
    change(&adapter);
    WriteAdapterGguf(adapter, path);
    Fails([&] { ReadAdapterGguf(path); }, code, says);
  };
  with([](Adapter* a) { a->pairs.clear(); }, Code::kCorrupt, "changes nothing");
  with([](Adapter* a) { a->alpha = -1; }, Code::kCorrupt, "its alpha is -1");
  with([](Adapter* a) { a->pairs[0].b[3] = std::numeric_limits<float>::quiet_NaN(); }, Code::kCorrupt, "not finite");
  GgufWriter writer;
  writer.Set("general.architecture", "llama");
  writer.Write(path);
  Fails([&] { ReadAdapterGguf(path); }, Code::kUnsupported, "is no low-rank adapter");
  const auto half = [&](const std::string& name, std::vector<int64_t> shape, Code code, const std::string& says) {
    GgufWriter one;
    one.Set("general.type", "adapter");
    one.Set("general.architecture", "llama");
    one.Set("adapter.type", "lora");
    one.Set("adapter.lora.alpha", 1.0f);
    const std::string bytes(static_cast<size_t>(shape[0] * shape[1]) * 4, '\0');
    one.AddTensor(name, TensorType::kF32, std::move(shape), bytes);
    one.Write(path);
    Fails([&] { ReadAdapterGguf(path); }, code, says);
  };
  half("blk.0.attn_q.weight.lora_a", {3, 2}, Code::kCorrupt, "lora_b");
  half("blk.0.attn_q.weight.lora_b", {2, 8}, Code::kCorrupt, "has no other half");
  half("blk.0.attn_q.weight", {3, 2}, Code::kUnsupported, "is not of an adapter");
}

TEST(Adapter, RefusesPeftItCannotApply) {
  const std::string folder = TempPath("bad-peft");
  WriteAdapterPeft(TwoLayers(), 4, folder);
  const Json sound = ParseJson(ReadFile(folder + "/adapter_config.json"), "config");
  const auto with = [&](const char* key, const Json& value, Code code, const std::string& says) {
    Json config = sound;
    config[key] = value;
    WriteFileAtomic(folder + "/adapter_config.json", ToText(config));
    Fails([&] { ReadAdapterPeft(folder, "llama", 4); }, code, says);
  };
  with("peft_type", "IA3", Code::kUnsupported, "peft_type");
  with("use_dora", true, Code::kUnsupported, "use_dora");
  with("use_rslora", true, Code::kUnsupported, "use_rslora");
  with("rank_pattern", {{"q_proj", 4}}, Code::kUnsupported, "rank_pattern");
  with("bias", "all", Code::kUnsupported, "bias");
  with("lora_alpha", "x", Code::kCorrupt, "adapter_config.json");
  with("lora_alpha", 0, Code::kCorrupt, "alpha is 0");
  WriteFileAtomic(folder + "/adapter_config.json", ToText(sound));
  Fails([&] { ReadAdapterPeft(folder, "llama", 16); }, Code::kUnsupported, "heads of this model's width");
  SafetensorsWriter writer;
  const std::string bytes(24, '\0');
  writer.Add("base_model.model.lm_head.lora_A.weight", ScalarType::kF32, {2, 3}, bytes);
  writer.Add("base_model.model.lm_head.lora_B.weight", ScalarType::kF32, {3, 2}, bytes);
  writer.Write(folder + "/adapter_model.safetensors");
  Fails([&] { ReadAdapterPeft(folder, "llama", 4); }, Code::kUnsupported, "has no counterpart here");
}

}  // namespace
}  // namespace atelier::artefact
