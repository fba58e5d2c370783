// Samples of a decoder in tuning: what was asked and wanted, and the engine's greedy reply with the adapter as it
// stands.
#include "train/sample_replies.h"

#include <gtest/gtest.h>

#include "artefact/memory_file.h"
#include "base/str.h"
#include "runtime/golden_model.h"
#include "runtime/local_generator.h"
#include "train/reply_rows.h"

namespace atelier::train {
namespace {

// Spells ids out.
class Numbers : public text::Tokenizer {
 public:
  std::vector<text::TokenId> Encode(std::string_view, const text::EncodeOptions&) const override { return {}; }
  std::string Piece(text::TokenId id, bool) const override { return Cat(id, " "); }
  text::TokenId vocab_size() const override { return 1 << 20; }
  text::TokenId bos() const override { return -1; }
  text::TokenId eos() const override { return -1; }
  bool adds_bos() const override { return false; }
  bool IsControl(text::TokenId) const override { return false; }
  bool EndsGeneration(text::TokenId) const override { return false; }
  text::TokenId Find(std::string_view) const override { return -1; }
};

class Given : public Examples {
 public:
  ReplyRows rows;
  bool prompts = false;  // alone
  int64_t size() const override { return rows.size(); }
  int64_t Length(int64_t row) const override { return rows.Length(row); }
  model::Batch Collate(std::span<const int64_t> which, Rng) const override {
    model::Batch batch = rows.Lay(which);
    if (prompts) batch.targets = torch::Tensor();
    return batch;
  }
  std::string Describe(int64_t row) const override { return Cat("record ", row); }
};

TEST(SampleReplies, AreTheEnginesWithTheAdapterAsItStands) {
  const artefact::MemoryFile memory(runtime::GoldenBytes("qwen2"));
  const auto file = artefact::GgufFile::Open(memory.path());
  model::Pretrained tuned(file, {.rank = 4, .alpha = 8, .targets = {"attn_q", "ffn_down"}});
  std::vector<std::string> adapted;
  for (size_t layer = 0; layer < tuned.spec().layers.size(); ++layer) {
    for (const char* part : {"attn_q", "ffn_down"}) adapted.push_back(Cat("blk.", layer, ".", part, ".weight"));
  }
  const artefact::Adapter strong = runtime::DrawnAdapter(*file, adapted, 9, 2);
  Given examples;
  for (int32_t i = 0; i < 10; ++i) {
    examples.rows.Add(i, {.tokens = {20 + i, 6, 7, 8, 9}, .learned = {false, false, false, true, true}});
  }
  PolicyEngine engine(memory.path());
  const auto greedy = [&](const artefact::Adapter& adapter, std::vector<int32_t> prompt) {
    artefact::GenerateRequest request;
    request.prompt_tokens = std::move(prompt);
    request.max_tokens = 128;
    request.sampling.temperature = 0;
    auto base = runtime::LoadGenerator(memory.path(), "", "", {.threads = 2});
    return artefact::GenerateAll(*runtime::WithAdapter(base, adapter, "x"), std::vector{request})[0].samples[0].text;
  };
  const std::vector<ReplySample> before = SampleReplies(engine, tuned, Numbers(), examples, 3);
  ASSERT_EQ(before.size(), 3u);
  EXPECT_EQ(before[0].prompt, "20 6 7 ");
  EXPECT_EQ(before[1].prompt, "23 6 7 ") << "spread over the examples";
  EXPECT_EQ(before[2].prompt, "26 6 7 ");
  EXPECT_EQ(before[0].wanted, "8 9 ");
  EXPECT_EQ(before[1].reply, greedy(tuned.ToAdapter(), {23, 6, 7}));
  tuned.Load(strong);
  const std::vector<ReplySample> after = SampleReplies(engine, tuned, Numbers(), examples, 3);
  EXPECT_EQ(after[1].reply, greedy(strong, {23, 6, 7}));
  EXPECT_NE(after[1].reply, before[1].reply);
  EXPECT_EQ(SampleReplies(engine, tuned, Numbers(), examples, 64).size(), 10u);
  EXPECT_TRUE(SampleReplies(engine, tuned, Numbers(), examples, 0).empty());
  examples.prompts = true;
  const std::vector<ReplySample> alone = SampleReplies(engine, tuned, Numbers(), examples, 1);
  EXPECT_EQ(alone[0].prompt, "20 6 7 8 ");
  EXPECT_EQ(alone[0].wanted, "");
}

}  // namespace
}  // namespace atelier::train
