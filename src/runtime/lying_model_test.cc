// Files whose metadata and tensors contradict each other: each is refused with one line that says what is wrong.
#include <gtest/gtest.h>

#include "runtime/golden_model.h"
#include "runtime/local_generator.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

using artefact::GgufWriter;
using artefact::TensorType;

struct Refusal {
  Code code;
  std::string what;
};

Refusal Loaded(const std::string& bytes) {
  try {
    LoadGenerator(artefact::MemoryFile(bytes).path(), "", "", {.threads = 1});
  } catch (const Error& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with("/proc/self/fd/")) << error.what();
    EXPECT_EQ(error.Line().find('\n'), std::string::npos);
    return {error.code(), error.what()};
  }
  return {Code::kInternal, "loaded"};
}

void ExpectRefused(const std::string& bytes, std::string_view part, Code code = Code::kCorrupt) {
  const Refusal got = Loaded(bytes);
  EXPECT_EQ(got.code, code) << got.what;
  EXPECT_NE(got.what.find(part), std::string::npos) << got.what << "\n  says nothing of: " << part;
}

// A golden with one key replaced (or dropped, where `value` does nothing).
std::string With(const char* model, std::string_view key,
                 const std::function<void(GgufWriter*, std::string_view)>& value) {
  bool found = false;
  std::string bytes = Rewritten(GoldenBytes(model), nullptr, [&](const std::string& k, GgufWriter* writer) {
    if (k != key) return true;
    found = true;
    value(writer, key);
    return false;
  });
  if (found) return bytes;
  bool done = false;
  return Rewritten(bytes, nullptr, [&](const std::string&, GgufWriter* writer) {
    if (!done) value(writer, key);
    done = true;
    return true;
  });
}
template <typename T>
std::string Set(const char* model, std::string_view key, T value) {
  return With(model, key, [&](GgufWriter* writer, std::string_view k) { writer->Set(k, value); });
}
std::string Without(const char* model, std::string_view key) {
  return With(model, key, [](GgufWriter*, std::string_view) {});
}

std::string Tensor(const char* model, std::string_view name, const ChangeTensor& change) {
  return Rewritten(GoldenBytes(model), [&](LooseTensor* tensor) {
    if (tensor->name == name) change(tensor);
  });
}

TEST(LyingModel, TheGoldensThemselvesAreFine) {
  for (const char* name : kGoldenModels) EXPECT_EQ(Loaded(GoldenBytes(name)).what, "loaded") << name;
  EXPECT_EQ(Loaded(Rewritten(GoldenBytes("qwen3"), nullptr)).what, "loaded");
}

TEST(LyingModel, SizesThatTheTensorsContradict) {
  ExpectRefused(Set("llama", "llama.embedding_length", uint32_t{128}),
                "[64, 288], where the metadata needs [128, 288]");
  ExpectRefused(Set("llama", "llama.embedding_length", uint32_t{0}), "it must be from 1");
  ExpectRefused(Set("llama", "llama.embedding_length", uint32_t{0xffffffff}), "it must be from 1");
  ExpectRefused(Set("llama", "llama.feed_forward_length", uint32_t{97}), "blk.0.ffn_gate.weight");
  ExpectRefused(Set("llama", "llama.block_count", uint32_t{3}), "'blk.2.attn_norm.weight' is missing");
  ExpectRefused(Set("llama", "llama.block_count", uint32_t{0}), "it must be from 1");
  ExpectRefused(Set("llama", "llama.block_count", uint32_t{4000000000}), "it must be from 1 to 1024");
  ExpectRefused(Set("llama", "llama.block_count", "two"), "is of type string");
  ExpectRefused(Set("llama", "llama.context_length", uint32_t{0}), "llama.context_length");
  ExpectRefused(Set("llama", "llama.context_length", int32_t{-5}), "llama.context_length");
  ExpectRefused(Without("llama", "llama.context_length"), "'llama.context_length' is missing");
  ExpectRefused(Set("qwen2", "qwen2.attention.head_count_kv", uint32_t{1}), "blk.0.attn_k");
}

TEST(LyingModel, HeadsThatDoNotDivide) {
  ExpectRefused(Set("llama", "llama.attention.head_count_kv", uint32_t{3}), "4 heads do not share 3 key heads");
  ExpectRefused(Set("llama", "llama.attention.head_count_kv", uint32_t{0}), "it must be from 1");
  ExpectRefused(Set("llama", "llama.attention.head_count", uint32_t{0}), "it must be from 1");
  ExpectRefused(Set("llama", "llama.attention.head_count", uint32_t{100}), "heads of 0 and 0", Code::kUnsupported);
  ExpectRefused(Set("llama", "llama.attention.head_count", uint32_t{128}), "heads of 0", Code::kUnsupported);
  ExpectRefused(Set("llama", "llama.attention.head_count", uint32_t{8}), "heads of 8", Code::kUnsupported);
  ExpectRefused(Set("llama", "llama.attention.key_length", uint32_t{24}), "heads of 24", Code::kUnsupported);
  ExpectRefused(Set("llama", "llama.attention.value_length", uint32_t{32}), "heads of 16 and 32", Code::kUnsupported);
  ExpectRefused(Set("qwen3", "qwen3.attention.key_length", uint32_t{0}), "it must be from 1");
}

TEST(LyingModel, RopeAndNorms) {
  ExpectRefused(Set("llama", "llama.rope.dimension_count", uint32_t{7}), "RoPE over 7 dimensions");
  ExpectRefused(Set("llama", "llama.rope.dimension_count", uint32_t{18}), "it must be from 2 to 16");
  ExpectRefused(Set("llama", "llama.rope.freq_base", 0.0f), "with base 0");
  ExpectRefused(Set("llama", "llama.rope.freq_base", std::nanf("")), "not a finite number");
  ExpectRefused(Set("llama_linear", "llama.rope.scaling.type", "longrope"), "'longrope' is not supported",
                Code::kUnsupported);
  ExpectRefused(Set("llama_linear", "llama.rope.scaling.factor", -4.0f), "scaling factor -4");
  ExpectRefused(Without("llama_yarn", "llama.rope.scaling.original_context_length"), "original_context_length");
  ExpectRefused(Set("llama", "llama.attention.layer_norm_rms_epsilon", -1.0f), "epsilon is -1");
  ExpectRefused(Tensor("llama3", "rope_freqs.weight",
                       [](LooseTensor* t) {
                         t->shape = {4};
                         t->data.resize(16);
                       }),
                "rope_freqs.weight has 4 values, not 8");
  ExpectRefused(Tensor("llama3", "rope_freqs.weight", [](LooseTensor* t) { t->data.assign(32, '\0'); }),
                "rope_freqs.weight holds 0");
  ExpectRefused(Set("gemma3", "gemma3.attention.sliding_window", int32_t{-1}), "sliding_window");
  ExpectRefused(Set("gemma3", "gemma3.attention.sliding_window_pattern", uint32_t{0}), "sliding_window_pattern");
}

TEST(LyingModel, TensorsThatAreMissingOrOfAnotherShape) {
  for (const char* model : {"llama", "qwen2", "qwen3", "gemma3"}) {
    const auto file = OpenBytes(GoldenBytes(model));
    for (const artefact::TensorInfo& tensor : file->tensors()) {
      if (tensor.name == "output.weight") continue;  // without it, the embedding is the head
      const Refusal missing = Loaded(Tensor(model, tensor.name, [](LooseTensor* t) { t->data.clear(); }));
      EXPECT_EQ(missing.code, Code::kCorrupt);
      EXPECT_NE(missing.what.find(tensor.name + "' is missing"), std::string::npos) << missing.what;
      const Refusal bent = Loaded(Tensor(model, tensor.name, [](LooseTensor* t) {
        t->shape.back() -= 1;
        t->data.resize(t->data.size() / static_cast<size_t>(t->shape.back() + 1) *
                       static_cast<size_t>(t->shape.back()));
      }));
      EXPECT_EQ(bent.code, Code::kCorrupt) << tensor.name;
      const Refusal deep = Loaded(Tensor(model, tensor.name, [](LooseTensor* t) {
        while (t->shape.size() < 4) t->shape.push_back(t->shape.size() == 3 ? 2 : 1);
        t->data += t->data;
      }));
      EXPECT_EQ(deep.code, Code::kCorrupt) << tensor.name;
    }
  }
  ExpectRefused(Tensor("llama", "output.weight", [](LooseTensor* t) { t->shape = {96, 192}; }), "output.weight");
}

TEST(LyingModel, UnknownKinds) {
  ExpectRefused(Set("llama", "general.architecture", "mamba"), "'mamba' is not supported", Code::kUnsupported);
  ExpectRefused(Set("llama", "general.architecture", "qwen3"), "qwen3.embedding_length");
  ExpectRefused(Set("llama", "general.architecture", uint32_t{1}), "general.architecture");
  ExpectRefused(Without("llama", "general.architecture"), "general.architecture");
  ExpectRefused(Set("llama", "llama.expert_count", uint32_t{8}), "mixture of experts", Code::kUnsupported);
  ExpectRefused(Tensor("llama", "blk.1.ffn_up.weight",
                       [](LooseTensor* t) {
                         t->type = static_cast<TensorType>(24);  // I8: known, not computed with
                         t->data.resize(t->data.size() / 4);
                       }),
                "which this build does not compute with", Code::kUnsupported);
}

TEST(LyingModel, AVocabularyOfAnotherSizeThanTheEmbedding) {
  for (size_t size : {287, 289, 1, 100000}) {
    const auto file = OpenBytes(GoldenBytes("llama"));
    std::vector<std::string> tokens;
    for (std::string_view token : file->Strings("tokenizer.ggml.tokens")) tokens.emplace_back(token);
    while (tokens.size() < size) tokens.push_back(Cat("more", tokens.size()));
    tokens.resize(size);
    const std::string bytes = Rewritten(GoldenBytes("llama"), nullptr, [&](const std::string& key, GgufWriter* writer) {
      if (key == "tokenizer.ggml.token_type") return false;
      if (key != "tokenizer.ggml.tokens") return true;
      writer->Set(key, tokens);
      return false;
    });
    ExpectRefused(bytes, Cat("the tokenizer has ", size, " tokens, the embedding 288"));
  }
  ExpectRefused(Without("llama", "tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
  ExpectRefused(Without("llama", "tokenizer.ggml.model"), "tokenizer.ggml.model");
}

// Weights that are no numbers are no lie, but must not harm anyone.
TEST(LyingModel, WeightsThatAreNoNumbersGiveNoCrash) {
  for (const char* name :
       {"token_embd.weight", "blk.0.attn_k.weight", "blk.1.ffn_down.weight", "output_norm.weight", "output.weight"}) {
    for (unsigned char fill : {0xff, 0x7f}) {
      const std::string bytes =
          Tensor("llama", name, [&](LooseTensor* t) { t->data.assign(t->data.size(), static_cast<char>(fill)); });
      for (const std::string& variant : {bytes, Quantised(bytes, TensorType::kQ8_0)}) {
        const auto model = LoadGenerator(artefact::MemoryFile(variant).path(), "", "", {.threads = 2});
        const auto made =
            model->Generate({.prompt = "the thing", .max_tokens = 5, .samples = 2, .ignore_end = true, .logprobs = 4});
        for (const auto& sample : made.samples) {
          ASSERT_EQ(sample.tokens.size(), 5u);
          for (const auto& logprob : sample.logprobs) EXPECT_FALSE(std::isnan(logprob.logprob));
        }
      }
    }
  }
}

}  // namespace
}  // namespace atelier::runtime
