// Replies that a policy gives by itself: what the engine samples is what the batch asks for, and scorers that fail say
// so.
#include "train/rollout.h"

#include <gtest/gtest.h>

#include "artefact/memory_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/golden_model.h"

namespace atelier::train {
namespace {

std::string Script(const std::string& body) {
  const std::string path = Cat(::testing::TempDir(), "/", getpid(), "-scorer.py");
  WriteFileAtomic(path, "import json, sys\n" + body);
  return path;
}

TEST(Rollouts, AreTheEnginesRepliesAndTheirScores) {
  const artefact::MemoryFile memory(runtime::GoldenBytes("qwen2"));
  const auto file = artefact::GgufFile::Open(memory.path());
  const std::string path = Script(
      "for line in sys.stdin:\n    said = json.loads(line)\n    print(len(said['reply']) + said['record']['bonus'])\n");
  model::Batch prompts;
  prompts.inputs = torch::tensor({{5, 6, 7, 8}, {9, 10, 0, 0}}, torch::kInt64);
  prompts.lengths = torch::tensor({4, 2}, torch::kInt64);
  prompts.records = {"{\"bonus\":100}", "{\"bonus\":0.5}"};
  const artefact::Adapter adapter = runtime::DrawnAdapter(*file, {"blk.0.attn_q.weight"});
  const auto rollout =
      MakeRollout(std::make_shared<PolicyEngine>(memory.path()), {3, 10, 1.0}, ScorerProgram({"python3", path}));
  const model::Rollouts own = rollout(prompts, adapter, 7);
  ASSERT_EQ(own.scores.sizes(), (std::vector<int64_t>{2, 3}));
  ASSERT_EQ(own.batch.rows(), 6);
  EXPECT_GT(own.scores[0].min().item<double>(), 99);
  EXPECT_LT(own.scores[1].max().item<double>(), 99);
  for (int64_t row = 0; row < 6; ++row) {
    const int64_t given = row < 3 ? 4 : 2, length = own.batch.lengths[row].item<int64_t>();
    for (int64_t t = 0; t < given; ++t)
      EXPECT_EQ(own.batch.inputs[row][t].item<int64_t>(), prompts.inputs[row / 3][t].item<int64_t>());
    for (int64_t t = 0; t < length; ++t) {
      const int64_t target = own.batch.targets[row][t].item<int64_t>();
      EXPECT_EQ(target == model::kIgnored, t + 1 < given) << row << " " << t;
      if (t + 1 < length && t + 1 >= given) {
        EXPECT_EQ(target, own.batch.inputs[row][t + 1].item<int64_t>());
      }
    }
    EXPECT_LE(length, given + 10);
  }
  const model::Rollouts again = rollout(prompts, adapter, 7), other = rollout(prompts, adapter, 8);
  EXPECT_TRUE(torch::equal(own.batch.targets, again.batch.targets)) << "the same seed";
  EXPECT_FALSE(other.batch.targets.sizes() == own.batch.targets.sizes() &&
               torch::equal(own.batch.targets, other.batch.targets));
  const artefact::Adapter strong = runtime::DrawnAdapter(*file, {"blk.0.attn_q.weight", "blk.1.ffn_down.weight"}, 9, 4);
  const model::Rollouts elsewhere = rollout(prompts, strong, 7);
  EXPECT_FALSE(elsewhere.batch.targets.sizes() == own.batch.targets.sizes() &&
               torch::equal(elsewhere.batch.targets, own.batch.targets))
      << "the adapter is left out";
  RemoveFile(path);
}

TEST(Rollouts, AScorerThatFailsSaysSo) {
  const auto why = [](const std::string& body) {
    const std::string path = Script(body);
    std::string said = "it was taken";
    try {
      ScorerProgram({"python3", path})({"{}", "{}"}, {"a 🎈\n\"", ""});
    } catch (const Error& error) {
      said = error.Line();
    }
    RemoveFile(path);
    return said;
  };
  EXPECT_NE(why("print(1)").find("gave 1 scores to 2 replies"), std::string::npos);
  EXPECT_NE(why("print('good'); print(1)").find("'good', which is no number"), std::string::npos);
  EXPECT_NE(why("print('nan'); print(1)").find("no number"), std::string::npos);
  EXPECT_NE(why("sys.exit('out of paper')").find("out of paper"), std::string::npos);
  EXPECT_EQ(why("for line in sys.stdin: print(json.loads(line)['reply'] == 'a 🎈\\n\"' and 1 or 0)"), "it was taken");
  EXPECT_THROW(ScorerProgram({"no-such-program"})({"{}"}, {"a"}), Error);
}

}  // namespace
}  // namespace atelier::train
