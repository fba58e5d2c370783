#include "runtime/vocabulary.h"

#include <gtest/gtest.h>

#include <functional>

#include "artefact/gguf_writer.h"
#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/str.h"
#include "text/charsmap.h"
#include "text/train_bpe.h"
#include "text/train_unigram.h"

namespace atelier::runtime {
namespace {

using Strings = std::vector<std::string>;

std::shared_ptr<const artefact::GgufFile> FileWith(const std::function<void(artefact::GgufWriter&)>& fill) {
  artefact::GgufWriter writer;
  fill(writer);
  const std::string path = Cat(testing::TempDir(), "vocabulary_", getpid(), ".gguf");
  writer.Write(path);
  return artefact::GgufFile::Open(path);
}

Code CodeOf(const std::function<void(artefact::GgufWriter&)>& fill) {
  const auto file = FileWith(fill);
  try {
    TokenizerFromGguf(*file);
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()).find(Cat("vocabulary_", getpid(), ".gguf")), std::string_view::npos)
        << error.what();
    return error.code();
  }
  return Code::kInternal;
}

TEST(Vocabulary, ReadsWhatTheFileSays) {
  const auto file = FileWith([](artefact::GgufWriter& w) {
    w.Set("tokenizer.ggml.model", "gpt2");
    w.Set("tokenizer.ggml.pre", "qwen2");
    w.Set("tokenizer.ggml.tokens", Strings{"a", "b", "ab", "<|x|>"});
    w.Set("tokenizer.ggml.merges", Strings{"a b"});
    w.Set("tokenizer.ggml.token_type", std::vector<int32_t>{1, 1, 0, 3});
    w.Set("tokenizer.ggml.bos_token_id", uint32_t{3});
    w.Set("tokenizer.ggml.eos_token_id", uint32_t{77});  // out of range
    w.Set("tokenizer.ggml.eot_token_id", uint32_t{2});
    w.Set("tokenizer.ggml.add_bos_token", true);
  });
  const text::TokenizerSpec spec = SpecFromGguf(*file);
  EXPECT_EQ(spec.model, "gpt2");
  EXPECT_EQ(spec.pre, "qwen2");
  EXPECT_EQ(spec.tokens, (Strings{"a", "b", "ab", "<|x|>"}));
  EXPECT_EQ(spec.merges, (Strings{"a b"}));
  EXPECT_EQ(spec.types, (std::vector<uint8_t>{1, 1, 1, 3}));
  EXPECT_EQ(spec.bos, 3);
  EXPECT_EQ(spec.eos, -1);
  EXPECT_EQ(spec.end_of_generation, (std::vector<text::TokenId>{2}));
  EXPECT_TRUE(spec.add_bos);
  EXPECT_FALSE(spec.add_space_prefix);
  const auto tokenizer = TokenizerFromGguf(*file);
  EXPECT_EQ(tokenizer->Encode("abb", {.add_special = true}), (std::vector<text::TokenId>{3, 2, 1}));
  EXPECT_TRUE(tokenizer->EndsGeneration(2));
}

TEST(Vocabulary, DefaultsWhereTheFileIsSilent) {
  const auto pieces = FileWith([](artefact::GgufWriter& w) {
    w.Set("tokenizer.ggml.model", "llama");
    w.Set("tokenizer.ggml.tokens", Strings{"<unk>", "<s>", "</s>", "▁a"});
    w.Set("tokenizer.ggml.scores", std::vector<float>{0, 0, 0, -1, -2});  // one too many: as llama.cpp, cut
  });
  const text::TokenizerSpec spec = SpecFromGguf(*pieces);
  EXPECT_EQ(spec.bos, 1);
  EXPECT_EQ(spec.eos, 2);
  EXPECT_EQ(spec.unknown, 0);
  EXPECT_EQ(spec.padding, -1);
  EXPECT_EQ(spec.scores.size(), 4u);
  EXPECT_TRUE(spec.add_bos);
  EXPECT_TRUE(spec.add_space_prefix);
  for (const auto& [pre, adds] :
       std::vector<std::pair<std::string, bool>>{{"llama-bpe", true}, {"tekken", true}, {"qwen2", false}}) {
    const auto file = FileWith([&](artefact::GgufWriter& w) {
      w.Set("tokenizer.ggml.model", "gpt2");
      w.Set("tokenizer.ggml.pre", pre);
      w.Set("tokenizer.ggml.tokens", Strings{"a"});
      w.Set("tokenizer.ggml.merges", Strings{"a a"});
    });
    EXPECT_EQ(SpecFromGguf(*file).add_bos, adds) << pre;
    EXPECT_EQ(SpecFromGguf(*file).bos, -1);
  }
}

TEST(Vocabulary, LyingFilesAreNamed) {
  EXPECT_EQ(CodeOf([](artefact::GgufWriter& w) { w.Set("tokenizer.ggml.model", "gpt2"); }), Code::kCorrupt);
  EXPECT_EQ(CodeOf([](artefact::GgufWriter& w) {
              w.Set("tokenizer.ggml.model", "gpt2");
              w.Set("tokenizer.ggml.tokens", Strings{"a"});
            }),
            Code::kCorrupt);  // no merges
  EXPECT_EQ(CodeOf([](artefact::GgufWriter& w) {
              w.Set("tokenizer.ggml.model", "llama");
              w.Set("tokenizer.ggml.tokens", Strings{"a", "b"});
              w.Set("tokenizer.ggml.scores", std::vector<float>{1});
            }),
            Code::kCorrupt);
  EXPECT_EQ(CodeOf([](artefact::GgufWriter& w) {
              w.Set("tokenizer.ggml.model", "llama");
              w.Set("tokenizer.ggml.tokens", "not an array");
              w.Set("tokenizer.ggml.scores", "nor this");
            }),
            Code::kCorrupt);
  EXPECT_EQ(CodeOf([](artefact::GgufWriter& w) {
              w.Set("tokenizer.ggml.model", "bert");
              w.Set("tokenizer.ggml.tokens", Strings{"a"});
            }),
            Code::kCorrupt);  // nothing is the unknown token
  EXPECT_EQ(CodeOf([](artefact::GgufWriter& w) {
              w.Set("tokenizer.ggml.model", "bert");
              w.Set("tokenizer.ggml.tokens", Strings{"a"});
              w.Set("tokenizer.ggml.normalizer.lowercase", false);
              w.Set("tokenizer.ggml.normalizer.strip_accents", true);
            }),
            Code::kUnsupported);
  EXPECT_EQ(CodeOf([](artefact::GgufWriter& w) {
              w.Set("tokenizer.ggml.model", "rwkv");
              w.Set("tokenizer.ggml.tokens", Strings{"a"});
            }),
            Code::kUnsupported);
}

void ExpectSameFromGguf(const text::TokenizerSpec& spec) {
  const auto file = FileWith([&](artefact::GgufWriter& w) { artefact::WriteTokenizerToGguf(spec, w); });
  const text::TokenizerSpec read = SpecFromGguf(*file);
  EXPECT_EQ(read.model, spec.model);
  EXPECT_EQ(read.pre, spec.pre);
  EXPECT_EQ(read.tokens, spec.tokens);
  EXPECT_EQ(read.scores, spec.scores);
  EXPECT_EQ(read.types, spec.types);
  EXPECT_EQ(read.merges, spec.merges);
  EXPECT_EQ(read.charsmap, spec.charsmap);
  EXPECT_EQ(read.bos, spec.bos);
  EXPECT_EQ(read.eos, spec.eos);
  EXPECT_EQ(read.unknown, spec.unknown);
  EXPECT_EQ(read.padding, spec.padding);
  EXPECT_EQ(read.add_bos, spec.add_bos);
  EXPECT_EQ(read.add_eos, spec.add_eos);
  EXPECT_EQ(read.add_space_prefix, spec.add_space_prefix);
  EXPECT_EQ(read.merge_spaces, spec.merge_spaces);
  const std::string text = "手冲咖啡  coffee 😀\n<s> 1234";
  EXPECT_EQ(TokenizerFromGguf(*file)->Encode(text, {.add_special = true}),
            text::MakeTokenizer(spec)->Encode(text, {.add_special = true}));
}

TEST(Vocabulary, WordPieceComesBack) {
  text::TokenizerSpec spec;
  spec.model = "bert";
  spec.tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581coffee", "\u2581手", "\u25811", "2"};
  spec.types = {3, 2, 3, 3, 1, 1, 1, 1};
  spec.padding = 0, spec.unknown = 1, spec.bos = 2, spec.eos = 3;
  spec.merge_spaces = spec.add_space_prefix = false;
  spec.add_bos = spec.add_eos = true;
  for (const char* pre : {"", "bert-cased"}) {
    spec.pre = pre;
    ExpectSameFromGguf(spec);
  }
}

// What llama.cpp's converter leaves out and what it says with keys of its own.
TEST(Vocabulary, WordPieceAsLlamaCppWritesIt) {
  Strings tokens(104, "x");
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = Cat("\u2581[unused", i, "]");
  tokens[100] = "[UNK]", tokens[101] = "[CLS]", tokens[102] = "[SEP]", tokens[103] = "\u2581Paris";
  const auto file = [&](const std::function<void(artefact::GgufWriter&)>& more) {
    return SpecFromGguf(*FileWith([&](artefact::GgufWriter& w) {
      w.Set("tokenizer.ggml.model", "bert");
      w.Set("tokenizer.ggml.tokens", tokens);
      more(w);
    }));
  };
  const text::TokenizerSpec silent = file([](artefact::GgufWriter&) {});
  EXPECT_EQ(silent.bos, 101);
  EXPECT_EQ(silent.eos, 102);
  EXPECT_EQ(silent.unknown, 100);
  EXPECT_TRUE(silent.add_bos && silent.add_eos);
  EXPECT_EQ(silent.pre, "");
  const text::TokenizerSpec told = file([](artefact::GgufWriter& w) {
    w.Set("tokenizer.ggml.eos_token_id", uint32_t{5});
    w.Set("tokenizer.ggml.seperator_token_id", uint32_t{7});
    w.Set("tokenizer.ggml.cls_token_id", uint32_t{6});
    w.Set("tokenizer.ggml.normalizer.lowercase", false);
    w.Set("tokenizer.ggml.add_sep_token", false);
  });
  EXPECT_EQ(told.bos, 6);
  EXPECT_EQ(told.eos, 7);
  EXPECT_FALSE(told.add_eos);
  EXPECT_EQ(text::MakeTokenizer(told)->Encode("Paris"), (std::vector<text::TokenId>{103}));
}

TEST(Vocabulary, WhatWasTrainedComesBack) {
  const auto pull = [](int texts) {
    return [texts](std::string* text) mutable {
      *text = "手冲咖啡 coffee 手冲咖啡  coffee\n";
      return texts-- > 0;
    };
  };
  text::TokenizerSpec bpe = text::TrainBpe(pull(3), {.vocab_size = 290, .pre = "smollm"});
  ExpectSameFromGguf(bpe);
  bpe.add_bos = bpe.add_eos = true;
  ExpectSameFromGguf(bpe);
  text::TrainUnigramOptions options;
  options.vocab_size = 30;
  options.coverage = 1;
  text::TokenizerSpec unigram = text::TrainUnigram(pull(3), options);
  ExpectSameFromGguf(unigram);
  unigram.bos = unigram.padding = -1;
  unigram.merge_spaces = unigram.add_space_prefix = true;
  unigram.charsmap = text::Charsmap::Build({{"\t", " "}});
  ExpectSameFromGguf(unigram);
}

}  // namespace
}  // namespace atelier::runtime
