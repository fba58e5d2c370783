// A decoder that the engine runs (runtime/arch), as LibTorch computes it: its weights frozen as the file has them, with
// low-rank adapters that learn. One class for every architecture that the engine knows, from the same description.
//
//   x = scale E[ids]                                                    [batch, time, width]
//   x = x + PostNorm(Attention(Norm(x)));  x = x + PostNorm(FeedForward(Norm(x)))
//   logits = softcap(Norm(x) W^T)                                       [..., vocabulary]
//
// The adapters' parameters are called by GGUF's names: "blk.0.attn_q.lora_a".
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "artefact/adapter.h"
#include "artefact/gguf.h"
#include "model/base_file.h"
#include "model/distil.h"
#include "model/lora.h"
#include "model/model.h"
#include "model/objective.h"
#include "model/policy.h"
#include "runtime/arch/arch.h"

namespace atelier::model {

// Rows of text, drawn by the seed: inputs, and what follows each token as targets.
using KeptFn = std::function<Batch(uint64_t seed)>;

class Pretrained : public LanguageModel, public OnBase {
 public:
  // Throws what runtime::ReadSpec throws, kUnsupported for what only the engine computes (a softcap of attention).
  Pretrained(std::shared_ptr<const artefact::GgufFile> file, const LoraConfig& lora,
             const ObjectiveConfig& objective = {});

  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  int64_t Count(const Batch& batch, size_t part) const override;
  // Where the objective eats prompts: who samples and scores.
  void SetRollout(RolloutFn rollout) { rollout_ = std::move(rollout); }
  // Where the objective is to say what another model says. Throws kInvalidInput for one of another vocabulary.
  void SetTeacher(std::shared_ptr<Pretrained> teacher);
  // Text that the model should go on writing as it did: `weight` times the mean over its tokens of
  // KL(p as it was || p) joins the objective's loss in training, as "kept" (Li & Hoiem 2017, learning without
  // forgetting; on rows of text that have nothing to do with the task).
  void SetKept(KeptFn kept, double weight) { kept_ = std::move(kept), keep_weight_ = weight; }
  bool SetCheckpointing(bool on) override {
    checkpointing_ = on;
    return true;
  }
  torch::Tensor NextLogits(const torch::Tensor& ids) override;
  int64_t context() const override { return spec_.context; }
  const runtime::DecoderSpec& spec() const { return spec_; }
  const LoraConfig& lora() const { return lora_; }
  const ObjectiveConfig& objective() const { return objective_; }
  const artefact::GgufFile* base() const override { return file_.get(); }
  artefact::Adapter ToAdapter() const;  // what was learned; its name and base are the caller's to say
  // Takes the numbers of an adapter of the same rank and layers. Throws kConflict that names what differs.
  void Load(const artefact::Adapter& adapter);

  torch::Tensor Hidden(const torch::Tensor& ids);           // [batch, time] -> [batch, time, width], normed
  torch::Tensor Logits(const torch::Tensor& hidden) const;  // [..., width] -> [..., vocabulary]
  ReplyScores Scores(const Batch& batch);                   // without a reference

 private:
  struct Block;
  struct Turns {
    torch::Tensor cosines, sines;  // [positions, dims/2]
  };
  const Turns& TurnsOf(size_t rope, int64_t positions);
  // Of the targets that are asked for.
  struct Asked {
    torch::Tensor rows, losses;  // [asked]: which row of the batch each is of, and -log of its probability
  };
  Asked AskedLosses(const Batch& batch, double smoothing);
  Loss LossOfObjective(const Batch& batch, const LossOptions& options);
  Loss LossOfPrompts(const Batch& prompts);
  torch::Tensor KeptDivergence();
  void CheckLength(int64_t tokens) const;
  torch::Tensor Embedded(const torch::Tensor& ids) const;
  bool Fuses(const Batch& batch) const;
  // The normed hidden rows of the places `asked` of a batch laid flat: bf16 where it fuses.
  torch::Tensor AskedHidden(const Batch& batch, const torch::Tensor& asked);
  torch::Tensor FusedHidden(const Batch& batch, const torch::Tensor& asked);
  Loss LossOfTeaching(const Batch& batch);
  torch::Tensor Verdicts(const Batch& batch);  // [rows] f32

  std::shared_ptr<const artefact::GgufFile> file_;
  runtime::DecoderSpec spec_;
  LoraConfig lora_;
  ObjectiveConfig objective_;
  RolloutFn rollout_;
  KeptFn kept_;
  double keep_weight_ = 0;
  std::shared_ptr<Pretrained> teacher_;  // no module of this one: it does not learn, nor is it kept
  FrozenMatrix embedding_, head_;
  torch::Tensor output_norm_;  // [width]
  torch::Tensor verdict_;      // [width]: the head's row of artefact::kGood less that of kBad; where they are asked for
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<Turns> turns_;  // by rope
  bool checkpointing_ = false;
};

// One that only tells, in evaluation mode. Throws what opening either file throws, kConflict where they do not fit.
std::shared_ptr<Pretrained> OpenTeacher(const Teacher& teacher);

}  // namespace atelier::model
