// BERT (bert.h) whose weights stay in their file as it has them, quantised or not, with low-rank adapters (lora.h)
// beside the linear layers of its blocks. The adapters are all that learns and all that a checkpoint holds of the
// encoder: "blk.0.attn_q.lora_a". Dropout is BERT's own, and that of an adapter's input where LoraConfig says so.
//
// In bf16 on the processor rows without padding take a fused form, as BertEncoder's do, unless an adapter's input
// drops.
#pragma once

#include <memory>
#include <vector>

#include "model/bert.h"

namespace atelier::model {

class AdaptedBert : public TextEncoder {
 public:
  // REQUIRES: config.lora. Throws kCorrupt or kUnsupported naming the tensor of config.start that is not as the shape
  // wants it.
  explicit AdaptedBert(const BertConfig& config);
  torch::Tensor Encode(const Batch& batch, const RaggedRows& rows) override;
  const artefact::GgufFile* base() const override { return file_.get(); }

 private:
  struct Layer;
  struct Norm {
    torch::Tensor weight, bias;  // [width], frozen
  };
  static Norm NormOf(const artefact::GgufFile& file, const std::string& name, int64_t width);
  bool Fuses(const RaggedRows& rows, int64_t count) const;

  std::shared_ptr<const artefact::GgufFile> file_;
  FrozenMatrix token_embd_, position_embd_;
  torch::Tensor token_type_;  // [width]: all tokens are of the first type
  Norm token_embd_norm_;
  std::vector<std::shared_ptr<Layer>> layers_;
};

}  // namespace atelier::model
