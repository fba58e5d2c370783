#include "artefact/sentence_transformers.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>

#include <cstring>
#include <map>

#include "artefact/gguf.h"
#include "artefact/gguf_tokenizer.h"
#include "artefact/safetensors.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

constexpr int64_t kWidth = 4, kHidden = 8, kPositions = 6, kVocabulary = 8;

std::string Floats(int64_t count, float first) {
  std::string bytes(static_cast<size_t>(count) * sizeof(float), '\0');
  for (int64_t i = 0; i < count; ++i) {
    const float value = first + static_cast<float>(i) / 64;
    std::memcpy(bytes.data() + static_cast<size_t>(i) * sizeof(float), &value, sizeof(float));
  }
  return bytes;
}

// One layer; the pooler and the numbers of the positions are not used.
std::string Weights(const std::string& prefix, const std::string& left_out) {
  std::map<std::string, std::vector<int64_t>> shapes = {
      {"embeddings.word_embeddings.weight", {kVocabulary, kWidth}},
      {"embeddings.position_embeddings.weight", {kPositions, kWidth}},
      {"embeddings.token_type_embeddings.weight", {2, kWidth}},
      {"encoder.layer.0.intermediate.dense.weight", {kHidden, kWidth}},
      {"encoder.layer.0.intermediate.dense.bias", {kHidden}},
      {"encoder.layer.0.output.dense.weight", {kWidth, kHidden}},
      {"pooler.dense.weight", {kWidth, kWidth}},
  };
  const std::string attention = "encoder.layer.0.attention.";
  for (const char* square : {"self.query", "self.key", "self.value", "output.dense"}) {
    shapes[attention + square + ".weight"] = {kWidth, kWidth};
    shapes[attention + square + ".bias"] = {kWidth};
  }
  shapes["encoder.layer.0.output.dense.bias"] = {kWidth};
  for (const char* norm :
       {"embeddings.LayerNorm", "encoder.layer.0.attention.output.LayerNorm", "encoder.layer.0.output.LayerNorm"}) {
    shapes[Cat(norm, ".weight")] = {kWidth};
    shapes[Cat(norm, ".bias")] = {kWidth};
  }
  SafetensorsWriter writer;
  std::vector<std::string> bytes;
  bytes.reserve(shapes.size());
  for (const auto& [name, shape] : shapes) {
    if (name == left_out) continue;
    int64_t count = 1;
    for (const int64_t dim : shape) count *= dim;
    bytes.push_back(Floats(count, static_cast<float>(bytes.size())));
    writer.Add(prefix + name, ScalarType::kF32, shape, bytes.back());
  }
  const std::string numbers(kPositions * 8, '\0');
  writer.Add(prefix + "embeddings.position_ids", ScalarType::kI64, {1, kPositions}, numbers);
  return writer.ToBytes();
}

constexpr const char* kConfig =
    R"({"model_type":"bert","hidden_act":"gelu","hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,)"
    R"("intermediate_size":8,"max_position_embeddings":6,"vocab_size":8,"layer_norm_eps":1e-12})";
constexpr const char* kTokenizer =
    R"({"version":"1.0","added_tokens":[{"id":0,"content":"[PAD]","special":true},{"id":1,"content":"[UNK]",)"
    R"("special":true},{"id":2,"content":"[CLS]","special":true},{"id":3,"content":"[SEP]","special":true}],)"
    R"("normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},)"
    R"("decoder":null,"post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},"model":)"
    R"({"type":"WordPiece","unk_token":"[UNK]","vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"play":4,"##ing":5,"手":6}}})";

class SentenceTransformers : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = Cat(::testing::TempDir(), "/", ::getpid(), "_st_",
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
    MakeFolders(root_);
    files_ = {{"config.json", kConfig},
              {"tokenizer.json", kTokenizer},
              {"model.safetensors", Weights("", "")},
              {"1_Pooling/config.json", R"({"word_embedding_dimension":4,"pooling_mode_mean_tokens":true})"}};
  }

  std::string Convert() {
    const std::string archive = root_ + "/model.zip", out = root_ + "/model.gguf";
    int why = 0;
    zip_t* zip = zip_open(archive.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &why);
    for (const auto& [name, text] : files_) {
      zip_file_add(zip, name.c_str(), zip_source_buffer(zip, text.data(), text.size(), 0), 0);
    }
    EXPECT_EQ(zip_close(zip), 0);
    ConvertSentenceTransformers(archive, "mini", "Apache-2.0", out);
    EXPECT_FALSE(FileExists(out + ".safetensors"));
    return out;
  }

  void Fails(Code code, const std::string& says) {
    try {
      Convert();
      ADD_FAILURE() << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
    EXPECT_FALSE(FileExists(root_ + "/model.gguf"));
    EXPECT_FALSE(FileExists(root_ + "/model.gguf.safetensors"));
  }

  std::string root_;
  std::map<std::string, std::string> files_;
};

TEST_F(SentenceTransformers, BecomeGguf) {
  const auto file = GgufFile::Open(Convert());
  EXPECT_EQ(file->String("general.architecture"), "bert");
  EXPECT_EQ(file->Int("bert.context_length", 1, 100), kPositions);
  const text::TokenizerSpec spec = SpecFromGguf(*file);
  EXPECT_EQ(spec.model, "bert");
  EXPECT_EQ(spec.tokens.size(), static_cast<size_t>(kVocabulary));  // the embedding's last row has a stand-in
  EXPECT_EQ(text::MakeTokenizer(spec)->Encode("手PLAYING", {.add_special = true}),
            (std::vector<text::TokenId>{2, 6, 4, 5, 3}));
  const TensorInfo& down = file->Require("blk.0.ffn_down.weight");
  EXPECT_EQ(down.dim(0), kHidden);
  EXPECT_EQ(down.dim(1), kWidth);
  const auto weights = SafetensorsFile::Parse(files_["model.safetensors"], "weights");
  const auto same = [&](const char* ours, const char* theirs) {
    const TensorInfo& tensor = file->Require(ours);
    const std::string_view wanted = weights->Find(theirs)->data;
    ASSERT_EQ(static_cast<size_t>(tensor.elements()) * sizeof(float), wanted.size());
    EXPECT_EQ(std::memcmp(tensor.data, wanted.data(), wanted.size()), 0) << ours;
  };
  same("token_embd.weight", "embeddings.word_embeddings.weight");
  same("token_types.weight", "embeddings.token_type_embeddings.weight");
  same("blk.0.attn_k.weight", "encoder.layer.0.attention.self.key.weight");
  same("blk.0.attn_output_norm.bias", "encoder.layer.0.attention.output.LayerNorm.bias");
  same("blk.0.layer_output_norm.weight", "encoder.layer.0.output.LayerNorm.weight");
  const std::string before = ReadFile(root_ + "/model.gguf");
  files_["modules.json"] =
      R"([{"type":"sentence_transformers.models.Transformer"},{"type":"sentence_transformers.models.Pooling"},)"
      R"({"type":"sentence_transformers.models.Normalize"}])";
  files_["model.safetensors"] = Weights("bert.", "");  // as BertForMaskedLM has them
  Convert();
  EXPECT_EQ(ReadFile(root_ + "/model.gguf"), before);
}

TEST_F(SentenceTransformers, WithoutPoolingMeansTheMean) {
  files_.erase("1_Pooling/config.json");
  EXPECT_EQ(GgufFile::Open(Convert())->IntOr("bert.pooling_type", 0), 1);
}

TEST_F(SentenceTransformers, RefuseWhatIsNotWholeOrNotBert) {
  const auto with = [&](const char* member, const std::string& text, Code code, const std::string& says) {
    const auto before = files_;
    files_[member] = text;
    Fails(code, says);
    files_ = before;
  };
  const auto config = [&](const char* from, const char* to) { return ReplaceAll(kConfig, from, to); };
  with("config.json", "{", Code::kInvalidInput, "config.json");
  with("config.json", "[]", Code::kCorrupt, "config.json");
  with("config.json", config(R"("bert")", R"("roberta")"), Code::kUnsupported, "model_type is 'roberta'");
  with("config.json", config(R"("hidden_size":4,)", ""), Code::kCorrupt, "hidden_size");
  with("config.json", config(R"("hidden_size":4)", R"("hidden_size":-4)"), Code::kCorrupt, "hidden_size is -4");
  with("config.json", config(R"("hidden_size":4)", R"("hidden_size":8)"), Code::kCorrupt, "another shape than config");
  with("config.json", config(R"("hidden_size":4)", R"("hidden_size":true)"), Code::kCorrupt, "hidden_size is true");
  with("config.json", config(R"("hidden_size":4)", R"("hidden_size":4.5)"), Code::kCorrupt, "hidden_size is 4.5");
  with("config.json", config(R"("vocab_size":8)", R"("vocab_size":16777216)"), Code::kCorrupt, "vocab_size is");
  with("config.json", config(R"("vocab_size":8)", R"("vocab_size":3000000)"), Code::kCorrupt,
       "another shape than config");
  with("1_Pooling/config.json", R"({"pooling_mode_cls_token":true})", Code::kUnsupported, "pooling_mode_cls_token");
  with("1_Pooling/config.json", R"({"pooling_mode_mean_tokens":false})", Code::kUnsupported, "is not true");
  with("1_Pooling/config.json", "{}", Code::kUnsupported, "is not true");
  with("1_Pooling/config.json", R"({"pooling_mode_mean_tokens":1})", Code::kUnsupported, "pooling_mode_mean_tokens");
  with("modules.json", R"([{"type":"sentence_transformers.models.Dense"}])", Code::kUnsupported, "models.Dense");
  with("modules.json", "[1]", Code::kUnsupported, "nothing");
  with("model.safetensors", std::string(17 << 20, 'x'), Code::kCorrupt, "larger than config.json tells");
  with("tokenizer.json", ReplaceAll(kTokenizer, R"("手":6)", R"("手":6,"a":7,"b":8)"), Code::kCorrupt,
       "9 tokens, where");
  with("tokenizer.json", "{}", Code::kInvalidInput, "tokenizer.json");
  with("model.safetensors", "x", Code::kCorrupt, "safetensors");
  with("model.safetensors", Weights("", "encoder.layer.0.output.dense.bias"), Code::kCorrupt,
       "'encoder.layer.0.output.dense.bias' is missing");
  files_.erase("model.safetensors");
  Fails(Code::kNotFound, "model.safetensors");
}

}  // namespace
}  // namespace atelier::artefact
