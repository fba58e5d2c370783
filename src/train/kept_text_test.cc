// Rows of text to keep, over the tiny vocabulary of tests/golden/archs.
#include "train/kept_text.h"

#include <gtest/gtest.h>

#include <set>

#include "artefact/gguf_tokenizer.h"
#include "artefact/memory_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/golden_model.h"

namespace atelier::train {
namespace {

class KeptTextTest : public ::testing::Test {
 protected:
  void Load(bool marks_beginnings) {
    const artefact::MemoryFile memory(runtime::GoldenBytes("gemma3"));
    text::TokenizerSpec spec = artefact::SpecFromGguf(*artefact::GgufFile::Open(memory.path()));
    spec.add_bos = marks_beginnings;
    tokenizer_ = text::MakeTokenizer(std::move(spec));
  }
  model::KeptFn Made(const std::string& text) {
    const std::string path = Cat(::testing::TempDir(), "/", getpid(), "-keep.txt");
    WriteFileAtomic(path, text);
    auto kept = MakeKept(Records(path, ""), settings_, *tokenizer_, context_);
    RemoveFile(path);
    return kept;
  }

  TrainSettings settings_;
  int64_t context_ = 512;
  std::unique_ptr<text::Tokenizer> tokenizer_;
};

TEST_F(KeptTextTest, RowsAreTheTextEndToEnd) {
  for (const bool marked : {true, false}) {
    Load(marked);
    settings_.keep_rows = 40, settings_.keep_length = 6;
    const std::string text = "the cat sat\non the mat 猫\n\nand 🙂 slept on\n";
    std::vector<text::TokenId> all;
    for (const std::string& line : Split(text.substr(0, text.size() - 1), '\n')) {
      const auto tokens = tokenizer_->Encode(line + "\n");
      all.insert(all.end(), tokens.begin(), tokens.end());
    }
    const int64_t marks = marked ? 1 : 0, fresh = 7 - marks;
    const auto kept = Made(text);
    const model::Batch batch = kept(5);
    ASSERT_EQ(batch.inputs.sizes(), (std::vector<int64_t>{40, 6}));
    EXPECT_TRUE(torch::equal(batch.inputs.narrow(1, 1, 5), batch.targets.narrow(1, 0, 5)));
    std::set<int64_t> seen;
    for (int64_t row = 0; row < 40; ++row) {
      std::vector<int64_t> ids;
      for (int64_t t = 0; t < 6; ++t) ids.push_back(batch.inputs[row][t].item<int64_t>());
      ids.push_back(batch.targets[row][5].item<int64_t>());
      if (marked) {
        EXPECT_EQ(ids[0], tokenizer_->bos());
      }
      int64_t at = 0;  // which row of the text it is
      while ((at + 1) * fresh <= std::ssize(all) &&
             !std::equal(ids.begin() + marks, ids.end(), all.begin() + at * fresh, all.begin() + (at + 1) * fresh))
        ++at;
      ASSERT_LE((at + 1) * fresh, std::ssize(all)) << marked << ": row " << row << " is nowhere in the text";
      seen.insert(at);
    }
    EXPECT_EQ(std::ssize(seen), std::ssize(all) / fresh) << marked << ": every whole row is drawn at some time";
    EXPECT_TRUE(torch::equal(kept(5).inputs, batch.inputs)) << "the same seed";
    EXPECT_FALSE(torch::equal(kept(6).inputs, batch.inputs));
  }
}

TEST_F(KeptTextTest, RowsFitTheContext) {
  Load(true);
  context_ = 9;
  EXPECT_EQ(Made("the cat sat on the mat, the cat sat on the mat\n")(1).inputs.size(1), 9);
}

TEST_F(KeptTextTest, TooLittleTextIsRefused) {
  Load(true);
  for (const char* text : {"one line\n", "🙂\n"}) {
    try {
      Made(text);
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_NE(error.Line().find("fewer than a row of 128"), std::string::npos) << error.Line();
    }
  }
}

}  // namespace
}  // namespace atelier::train
