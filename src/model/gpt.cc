#include "model/gpt.h"

#include <cmath>

#include "base/str.h"
#include "model/fused/block.h"
#include "model/fused/head.h"
#include "model/fused/ops.h"
#include "model/layers.h"
#include "model/recomputed.h"

namespace atelier::model {
namespace {

std::shared_ptr<torch::nn::Module> MakeNorm(const GptConfig& c) {
  if (c.llama) return std::make_shared<RmsNorm>(c.width, c.norm_eps);
  return std::make_shared<torch::nn::LayerNormImpl>(torch::nn::LayerNormOptions({c.width}).eps(c.norm_eps));
}

torch::Tensor Norm(const torch::nn::Module& norm, const torch::Tensor& x) {
  if (const auto* rms = dynamic_cast<const RmsNorm*>(&norm)) return rms->forward(x);
  const auto& layer = dynamic_cast<const torch::nn::LayerNormImpl&>(norm);
  return torch::layer_norm(x, {x.size(-1)}, layer.weight, layer.bias, layer.options.eps());
}

// A norm's parameters.
fused::BlockWeights::Affine Affine(const torch::nn::Module& norm) {
  if (const auto* rms = dynamic_cast<const RmsNorm*>(&norm)) return {rms->weight, {}};
  const auto& layer = dynamic_cast<const torch::nn::LayerNormImpl&>(norm);
  return {layer.weight, layer.bias};
}

}  // namespace

struct Gpt::Block : torch::nn::Module {
  explicit Block(const GptConfig& config) : c(config) {
    const double into_residual = kInitialDeviation / std::sqrt(2.0 * static_cast<double>(c.layers));
    const int64_t head = c.width / c.heads, kv = head * c.kv_heads;
    const auto linear = [&](const char* name, int64_t in, int64_t out, double deviation) {
      return register_module(name, std::make_shared<Linear>(in, out, !c.llama, deviation));
    };
    attn_norm = register_module("attn_norm", MakeNorm(c));
    attn_q = linear("attn_q", c.width, c.width, kInitialDeviation);
    attn_k = linear("attn_k", c.width, kv, kInitialDeviation);
    attn_v = linear("attn_v", c.width, kv, kInitialDeviation);
    attn_output = linear("attn_output", c.width, c.width, into_residual);
    ffn_norm = register_module("ffn_norm", MakeNorm(c));
    if (c.llama) ffn_gate = linear("ffn_gate", c.width, c.hidden, kInitialDeviation);
    ffn_up = linear("ffn_up", c.width, c.hidden, kInitialDeviation);
    ffn_down = linear("ffn_down", c.hidden, c.width, into_residual);
  }

  // [batch, time, width] -> the same.
  torch::Tensor Attention(const torch::Tensor& x, const torch::Tensor& cosines, const torch::Tensor& sines) const {
    const auto heads = [&](const torch::Tensor& y, int64_t n) { return y.unflatten(-1, {n, -1}).transpose(1, 2); };
    torch::Tensor q = heads(attn_q->forward(x), c.heads), k = heads(attn_k->forward(x), c.kv_heads);
    const torch::Tensor v = heads(attn_v->forward(x), c.kv_heads);
    if (c.llama) {
      q = Rotate(q, cosines, sines);
      k = Rotate(k, cosines, sines);
    }
    const torch::Tensor y =
        torch::scaled_dot_product_attention(q, k, v, /*attn_mask=*/{}, /*dropout_p=*/0.0,
                                            /*is_causal=*/true, /*scale=*/{}, c.kv_heads != c.heads);
    return attn_output->forward(y.transpose(1, 2).flatten(2));
  }

  torch::Tensor FeedForward(const torch::Tensor& x) const {
    const torch::Tensor up = ffn_up->forward(x);
    return ffn_down->forward(c.llama ? torch::silu(ffn_gate->forward(x)) * up : torch::gelu(up));
  }

  torch::Tensor forward(torch::Tensor x, const torch::Tensor& cosines, const torch::Tensor& sines) const {
    x = x + torch::dropout(Attention(Norm(*attn_norm, x), cosines, sines), c.dropout, is_training());
    return x + torch::dropout(FeedForward(Norm(*ffn_norm, x)), c.dropout, is_training());
  }

  fused::BlockWeights Weights() const {
    const auto norm = [](const torch::nn::Module& n) { return Affine(n); };
    const auto linear = [](const std::shared_ptr<Linear>& l) {
      return l ? fused::BlockWeights::Affine{l->weight, l->bias} : fused::BlockWeights::Affine{};
    };
    return {norm(*attn_norm), linear(attn_q),   linear(attn_k), linear(attn_v),  linear(attn_output),
            norm(*ffn_norm),  linear(ffn_gate), linear(ffn_up), linear(ffn_down)};
  }

  GptConfig c;
  std::shared_ptr<torch::nn::Module> attn_norm, ffn_norm;
  std::shared_ptr<Linear> attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up, ffn_down;
};

GptConfig ReadGptConfig(Table& config, const DataShape& shape) {
  GptConfig c;
  const std::string form = config.StringOr("form", "llama");
  if (form != "llama" && form != "gpt2") config.Refuse("form", Cat(Quote(form), " is not a form"), "llama or gpt2");
  c.llama = form == "llama";
  c.vocabulary = shape.vocabulary;
  c.context = config.IntOr("context", shape.sequence_length, 1, 1 << 20);
  c.layers = config.IntOr("layers", c.layers, 1, 1000);
  c.width = config.IntOr("width", c.width, 2, 1 << 16);
  c.heads = config.IntOr("heads", c.heads, 1, 1 << 10);
  c.kv_heads = config.IntOr("kv_heads", c.heads, 1, 1 << 10);
  c.hidden = config.IntOr("hidden", c.llama ? (c.width * 8 / 3 + 63) / 64 * 64 : 4 * c.width, 1, 1 << 18);
  c.tied = config.BoolOr("tied", c.tied);
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  c.rope_base = config.DoubleOr("rope_base", c.rope_base, 1, 1e9);
  c.norm_eps = config.DoubleOr("norm_eps", c.norm_eps, 1e-12, 0.1);
  if (c.width % c.heads != 0) config.Refuse("heads", Cat(c.heads, " does not divide the width ", c.width));
  if (c.heads % c.kv_heads != 0) config.Refuse("kv_heads", Cat(c.kv_heads, " does not divide the heads ", c.heads));
  if (c.llama && c.width / c.heads % 2 != 0) config.Refuse("heads", "rotation wants heads of an even width");
  if (c.context < shape.sequence_length) {
    config.Refuse("context", Cat(c.context, " is shorter than the data's sequences of ", shape.sequence_length));
  }
  return c;
}

Gpt::Gpt(const GptConfig& config) : config_(config) {
  if (config_.kv_heads == 0) config_.kv_heads = config_.heads;
  if (config_.hidden == 0) config_.hidden = config_.llama ? (config_.width * 8 / 3 + 63) / 64 * 64 : 4 * config_.width;
  const GptConfig& c = config_;
  token_embd_ = register_module("token_embd", torch::nn::Embedding(c.vocabulary, c.width));
  torch::nn::init::normal_(token_embd_->weight, 0, kInitialDeviation);
  if (c.llama) {
    RotationTables(c.context, c.width / c.heads, c.rope_base, &cosines_, &sines_);
  } else {
    position_embd_ = register_module("position_embd", torch::nn::Embedding(c.context, c.width));
    torch::nn::init::normal_(position_embd_->weight, 0, kInitialDeviation);
  }
  const auto list = register_module("blk", std::make_shared<torch::nn::ModuleListImpl>());
  for (int64_t i = 0; i < c.layers; ++i) {
    blocks_.push_back(std::make_shared<Block>(c));
    list->push_back(blocks_.back());
  }
  output_norm_ = register_module("output_norm", MakeNorm(c));
  if (c.tied) {
    output_ = token_embd_->weight;
  } else {
    output_ =
        register_module("output", std::make_shared<Linear>(c.width, c.vocabulary, false, kInitialDeviation))->weight;
  }
}

torch::Tensor Gpt::Hidden(const torch::Tensor& ids) {
  torch::Tensor x = token_embd_->forward(ids);
  if (!config_.llama) x = x + position_embd_->weight.narrow(0, 0, ids.size(1));
  x = torch::dropout(x, config_.dropout, is_training());
  for (const auto& block : blocks_) {
    const auto forward = [block, c = cosines_, s = sines_](const torch::Tensor& in) {
      return block->forward(in, c, s);
    };
    x = checkpointing_ ? Recomputed(forward, x) : forward(x);
  }
  return Norm(*output_norm_, x);
}

torch::Tensor Gpt::Logits(const torch::Tensor& hidden) const { return torch::linear(hidden, output_); }

torch::Tensor Gpt::FusedLoss(const Batch& batch, const LossOptions& options) {
  const GptConfig& c = config_;
  torch::Tensor x = fused::Embed(token_embd_->weight, c.llama ? torch::Tensor() : position_embd_->weight, batch.inputs);
  x = torch::dropout(x, c.dropout, is_training());
  fused::BlockShape shape;
  shape.starts = fused::EqualStarts(batch.inputs.size(0), batch.inputs.size(1));
  shape.heads = c.heads, shape.kv_heads = c.kv_heads, shape.rms = c.llama, shape.norm_eps = c.norm_eps;
  shape.dropout = is_training() ? c.dropout : 0;
  shape.act = c.llama ? kernel::Activation::kSilu : kernel::Activation::kGelu;
  shape.cosines = cosines_, shape.sines = sines_;
  for (const auto& block : blocks_) {
    const auto forward = [block, shape](const torch::Tensor& in) { return fused::Block(in, block->Weights(), shape); };
    x = checkpointing_ ? Recomputed(forward, x) : forward(x);
  }
  const fused::BlockWeights::Affine norm = Affine(*output_norm_);
  return fused::HeadLoss(x, {norm.weight, norm.bias, c.llama, c.norm_eps}, output_, {}, batch.targets.flatten(),
                         options.label_smoothing);
}

Loss Gpt::ComputeLoss(const Batch& batch, size_t, const LossOptions& options) {
  if (fused::Enabled() && fused::FitsBlock(config_.width, config_.heads)) return {FusedLoss(batch, options), {}};
  const torch::Tensor logits = Logits(Hidden(batch.inputs));
  return {CrossEntropy(logits.flatten(0, 1), batch.targets.flatten(), options), {}};
}

torch::Tensor Gpt::NextLogits(const torch::Tensor& ids) {
  const torch::NoGradGuard no_gradient;
  return Logits(Hidden(ids).select(1, -1)).to(torch::kFloat32);
}

std::shared_ptr<Model> MakeGpt(Table& config, const DataShape& shape) {
  return std::make_shared<Gpt>(ReadGptConfig(config, shape));
}

}  // namespace atelier::model
