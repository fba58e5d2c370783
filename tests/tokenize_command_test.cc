// What `atelier tokenize` promises to scripts, on a tiny vocabulary of our own.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>

#include "artefact/gguf_writer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier {
namespace {

class TokenizeCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = Cat(testing::TempDir(), "tokenize_", getpid());  // tests run side by side
    MakeFolders(folder_);
    model_ = folder_ + "/tiny.gguf";
    std::vector<std::string> tokens;
    char32_t next = 256;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool same = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      text::AppendUtf8(&tokens.emplace_back(), same ? byte : next++);
    }
    tokens.push_back("<|im_end|>");
    tokens.push_back("ab");
    artefact::GgufWriter writer;
    writer.Set("general.architecture", "llama");
    writer.Set("tokenizer.ggml.model", "gpt2");
    writer.Set("tokenizer.ggml.pre", "smollm");
    writer.Set("tokenizer.ggml.tokens", tokens);
    writer.Set("tokenizer.ggml.merges", std::vector<std::string>{"a b"});
    writer.Set("tokenizer.ggml.bos_token_id", uint32_t{256});
    writer.Set("tokenizer.ggml.add_bos_token", true);
    writer.Write(model_);
  }

  ProcessResult Run(std::string_view text, std::vector<std::string> more = {"--json"}) {
    const std::string file = folder_ + "/text";
    WriteFileAtomic(file, text);
    const char* build = std::getenv("ATELIER_BUILD_DIR");
    std::vector<std::string> argv = {
        Cat(build != nullptr ? build : ".", "/atelier"), "tokenize", "-m", model_, "--text", file};
    argv.insert(argv.end(), more.begin(), more.end());
    return RunProcess(argv);
  }
  std::string Ids(std::string_view text) {
    const ProcessResult result = Run(text);
    EXPECT_EQ(result.exit_code, 0) << result.error_text;
    return ToText(ParseJson(result.output, "output").at("ids"));
  }

  std::string folder_, model_;
};

TEST_F(TokenizeCommand, OneArrayPerLine) {
  EXPECT_EQ(Ids(""), "[]");
  EXPECT_EQ(Ids("\n"), "[[]]");
  EXPECT_EQ(Ids("ab"), "[[257]]");
  EXPECT_EQ(Ids("ab\n"), "[[257]]");
  EXPECT_EQ(Ids("ab\n\nb"), "[[257],[],[98]]");
  EXPECT_EQ(Ids("ab\n\n"), "[[257],[]]");
  EXPECT_EQ(Ids("a\r\nb"), "[[97,13],[98]]");  // CR belongs to its line
}

TEST_F(TokenizeCommand, NoSpecialTokensAndBadBytesReplaced) {
  EXPECT_EQ(Ids("<|im_end|>"), "[[60,124,105,109,95,101,110,100,124,62]]");
  EXPECT_EQ(Ids("\xFF"), "[[239,191,189]]");
  EXPECT_EQ(Ids("\xE4\n\xB8"), "[[239,191,189],[239,191,189]]");
  EXPECT_EQ(Ids(std::string_view("a\0b", 3)), "[[97,0,98]]");
}

TEST_F(TokenizeCommand, AListingForPeople) {
  const ProcessResult result = Run("ab你\n\n", {});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output,
            "line 1: 4 tokens\n  257\t'ab'\n  228\t'\\xe4'\n  189\t'\\xbd'\n  160\t'\\xa0'\nline 2: 0 tokens\n");
}

TEST_F(TokenizeCommand, FailuresAreOneLine) {
  model_ = folder_ + "/none.gguf";
  const ProcessResult absent = Run("x");
  EXPECT_NE(absent.exit_code, 0);
  EXPECT_EQ(ParseJson(absent.output, "output").at("error").at("code"), "not_found");
  EXPECT_EQ(std::count(absent.error_text.begin(), absent.error_text.end(), '\n'), 1);
  model_ = folder_ + "/odd.gguf";
  artefact::GgufWriter writer;
  writer.Set("tokenizer.ggml.model", "gpt2");
  writer.Set("tokenizer.ggml.pre", "nobody");
  writer.Set("tokenizer.ggml.tokens", std::vector<std::string>{"a"});
  writer.Set("tokenizer.ggml.merges", std::vector<std::string>{"a a"});
  writer.Write(model_);
  const ProcessResult odd = Run("x", {});
  EXPECT_EQ(odd.exit_code, 1);
  EXPECT_NE(odd.error_text.find("odd.gguf: tokenizer: unknown pre-tokenizer 'nobody'"), std::string::npos)
      << odd.error_text;
}

}  // namespace
}  // namespace atelier
