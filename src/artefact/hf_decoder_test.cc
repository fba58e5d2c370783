// Folders written here, tensor by tensor, against what the formats say of them; tools/check_hf.py does it with folders
// that transformers wrote.
#include "artefact/hf_decoder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "artefact/gguf.h"
#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/json.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

constexpr int64_t kVocabulary = 8, kWidth = 32, kHidden = 24, kHeads = 2, kKeys = 1, kHead = 16;

class HfDecoder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(::testing::TempDir(), "/", getpid(), "-hf");
    MakeFolders(folder_);
    for (const std::string& name : ListFolder(folder_)) RemoveFile(folder_ + "/" + name);
    config_ = {{"model_type", "llama"},        {"vocab_size", kVocabulary},     {"hidden_size", kWidth},
               {"intermediate_size", kHidden}, {"num_hidden_layers", 1},        {"num_attention_heads", kHeads},
               {"num_key_value_heads", kKeys}, {"max_position_embeddings", 64}, {"rms_norm_eps", 1e-6},
               {"hidden_act", "silu"},         {"tie_word_embeddings", true},   {"rope_theta", 50000.0}};
    Json vocabulary = Json::object();
    for (const char* token : {"a", "b", "c", "ab", "<s>", "</s>"}) vocabulary[token] = vocabulary.size();
    tokenizer_ = {
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens",
         {{{"id", 4},
           {"content", "<s>"},
           {"single_word", false},
           {"lstrip", false},
           {"rstrip", false},
           {"normalized", false},
           {"special", true}},
          {{"id", 5},
           {"content", "</s>"},
           {"single_word", false},
           {"lstrip", false},
           {"rstrip", false},
           {"normalized", false},
           {"special", true}}}},
        {"normalizer", nullptr},
        {"pre_tokenizer",
         {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
        {"post_processor", nullptr},
        {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
        {"model",
         {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"vocab", vocabulary},
          {"merges", {"a b"}}}}};
    const std::string layer = "model.layers.0.";
    shapes_ = {{"model.embed_tokens.weight", {kVocabulary, kWidth}},
               {"model.norm.weight", {kWidth}},
               {layer + "input_layernorm.weight", {kWidth}},
               {layer + "post_attention_layernorm.weight", {kWidth}},
               {layer + "self_attn.q_proj.weight", {kHeads * kHead, kWidth}},
               {layer + "self_attn.k_proj.weight", {kKeys * kHead, kWidth}},
               {layer + "self_attn.v_proj.weight", {kKeys * kHead, kWidth}},
               {layer + "self_attn.o_proj.weight", {kWidth, kHeads * kHead}},
               {layer + "mlp.gate_proj.weight", {kHidden, kWidth}},
               {layer + "mlp.up_proj.weight", {kHidden, kWidth}},
               {layer + "mlp.down_proj.weight", {kWidth, kHidden}}};
  }

  // Tensor number k holds k, k + 1/64, k + 2/64 ... in its type.
  void WriteWeights(const std::function<std::string(const std::string&)>& file_of = nullptr) {
    std::map<std::string, SafetensorsWriter> files;
    std::vector<std::string> kept;
    kept.reserve(shapes_.size());
    Json map = Json::object();
    for (const auto& [name, shape] : shapes_) {
      int64_t count = 1;
      for (const int64_t n : shape) count *= n;
      std::string bytes;
      for (int64_t i = 0; i < count; ++i) {
        const float value = static_cast<float>(kept.size()) + static_cast<float>(i) / 64;
        const uint16_t half = type_ == ScalarType::kF16 ? FloatToHalf(value) : FloatToBFloat(value);
        bytes.append(
            type_ == ScalarType::kF32 ? reinterpret_cast<const char*>(&value) : reinterpret_cast<const char*>(&half),
            type_ == ScalarType::kF32 ? 4 : 2);
      }
      firsts_[name] = static_cast<float>(kept.size());
      kept.push_back(std::move(bytes));
      const std::string file = file_of ? file_of(name) : "model.safetensors";
      files[file].Add(name, type_, shape, kept.back());
      map[name] = file;
    }
    for (const auto& [file, writer] : files) writer.Write(folder_ + "/" + file);
    if (file_of) WriteFileAtomic(folder_ + "/model.safetensors.index.json", ToText({{"weight_map", map}}));
  }

  std::shared_ptr<const GgufFile> Convert() {
    WriteFileAtomic(folder_ + "/config.json", ToText(config_));
    WriteFileAtomic(folder_ + "/tokenizer.json", ToText(tokenizer_));
    const std::string to = folder_ + "/made.gguf";
    RemoveFile(to);
    ConvertHfDecoder(folder_, "made", "MIT", to);
    return GgufFile::Open(to);
  }

  void Fails(Code code, const std::string& says) {
    try {
      Convert();
      ADD_FAILURE() << "no error; wanted " << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.Line();
      EXPECT_NE(error.Line().find(says), std::string::npos) << error.Line();
    }
    EXPECT_FALSE(FileExists(folder_ + "/made.gguf"));
  }

  // Number i of a tensor as it was written.
  float Written(const std::string& name, int64_t i) const { return firsts_.at(name) + static_cast<float>(i) / 64; }

  static std::vector<float> Floats(const TensorInfo& tensor) {
    std::vector<float> out(static_cast<size_t>(tensor.elements()));
    for (size_t i = 0; i < out.size(); ++i) {
      uint16_t half;
      if (tensor.type == TensorType::kF32) {
        std::memcpy(&out[i], tensor.data + 4 * i, 4);
      } else {
        std::memcpy(&half, tensor.data + 2 * i, 2);
        out[i] = tensor.type == TensorType::kF16 ? HalfToFloat(half) : BFloatToFloat(half);
      }
    }
    return out;
  }

  std::string folder_;
  Json config_, tokenizer_;
  std::map<std::string, std::vector<int64_t>> shapes_;
  std::map<std::string, float> firsts_;
  ScalarType type_ = ScalarType::kF32;
};

TEST_F(HfDecoder, BecomesGgufWithQueriesAndKeysInPairs) {
  for (const ScalarType type : {ScalarType::kF32, ScalarType::kF16, ScalarType::kBf16}) {
    type_ = type;
    WriteWeights();
    const auto file = Convert();
    EXPECT_EQ(file->String("general.architecture"), "llama");
    EXPECT_EQ(file->String("general.license"), "MIT");
    EXPECT_EQ(file->Int("llama.attention.head_count_kv"), kKeys);
    EXPECT_EQ(file->Int("llama.attention.key_length"), kHead);
    EXPECT_EQ(file->Float("llama.rope.freq_base"), 50000);
    EXPECT_EQ(file->Count("tokenizer.ggml.tokens"), static_cast<uint64_t>(kVocabulary)) << "filled up";
    EXPECT_EQ(file->Find("output.weight"), nullptr);
    EXPECT_EQ(file->Require("blk.0.attn_norm.weight").type, TensorType::kF32);
    const TensorInfo& query = file->Require("blk.0.attn_q.weight");
    EXPECT_EQ(query.shape, (std::vector<int64_t>{kWidth, kHeads * kHead}));
    EXPECT_EQ(Name(query.type), Info(type).name);
    const std::vector<float> q = Floats(query);
    for (int64_t row = 0; row < kHeads * kHead; ++row) {
      for (int64_t i = 0; i < kWidth; ++i) {
        const float value = Written("model.layers.0.self_attn.q_proj.weight",
                                    (row / kHead * kHead + row % 2 * (kHead / 2) + row % kHead / 2) * kWidth + i);
        EXPECT_NEAR(q[static_cast<size_t>(row * kWidth + i)], value, type == ScalarType::kBf16 ? 0.1 : 0.02)
            << row << " " << i;
      }
    }
    EXPECT_NEAR(Floats(file->Require("blk.0.attn_v.weight"))[9], Written("model.layers.0.self_attn.v_proj.weight", 9),
                0.05);
  }
}

TEST_F(HfDecoder, TakesShardsBiasesAndAHeadOfItsOwn) {
  config_["model_type"] = "qwen2";
  config_["tie_word_embeddings"] = false;
  shapes_["lm_head.weight"] = {kVocabulary, kWidth};
  shapes_["model.layers.0.self_attn.q_proj.bias"] = {kHeads * kHead};
  for (const char* letter : {"k", "v"})
    shapes_[Cat("model.layers.0.self_attn.", letter, "_proj.bias")] = {kKeys * kHead};
  WriteWeights(
      [](const std::string& name) { return name < "model.layers" ? "first.safetensors" : "second.safetensors"; });
  const auto file = Convert();
  EXPECT_EQ(file->String("general.architecture"), "qwen2");
  EXPECT_EQ(Floats(file->Require("output.weight"))[3], Written("lm_head.weight", 3));
  const std::vector<float> bias = Floats(file->Require("blk.0.attn_q.bias")),
                           q = Floats(file->Require("blk.0.attn_q.weight"));
  for (int64_t i = 0; i < kHeads * kHead; ++i) {
    EXPECT_EQ(bias[static_cast<size_t>(i)], Written("model.layers.0.self_attn.q_proj.bias", i)) << "halves stay";
    EXPECT_EQ(q[static_cast<size_t>(i * kWidth)], Written("model.layers.0.self_attn.q_proj.weight", i * kWidth));
  }
}

TEST_F(HfDecoder, OfGemmaAddsTheOneToNorms) {
  config_["model_type"] = "gemma3_text";
  config_["hidden_activation"] = "gelu_pytorch_tanh";
  config_.erase("hidden_act");
  config_["head_dim"] = kHead;
  config_["query_pre_attn_scalar"] = kHead;
  config_["sliding_window"] = 16;
  config_["num_hidden_layers"] = 1;
  config_["layer_types"] = {"sliding_attention"};
  config_["rope_parameters"] = {{"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 10000.0}}},
                                {"full_attention", {{"rope_type", "linear"}, {"rope_theta", 1e6}, {"factor", 8.0}}}};
  const std::string layer = "model.layers.0.";
  for (const char* norm : {"pre_feedforward_layernorm", "post_feedforward_layernorm"})
    shapes_[layer + norm + ".weight"] = {kWidth};
  for (const char* norm : {"self_attn.q_norm", "self_attn.k_norm"}) shapes_[layer + norm + ".weight"] = {kHead};
  WriteWeights();
  const auto file = Convert();
  EXPECT_EQ(Floats(file->Require("blk.0.ffn_norm.weight"))[1],
            1 + Written(layer + "pre_feedforward_layernorm.weight", 1));
  EXPECT_EQ(Floats(file->Require("blk.0.post_attention_norm.weight"))[0],
            1 + Written(layer + "post_attention_layernorm.weight", 0));
  EXPECT_EQ(Floats(file->Require("blk.0.attn_k_norm.weight"))[2], 1 + Written(layer + "self_attn.k_norm.weight", 2));
  EXPECT_EQ(Floats(file->Require("blk.0.attn_q.weight"))[8], Written(layer + "self_attn.q_proj.weight", 8));
  EXPECT_EQ(file->Float("gemma3.rope.freq_base"), 1e6);
  EXPECT_EQ(file->Float("gemma3.rope.scaling.factor"), 8);
  EXPECT_EQ(file->Float("gemma3.rope.freq_base_swa"), 10000);
  EXPECT_EQ(file->Int("gemma3.attention.sliding_window"), 16);
}

TEST_F(HfDecoder, SaysChatTemplates) {
  WriteWeights();
  EXPECT_FALSE(Convert()->Has("tokenizer.chat_template"));
  WriteFileAtomic(
      folder_ + "/tokenizer_config.json",
      R"({"bos_token":"<s>","chat_template":[{"name":"tools","template":"T"},{"name":"default","template":"你好 {{ x }}"}]})");
  EXPECT_EQ(Convert()->String("tokenizer.chat_template"), "你好 {{ x }}");
  EXPECT_FALSE(Convert()->Has("tokenizer.chat_template.tool_use"));
  WriteFileAtomic(folder_ + "/tokenizer_config.json",
                  R"({"chat_template":[{"name":"tool_use","template":"T"},{"name":"default","template":"D"}]})");
  EXPECT_EQ(Convert()->String("tokenizer.chat_template.tool_use"), "T");
  WriteFileAtomic(folder_ + "/chat_template.jinja", "of its own");
  EXPECT_EQ(Convert()->String("tokenizer.chat_template"), "of its own");
}

TEST_F(HfDecoder, Llama3DividesLowFrequencies) {
  config_["rope_scaling"] = {{"rope_type", "llama3"},
                             {"factor", 8.0},
                             {"low_freq_factor", 1.0},
                             {"high_freq_factor", 4.0},
                             {"original_max_position_embeddings", 32}};
  WriteWeights();
  // Wavelengths of 2 pi times 50000^(i/8): below 32/4, between, and beyond 32.
  const std::vector<float> divisors = Floats(Convert()->Require("rope_freqs.weight"));
  ASSERT_EQ(divisors.size(), 8u);
  EXPECT_EQ(divisors[0], 1);
  const double wavelength = 2 * M_PI * std::pow(50000.0, 1.0 / 8), smooth = (32 / wavelength - 1) / 3;
  EXPECT_NEAR(divisors[1], 1 / ((1 - smooth) / 8 + smooth), 1e-5);
  for (size_t i = 2; i < 8; ++i) EXPECT_EQ(divisors[i], 8);
}

TEST_F(HfDecoder, FollowsTheLinksOfACache) {
  WriteWeights();
  const std::string blob = Cat(::testing::TempDir(), "/", getpid(), "-blob");
  Rename(folder_ + "/model.safetensors", blob);
  ASSERT_EQ(symlink(blob.c_str(), (folder_ + "/model.safetensors").c_str()), 0);
  EXPECT_EQ(Convert()->String("general.architecture"), "llama");
}

TEST_F(HfDecoder, LeavesNormalFormsToTheTexts) {
  WriteWeights();
  tokenizer_["normalizer"] = {{"type", "NFC"}};
  EXPECT_EQ(Convert()->Count("tokenizer.ggml.tokens"), static_cast<uint64_t>(kVocabulary));
  tokenizer_["normalizer"] = {{"type", "Lowercase"}};
  Fails(Code::kUnsupported, "Lowercase");
}

TEST_F(HfDecoder, RefusesWhatItCannotSayExactly) {
  Fails(Code::kNotFound, "has no model.safetensors");
  WriteWeights();
  const Json sound = config_;
  const auto with = [&](const char* key, const Json& value, Code code, const std::string& says) {
    config_ = sound;
    config_[key] = value;
    Fails(code, says);
    config_ = sound;
  };
  with("model_type", "mixtral", Code::kUnsupported, "model_type is 'mixtral'");
  with("model_type", 7, Code::kCorrupt, "model_type is 7");
  with("hidden_act", "relu", Code::kUnsupported, "hidden_act is 'relu'");
  with("mlp_bias", true, Code::kUnsupported, "mlp_bias is set");
  with("hidden_size", 0, Code::kCorrupt, "hidden_size is 0");
  with("hidden_size", 1e300, Code::kCorrupt, "hidden_size is");
  with("num_key_value_heads", 3, Code::kCorrupt, "2 heads of 16 over 3 key heads");
  with("head_dim", 8, Code::kUnsupported, "heads of 8 dimensions");
  with("rope_theta", 1e300, Code::kCorrupt, "rope_theta is 1e+300");
  with("rms_norm_eps", 2, Code::kCorrupt, "rms_norm_eps is 2");
  with("rms_norm_eps", "x", Code::kCorrupt, "rms_norm_eps");
  with("vocab_size", 4, Code::kCorrupt, "6 tokens, where the embedding has 4");
  with("vocab_size", 9, Code::kCorrupt, "'model.embed_tokens.weight' has another shape");
  with("num_hidden_layers", 2, Code::kCorrupt, "'model.layers.1.input_layernorm.weight' is missing");
  with("tie_word_embeddings", false, Code::kCorrupt, "'lm_head.weight' is missing");
  with("rope_scaling", {{"rope_type", "longrope"}}, Code::kUnsupported, "'longrope'");
  with("rope_scaling", {{"rope_type", "yarn"}, {"factor", 4.0}, {"beta_fast", 16}}, Code::kUnsupported, "beta_fast");
  const auto llama3 = [](const char* key, double value) {
    Json rope = {{"rope_type", "llama3"}, {"factor", 8.0}};
    rope[key] = value;
    return rope;
  };
  with("rope_scaling", llama3("high_freq_factor", 0.5), Code::kCorrupt, "high_freq_factor is 0.5");
  with("rope_scaling", llama3("original_max_position_embeddings", 1e300), Code::kCorrupt, "embeddings is 1e+300");
  with("rope_scaling", llama3("factor", 1e300), Code::kCorrupt, "factor is 1e+300");
  shapes_["model.layers.0.mlp.experts.weight"] = {2};
  WriteWeights();
  Fails(Code::kUnsupported, "'model.layers.0.mlp.experts.weight' is not of this architecture");
  shapes_.erase("model.layers.0.mlp.experts.weight");
  shapes_["lm_head.weight"] = {kVocabulary, kWidth};
  WriteWeights();
  EXPECT_EQ(Convert()->Find("output.weight"), nullptr) << "tied, and stored twice";
  RemoveFile(folder_ + "/model.safetensors");
  WriteFileAtomic(folder_ + "/model.safetensors.index.json", R"({"weight_map":{"a":"../../etc/passwd"}})");
  Fails(Code::kPermissionDenied, "is no file of the folder");
  WriteFileAtomic(folder_ + "/model.safetensors.index.json", R"({"weight_map":{"a":7}})");
  Fails(Code::kCorrupt, "'a' is in no file");
}

}  // namespace
}  // namespace atelier::artefact
