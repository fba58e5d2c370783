#include "artefact/tokenizer_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "artefact/gguf.h"
#include "base/error.h"
#include "base/str.h"
#include "text/train_bpe.h"

namespace atelier::artefact {
namespace {

text::TokenizerSpec Spec() {
  int left = 3;
  text::TrainBpeOptions options{.vocab_size = 300};
  options.special.bos = "<|begin|>";
  return text::TrainBpe(
      [&](std::string* text) {
        *text = "手冲咖啡 coffee 手冲咖啡 coffee";
        return left-- > 0;
      },
      options);
}

TEST(TokenizerFile, KeepsTheRolesBesideTheVocabulary) {
  const text::TokenizerSpec spec = Spec();
  const std::string path = Cat(testing::TempDir(), "tokenizer_file_", getpid(), ".json");
  WriteTokenizerJson(spec, path);
  const text::TokenizerSpec read = ReadTokenizerJson(path);
  EXPECT_EQ(read.tokens, spec.tokens);
  EXPECT_EQ(read.merges, spec.merges);
  EXPECT_EQ(read.bos, 0);
  EXPECT_EQ(read.eos, 1);
  RemoveFile(Cat(path.substr(0, path.size() - 5), "_config.json"));
  EXPECT_EQ(ReadTokenizerJson(path).bos, -1);  // "<|begin|>" says nothing by itself
  WriteFileAtomic(path, "{\"version\":");
  try {
    ReadTokenizerJson(path);
    ADD_FAILURE() << "half a file was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidInput);
    EXPECT_TRUE(std::string_view(error.what()).starts_with(path)) << error.what();
  }
  EXPECT_THROW(ReadTokenizerJson(path + ".none"), Error);
}

TEST(TokenizerFile, RefusesAnUnevenVocabulary) {
  GgufWriter writer;
  text::TokenizerSpec spec = Spec();
  spec.types.pop_back();
  EXPECT_THROW(WriteTokenizerToGguf(spec, writer), Error);
  EXPECT_THROW(WriteTokenizerToGguf(text::TokenizerSpec(), writer), Error);
}

}  // namespace
}  // namespace atelier::artefact
