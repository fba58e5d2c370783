#include "artefact/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "artefact/gguf_writer.h"
#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

std::string TempPath(const std::string& name) { return Cat(::testing::TempDir(), "/", getpid(), name); }

TEST(Gguf, ReadsWhatTheWriterWrote) {
  GgufWriter writer;
  writer.Set("general.architecture", "llama");
  writer.Set("llama.block_count", uint32_t{2});
  writer.Set("llama.rope.freq_base", 10000.0f);
  writer.Set("tokenizer.ggml.add_bos_token", true);
  writer.Set("tokenizer.ggml.tokens", std::vector<std::string>{"<s>", "最", "🙂", ""});
  writer.Set("tokenizer.ggml.scores", std::vector<float>{0, -1, -2.5, 3});
  writer.Set("llama.feed_forward_length", std::vector<int32_t>{1, -2});
  const std::string f32(8 * 3 * 4, 'a'), q8(34 * 2, 'b');
  writer.AddTensor("a.weight", TensorType::kF32, {8, 3}, f32);
  writer.AddTensor("b.weight", TensorType::kQ8_0, {32, 2}, q8);
  const std::string path = TempPath("written.gguf");
  writer.Write(path);

  const auto file = GgufFile::Open(path);
  EXPECT_EQ(file->String("general.architecture"), "llama");
  EXPECT_EQ(file->Int("llama.block_count", 1, 10), 2);
  EXPECT_EQ(file->Float("llama.rope.freq_base"), 10000.0);
  EXPECT_TRUE(file->Bool("tokenizer.ggml.add_bos_token"));
  EXPECT_EQ(file->Strings("tokenizer.ggml.tokens"), (std::vector<std::string_view>{"<s>", "最", "🙂", ""}));
  EXPECT_EQ(file->Floats("tokenizer.ggml.scores"), (std::vector<float>{0, -1, -2.5, 3}));
  EXPECT_EQ(file->Ints("llama.feed_forward_length"), (std::vector<int64_t>{1, -2}));
  EXPECT_EQ(file->Ints("llama.block_count"), (std::vector<int64_t>{2}));
  EXPECT_EQ(file->IntOr("absent", 7), 7);
  EXPECT_EQ(file->Count("tokenizer.ggml.tokens"), 4u);
  EXPECT_THROW(file->Int("llama.block_count", 3), Error);
  EXPECT_THROW(file->String("llama.block_count"), Error);
  EXPECT_THROW(file->Float("absent"), Error);
  ASSERT_EQ(file->tensors().size(), 2u);
  const TensorInfo& b = file->Require("b.weight");
  EXPECT_EQ(b.shape, (std::vector<int64_t>{32, 2}));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(b.data), b.bytes), q8);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data) % 32, 0u);
  EXPECT_EQ(file->Find("c.weight"), nullptr);
}

TEST(Gguf, CopiesValuesOfAnyTypeByTheirBytes) {
  GgufWriter writer;
  writer.Set("general.architecture", "llama");
  writer.Set("texts", std::vector<std::string>{"", "最", std::string("a\0b", 3)});
  writer.Set("numbers", std::vector<float>{0.5f, -1});
  writer.Set("none", std::vector<int32_t>{});
  writer.Set("flag", false);
  std::string nested("\x09\0\0\0\x02\0\0\0\0\0\0\0", 12);  // two arrays of bytes
  for (const char* inner : {"a", "bc"}) {
    nested += std::string(4, '\0') + static_cast<char>(strlen(inner)) + std::string(7, '\0') + inner;
  }
  writer.SetRaw("nested", GgufType::kArray, nested);
  const std::string path = TempPath("first.gguf");
  writer.Write(path);
  const auto file = GgufFile::Open(path);
  GgufWriter copy;
  for (const std::string& key : file->Keys()) copy.SetRaw(key, file->Type(key), file->Encoded(key));
  EXPECT_EQ(copy.ToBytes(), writer.ToBytes());
  EXPECT_EQ(file->Encoded("flag"), std::string(1, '\0'));
}

TEST(Gguf, TensorsMadeInTheirTurnAreWrittenAsThoseAtHand) {
  const std::string f32(8 * 3 * 4, 'a'), q8(34 * 2, 'b');
  GgufWriter at_hand, made;
  at_hand.AddTensor("a", TensorType::kF32, {8, 3}, f32);
  at_hand.AddTensor("b", TensorType::kQ8_0, {32, 2}, q8);
  int calls = 0;
  made.AddTensor("a", TensorType::kF32, {8, 3}, [&] { return ++calls, f32; });
  made.AddTensor("b", TensorType::kQ8_0, {32, 2}, [&] { return ++calls, q8; });
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(made.ToBytes(), at_hand.ToBytes());
  EXPECT_EQ(calls, 2);
  GgufWriter lying;
  lying.AddTensor("a", TensorType::kF32, {8, 3}, [&] { return f32.substr(1); });
  const std::string path = TempPath("lying.gguf");
  EXPECT_THROW(lying.Write(path), Error);
  EXPECT_FALSE(FileExists(path));
}

}  // namespace
}  // namespace atelier::artefact
