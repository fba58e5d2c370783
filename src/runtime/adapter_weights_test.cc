// A model with an adapter beside its matrices against the same model with the adapter laid into them, and the promise
// that a token's logits are the same bits whatever runs beside it.
#include "runtime/adapter_weights.h"

#include <gtest/gtest.h>

#include <future>

#include "artefact/adapter.h"
#include "kernel/select.h"
#include "runtime/golden_model.h"
#include "runtime/local_generator.h"
#include "runtime/merge.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

using Logits = std::vector<std::vector<float>>;  // [token][vocab]

constexpr const char* kMatrices[] = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"};

std::vector<std::string> AllMatrices(const artefact::GgufFile& file) {
  std::vector<std::string> names;
  for (const artefact::TensorInfo& tensor : file.tensors()) {
    for (const char* matrix : kMatrices) {
      if (tensor.name.ends_with(Cat(".", matrix, ".weight"))) names.push_back(tensor.name);
    }
  }
  return names;
}

std::vector<int32_t> Tokens(const artefact::GgufFile& file) {
  std::vector<int32_t> tokens;
  for (int64_t token : file.Ints("golden.tokens")) tokens.push_back(static_cast<int32_t>(token));
  return tokens;
}

// Several sequences, each with its own adapter, in passes that take `step` tokens of each.
std::vector<Logits> LogitsOf(Decoder* decoder, const std::vector<std::vector<int32_t>>& tokens,
                             const std::vector<const AdapterWeights*>& adapters, size_t step) {
  std::vector<Sequence> sequences(tokens.size());
  std::vector<Logits> out(tokens.size());
  size_t longest = 0;
  for (size_t s = 0; s < tokens.size(); ++s) {
    out[s].resize(tokens[s].size());
    longest = std::max(longest, tokens[s].size());
  }
  for (size_t at = 0; at < longest; at += step) {
    std::vector<Chunk> chunks;
    std::vector<size_t> of;
    for (size_t s = 0; s < tokens.size(); ++s) {
      if (at >= tokens[s].size()) continue;
      const size_t count = std::min(step, tokens[s].size() - at);
      chunks.push_back({&sequences[s], {tokens[s].data() + at, count}, 0, adapters[s]});
      of.push_back(s);
    }
    decoder->Forward(chunks, [&](size_t chunk, size_t token, float* logits) {
      out[of[chunk]][at + token].assign(logits, logits + decoder->spec().vocab);
    });
  }
  return out;
}

double Farthest(const Logits& a, const Logits& b) {
  double farthest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t t = 0; t < a[i].size(); ++t)
      farthest = std::max(farthest, std::fabs(static_cast<double>(a[i][t]) - b[i][t]));
  }
  return farthest;
}

class Adapters : public testing::TestWithParam<const kernel::Table*> {};
INSTANTIATE_TEST_SUITE_P(Isa, Adapters, testing::ValuesIn(kernel::AvailableTables()),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST_P(Adapters, BesideTheMatricesAndInThemAreTheSame) {
  for (const char* name : kGoldenModels) {
    const auto file = OpenBytes(GoldenBytes(name));
    const artefact::Adapter adapter = DrawnAdapter(*file, AllMatrices(*file), 5, 0.3f);
    const std::string to = Cat(::testing::TempDir(), "/", getpid(), "-adapted.gguf");
    MergeAdapter(*file, adapter, {.format = kernel::Format::kF32, .threads = 1}, to);
    const auto tokens = Tokens(*file);
    const auto merged = MakeDecoder(ReadFile(to), *GetParam());
    RemoveFile(to);
    const Logits wanted = LogitsOf(merged.get(), {tokens}, {nullptr}, 7)[0];
    const auto decoder = MakeDecoder(GoldenBytes(name), *GetParam());
    const auto weights = PackAdapter(adapter, *file, decoder->spec());
    const auto both = LogitsOf(decoder.get(), {tokens, tokens}, {weights.get(), nullptr}, 7);
    EXPECT_LT(Farthest(both[0], wanted), 2e-3) << name;
    EXPECT_GT(Farthest(both[1], wanted), 0.1) << name << ": the adapter changes nothing";
  }
}

TEST_P(Adapters, WhatRunsBesideATokenChangesNoBit) {
  for (const auto type : {artefact::TensorType::kF32, artefact::TensorType::kQ8_0}) {
    std::string bytes = GoldenBytes("gemma3");
    if (type != artefact::TensorType::kF32) bytes = Quantised(bytes, type);
    const auto file = OpenBytes(bytes);
    const auto spec = ReadSpec(*file);
    const std::vector<std::string> all = AllMatrices(*file), few(all.begin() + 2, all.begin() + 5);
    const auto first = PackAdapter(DrawnAdapter(*file, all, 1, 0.3f), *file, spec);
    const auto second = PackAdapter(DrawnAdapter(*file, few, 2, 0.5f), *file, spec);
    const std::vector<const AdapterWeights*> adapters = {nullptr, first.get(), first.get(), second.get(), nullptr};
    std::vector<std::vector<int32_t>> tokens;
    for (size_t s = 0; s < adapters.size(); ++s) {
      auto one = Tokens(*file);
      std::rotate(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(s), one.end());
      one.resize(41 + 3 * s);
      tokens.push_back(std::move(one));
    }
    const auto alone = MakeDecoder(bytes, *GetParam(), 1);
    const auto together = MakeDecoder(bytes, *GetParam(), 3);
    const auto many = LogitsOf(together.get(), tokens, adapters, 20);
    for (size_t s = 0; s < tokens.size(); ++s) {
      const Logits one = LogitsOf(alone.get(), {tokens[s]}, {adapters[s]}, 1)[0];
      for (size_t t = 0; t < one.size(); ++t) {
        ASSERT_EQ(std::memcmp(one[t].data(), many[s][t].data(), one[t].size() * sizeof(float)), 0) << s << " " << t;
      }
    }
  }
}

TEST(AdapterWeights, OnlyWhatTheDecoderComputesBesideItsMatrices) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  const DecoderSpec spec = ReadSpec(*file);
  try {
    PackAdapter(DrawnAdapter(*file, {"blk.0.attn_q.weight", "token_embd.weight"}), *file, spec);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
  }
  artefact::Adapter other = DrawnAdapter(*file, {"blk.0.attn_q.weight"});
  other.architecture = "qwen2";
  EXPECT_THROW(PackAdapter(other, *file, spec), Error);
  const auto one = PackAdapter(DrawnAdapter(*file, {"blk.1.ffn_down.weight"}), *file, spec);
  const auto two = PackAdapter(DrawnAdapter(*file, {"blk.1.ffn_down.weight"}), *file, spec);
  EXPECT_NE(one->id, two->id);
  EXPECT_NE(one->id, 0u);
}

// One engine: the model and two adapted forms, many requests at once; each writes what it writes alone, and no prompt's
// cached beginning goes from one to another.
TEST(AdaptedGenerators, ShareAnEngineAndNothingElse) {
  const std::string bytes = GoldenBytes("llama");
  const artefact::MemoryFile memory(bytes);
  const auto file = artefact::GgufFile::Open(memory.path());
  const auto load = [&] {
    std::vector<std::shared_ptr<artefact::Generator>> models = {LoadGenerator(memory.path(), "tiny", "abc")};
    for (const uint64_t seed : {1, 2}) {
      models.push_back(WithAdapter(models[0], DrawnAdapter(*file, AllMatrices(*file), seed, 0.5f), Cat("tiny+", seed),
                                   Cat("abc+", seed)));
    }
    return models;
  };
  const std::string prompt =
      "a beginning that all of them have, longer than a page of keys and values: 一二三四五六七八";
  const auto request = [&](int i) {
    return artefact::GenerateRequest{.prompt = Cat(prompt, i % 2), .max_tokens = 12, .samples = 1 + i % 2};
  };
  std::vector<std::string> alone;
  for (int i = 0; i < 12; ++i) {
    const auto models = load();
    const auto result = models[static_cast<size_t>(i % 3)]->Generate(request(i));
    alone.push_back(result.samples.back().text);
  }
  EXPECT_NE(alone[0], alone[4]);
  const auto models = load();
  EXPECT_EQ(models[1]->info().name, "tiny+1");
  EXPECT_EQ(models[1]->info().hash, "abc+1");
  EXPECT_GT(models[1]->info().parameters, models[0]->info().parameters);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::promise<artefact::GenerateResult>> ends(12);
    for (int i = 0; i < 12; ++i) {
      models[static_cast<size_t>(i % 3)]->Submit(request(i), nullptr,
                                                 [&ends, i](artefact::GenerateResult result, std::exception_ptr error) {
                                                   auto& end = ends[static_cast<size_t>(i)];
                                                   error ? end.set_exception(error) : end.set_value(std::move(result));
                                                 });
    }
    for (int i = 0; i < 12; ++i) {
      const auto result = ends[static_cast<size_t>(i)].get_future().get();
      EXPECT_EQ(result.samples.back().text, alone[static_cast<size_t>(i)]) << i;
      if (round == 1) {
        EXPECT_GT(result.cached_tokens, 30) << i;
      }
    }
  }
  // Scores, too, are the adapted model's.
  const auto score = [&](size_t model) { return models[model]->Score(prompt, {" and on", "!"})[0].sum_logprob; };
  const double first = score(0), second = score(1);
  EXPECT_NE(first, second);
  EXPECT_EQ(score(0), first);
  EXPECT_EQ(load()[1]->Score(prompt, {" and on", "!"})[0].sum_logprob, second);
  EXPECT_THROW(WithAdapter(models[1], DrawnAdapter(*file, AllMatrices(*file)), "twice"), Error);
}

TEST(AdaptedGenerators, AnAdapterAloneIsNoModel) {
  const auto file = OpenBytes(GoldenBytes("llama"));
  const std::string path = Cat(::testing::TempDir(), "/", getpid(), "-adapter.gguf");
  artefact::WriteAdapterGguf(DrawnAdapter(*file, AllMatrices(*file)), path);
  try {
    LoadGenerator(path);
    ADD_FAILURE() << "loaded";
  } catch (const Error& error) {
    EXPECT_NE(error.Line().find("MODEL+ADAPTER"), std::string::npos) << error.Line();
  }
  RemoveFile(path);
}

}  // namespace
}  // namespace atelier::runtime
