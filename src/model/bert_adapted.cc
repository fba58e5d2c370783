#include "model/bert_adapted.h"

#include <cmath>
#include <numeric>

#include "base/str.h"
#include "model/fused/attention.h"
#include "model/fused/block.h"
#include "model/fused/norm.h"
#include "model/fused/ops.h"

namespace atelier::model {
AdaptedBert::Norm AdaptedBert::NormOf(const artefact::GgufFile& file, const std::string& name, int64_t width) {
  return {FrozenVector(file, name + ".weight", width), FrozenVector(file, name + ".bias", width)};
}

struct AdaptedBert::Layer : torch::nn::Module {
  Layer(const std::shared_ptr<const artefact::GgufFile>& file, const BertConfig& config, int64_t index) : c(config) {
    const auto name = [&](const std::string& part) { return Cat("blk.", index, ".", part); };
    const auto linear = [&](const std::string& part, int64_t outs, int64_t ins) {
      return register_module(part, std::make_shared<LoraLinear>(FrozenMatrix(file, name(part + ".weight"), outs, ins),
                                                                FrozenVector(*file, name(part + ".bias"), outs),
                                                                c.lora->Has(part) ? &*c.lora : nullptr));
    };
    attn_q = linear("attn_q", c.width, c.width);
    attn_k = linear("attn_k", c.width, c.width);
    attn_v = linear("attn_v", c.width, c.width);
    attn_output = linear("attn_output", c.width, c.width);
    ffn_up = linear("ffn_up", c.hidden, c.width);
    ffn_down = linear("ffn_down", c.width, c.hidden);
    attn_output_norm = NormOf(*file, name("attn_output_norm"), c.width);
    layer_output_norm = NormOf(*file, name("layer_output_norm"), c.width);
  }

  torch::Tensor Drop(const torch::Tensor& y) const { return torch::dropout(y, c.dropout, is_training()); }

  torch::Tensor forward(torch::Tensor x, const RaggedRows& rows) const {
    const auto normed = [&](const torch::Tensor& y, const Norm& norm) {
      return torch::layer_norm(y, {c.width}, norm.weight, norm.bias, c.norm_eps);
    };
    const torch::Tensor attended = AttendTexts(attn_q->forward(x), attn_k->forward(x), attn_v->forward(x), rows,
                                               c.heads, is_training() ? c.dropout : 0.0);
    x = normed(x + Drop(attn_output->forward(attended)), attn_output_norm);
    return normed(x + Drop(ffn_down->forward(torch::gelu(ffn_up->forward(x)))), layer_output_norm);
  }

  // The same, x [rows, width] f32, between the norms bf16.
  torch::Tensor Fused(torch::Tensor x, const fused::AttentionShape& shape) const {
    const auto normed = [&](const torch::Tensor& y, const Norm& norm) {
      return fused::Norm(y, {norm.weight, norm.bias, /*rms=*/false, c.norm_eps});
    };
    const auto narrow = [&] { return x.to(torch::kBFloat16); };  // one for each reader: gradients add up in f32
    const torch::Tensor attended =
        fused::SelfAttention(attn_q->Fused(narrow()), attn_k->Fused(narrow()), attn_v->Fused(narrow()), shape);
    x = normed(x + Drop(attn_output->Fused(attended)), attn_output_norm);
    return normed(x + Drop(ffn_down->Fused(torch::gelu(ffn_up->Fused(narrow())))), layer_output_norm);
  }

  const BertConfig c;
  std::shared_ptr<LoraLinear> attn_q, attn_k, attn_v, attn_output, ffn_up, ffn_down;
  Norm attn_output_norm, layer_output_norm;
};

AdaptedBert::AdaptedBert(const BertConfig& config)
    : TextEncoder(config), file_(artefact::GgufFile::Open(config.start)) {
  file_->RequireSupportedTypes();
  const BertConfig& c = config_;
  token_embd_ = FrozenMatrix(file_, "token_embd.weight", c.vocabulary, c.width);
  position_embd_ = FrozenMatrix(file_, "position_embd.weight", c.context, c.width);
  const int64_t types = file_->Require("token_types.weight").dim(1);  // files have one or two
  token_type_ = FrozenMatrix(file_, "token_types.weight", types, c.width).Rows(torch::zeros({1}, torch::kInt64))[0];
  token_embd_norm_ = NormOf(*file_, "token_embd_norm", c.width);
  const auto list = register_module("blk", std::make_shared<torch::nn::ModuleListImpl>());
  for (int64_t i = 0; i < c.layers; ++i) {
    layers_.push_back(std::make_shared<Layer>(file_, c, i));
    list->push_back(layers_.back());
  }
}

bool AdaptedBert::Fuses(const RaggedRows& rows, int64_t count) const {
  const bool all_real = std::accumulate(rows.lengths.begin(), rows.lengths.end(), int64_t{0}) == count;
  const bool drops = config_.lora->dropout > 0 && is_training();
  return fused::Enabled() && all_real && !drops && fused::FitsBlock(config_.width, config_.heads);
}

torch::Tensor AdaptedBert::Encode(const Batch& batch, const RaggedRows& rows) {
  const BertConfig& c = config_;
  const torch::Tensor ids = rows.Take(batch.inputs);
  const torch::Tensor positions =
      rows.Take(torch::arange(rows.time, batch.inputs.options()).expand({rows.batch, rows.time}));
  torch::Tensor x = token_embd_.Rows(ids) + position_embd_.Rows(positions) + token_type_;
  x = torch::layer_norm(x, {c.width}, token_embd_norm_.weight, token_embd_norm_.bias, c.norm_eps);
  x = torch::dropout(x, c.dropout, is_training());
  if (!Fuses(rows, ids.numel())) {
    for (const auto& layer : layers_) x = layer->forward(x, rows);
    return x;
  }
  fused::AttentionShape shape;
  shape.starts = rows.begins;
  shape.heads = shape.kv_heads = c.heads, shape.head_dim = c.width / c.heads;
  shape.starts.push_back(ids.numel());
  shape.scale = 1 / std::sqrt(static_cast<double>(shape.head_dim));
  shape.causal = false, shape.dropout = is_training() ? c.dropout : 0;
  for (const auto& layer : layers_) x = layer->Fused(x, shape);
  return x;
}

}  // namespace atelier::model
