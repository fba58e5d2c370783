#include "artefact/gguf.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace atelier::artefact
