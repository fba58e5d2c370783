#include "model/bert.h"

#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/str.h"
#include "model/bert_adapted.h"
#include "model/bert_start.h"
#include "model/fused/block.h"
#include "model/fused/head.h"
#include "model/fused/norm.h"
#include "model/fused/ops.h"

namespace atelier::model {
namespace {

constexpr int64_t kTokenTypes = 2;

torch::nn::LayerNorm MakeNorm(const BertConfig& c) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({c.width}).eps(c.norm_eps));
}

}  // namespace

torch::Tensor AttendTexts(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                          const RaggedRows& rows, int64_t heads, double dropout) {
  const auto split = [&](const torch::Tensor& x) {  // [n, time, width] -> [n, heads, time, head]
    return x.unflatten(-1, {heads, -1}).transpose(1, 2);
  };
  const auto join = [](const torch::Tensor& x) { return x.transpose(1, 2).flatten(2); };
  if (rows.padded) {
    const torch::Tensor lengths = torch::tensor(rows.lengths);
    std::optional<torch::Tensor> mask;  // nothing, not an undefined tensor, where all are real
    if (lengths.min().item<int64_t>() < rows.time) {
      mask = RealPlaces(lengths, rows.time).view({rows.batch, 1, 1, rows.time}).to(q.device());
    }
    const auto whole = [&](const torch::Tensor& x) { return split(x.unflatten(0, {rows.batch, rows.time})); };
    return join(torch::scaled_dot_product_attention(whole(q), whole(k), whole(v), mask, dropout)).flatten(0, 1);
  }
  std::vector<torch::Tensor> out;
  for (size_t i = 0; i < rows.lengths.size(); ++i) {
    const auto text = [&](const torch::Tensor& x) {
      return split(x.narrow(0, rows.begins[i], rows.lengths[i]).unsqueeze(0));
    };
    out.push_back(join(torch::scaled_dot_product_attention(text(q), text(k), text(v), {}, dropout)).squeeze(0));
  }
  return torch::cat(out);
}

struct BertEncoder::Layer : torch::nn::Module {
  explicit Layer(const BertConfig& config) : c(config) {
    const auto linear = [&](const char* name, int64_t in, int64_t out) {
      return register_module(name, std::make_shared<Linear>(in, out, /*bias=*/true, kInitialDeviation));
    };
    attn_q = linear("attn_q", c.width, c.width);
    attn_k = linear("attn_k", c.width, c.width);
    attn_v = linear("attn_v", c.width, c.width);
    attn_output = linear("attn_output", c.width, c.width);
    attn_output_norm = register_module("attn_output_norm", MakeNorm(c));
    ffn_up = linear("ffn_up", c.width, c.hidden);
    ffn_down = linear("ffn_down", c.hidden, c.width);
    layer_output_norm = register_module("layer_output_norm", MakeNorm(c));
  }

  torch::Tensor forward(torch::Tensor x, const RaggedRows& rows) {
    const auto drop = [&](const torch::Tensor& y) { return torch::dropout(y, c.dropout, is_training()); };
    const torch::Tensor attended = AttendTexts(attn_q->forward(x), attn_k->forward(x), attn_v->forward(x), rows,
                                               c.heads, is_training() ? c.dropout : 0.0);
    x = attn_output_norm->forward(x + drop(attn_output->forward(attended)));
    return layer_output_norm->forward(x + drop(ffn_down->forward(torch::gelu(ffn_up->forward(x)))));
  }

  fused::BlockWeights Weights() const {
    const auto of = [](const auto& m) { return fused::BlockWeights::Affine{m->weight, m->bias}; };
    return {.attn_norm = of(attn_output_norm),
            .q = of(attn_q),
            .k = of(attn_k),
            .v = of(attn_v),
            .output = of(attn_output),
            .ffn_norm = of(layer_output_norm),
            .gate = {},
            .up = of(ffn_up),
            .down = of(ffn_down)};
  }

  BertConfig c;
  std::shared_ptr<Linear> attn_q, attn_k, attn_v, attn_output, ffn_up, ffn_down;
  torch::nn::LayerNorm attn_output_norm{nullptr}, layer_output_norm{nullptr};
};

BertConfig ReadBertConfig(Table& config, const DataShape& shape) {
  BertConfig c;
  const StartShape& start = shape.start;
  c.start = start.file;
  if (start.width == 0) {
    c.vocabulary = shape.vocabulary;
    c.context = config.IntOr("context", std::max<int64_t>(c.context, shape.sequence_length), 2, 1 << 20);
    c.layers = config.IntOr("layers", c.layers, 1, 1000);
    c.width = config.IntOr("width", c.width, 2, 1 << 16);
    c.heads = config.IntOr("heads", c.heads, 1, 1 << 10);
    c.hidden = config.IntOr("hidden", 4 * c.width, 1, 1 << 18);
    c.norm_eps = config.DoubleOr("norm_eps", c.norm_eps, 1e-12, 0.1);
    if (c.width % c.heads != 0) config.Refuse("heads", Cat(c.heads, " does not divide the width ", c.width));
  } else {
    for (const char* key : {"context", "layers", "width", "heads", "hidden", "norm_eps"}) {
      if (config.Has(key)) config.Refuse(key, "the model that init names says this", "leave it out");
    }
    c.vocabulary = start.vocabulary;
    c.context = start.context;
    c.layers = start.layers;
    c.width = start.width;
    c.heads = start.heads;
    c.hidden = start.hidden;
    c.norm_eps = start.norm_eps;
    if (c.vocabulary != shape.vocabulary) {
      config.Refuse("init", Cat("the model has ", c.vocabulary, " tokens, the tokenizer ", shape.vocabulary));
    }
  }
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  const std::string padding = config.StringOr("padding", "removed");
  if (padding != "removed" && padding != "masked") {
    config.Refuse("padding", Cat(Quote(padding), " is neither removed nor masked"));
  }
  c.padded = padding == "masked";
  if (config.Has("rank")) {
    if (start.width == 0) config.Refuse("rank", "adapters stand beside an encoder that is trained", "init names it");
    if (config.Has("freeze"))
      config.Refuse("freeze", "beside adapters all of the encoder stays as it is", "leave it out");
    c.lora = ReadLora(config, kBertLayers, "lora_dropout");
    c.start = FindBase(config.String("init"), start);
  }
  c.frozen = config.IntOr("freeze", c.frozen, -1, c.layers);
  if (c.context < shape.sequence_length) {
    config.Refuse(start.width == 0 ? "context" : "init", Cat("a context of ", c.context, " is shorter than the data's ",
                                                             "sequences of ", shape.sequence_length));
  }
  return c;
}

BertEncoder::BertEncoder(const BertConfig& config) : TextEncoder(config) {
  if (config_.hidden == 0) config_.hidden = 4 * config_.width;
  const BertConfig& c = config_;
  const auto embedding = [&](const char* name, int64_t rows) {
    const auto e = register_module(name, torch::nn::Embedding(rows, c.width));
    torch::nn::init::normal_(e->weight, 0, kInitialDeviation);
    return e;
  };
  token_embd_ = embedding("token_embd", c.vocabulary);
  position_embd_ = embedding("position_embd", c.context);
  token_types_ = embedding("token_types", kTokenTypes);
  token_embd_norm_ = register_module("token_embd_norm", MakeNorm(c));
  const auto list = register_module("blk", std::make_shared<torch::nn::ModuleListImpl>());
  for (int64_t i = 0; i < c.layers; ++i) {
    layers_.push_back(std::make_shared<Layer>(c));
    list->push_back(layers_.back());
  }
  if (!c.start.empty()) LoadStart(c.start, *this);
  if (c.frozen < 0) return;
  for (const auto& item : named_parameters()) {
    const bool later = item.key().rfind("blk.", 0) == 0 && std::stoll(item.key().substr(4)) >= c.frozen;
    if (!later) item.value().set_requires_grad(false);
  }
}

torch::Tensor BertEncoder::FusedEncode(const torch::Tensor& ids, const torch::Tensor& positions,
                                       const RaggedRows& rows) {
  const BertConfig& c = config_;
  fused::BlockShape shape;
  shape.starts = rows.begins;
  shape.starts.push_back(ids.numel());
  shape.heads = shape.kv_heads = c.heads;
  shape.causal = false, shape.post = true;
  shape.norm_eps = c.norm_eps;
  shape.dropout = shape.attention_dropout = is_training() ? c.dropout : 0;
  torch::Tensor x = fused::Embed(token_embd_->weight, {}, ids) + fused::Embed(position_embd_->weight, {}, positions) +
                    fused::Embed(token_types_->weight, {}, torch::zeros_like(ids));
  x = fused::Norm(x, {token_embd_norm_->weight, token_embd_norm_->bias, false, c.norm_eps});
  x = torch::dropout(x, c.dropout, is_training());
  for (const auto& layer : layers_) x = fused::Block(x, layer->Weights(), shape);
  return x;
}

torch::Tensor BertEncoder::Encode(const Batch& batch, const RaggedRows& rows) {
  const torch::Tensor ids = rows.Take(batch.inputs);
  const torch::Tensor positions =
      rows.Take(torch::arange(rows.time, batch.inputs.options()).expand({rows.batch, rows.time}));
  const bool all_real = std::accumulate(rows.lengths.begin(), rows.lengths.end(), int64_t{0}) == ids.numel();
  if (fused::Enabled() && all_real && fused::FitsBlock(config_.width, config_.heads)) {
    return FusedEncode(ids, positions, rows);
  }
  torch::Tensor x = token_embd_->forward(ids) + position_embd_->forward(positions) + token_types_->weight[0];
  x = torch::dropout(token_embd_norm_->forward(x), config_.dropout, is_training());
  for (const auto& layer : layers_) x = layer->forward(x, rows);
  return x;
}

torch::Tensor TextEncoder::Mean(const torch::Tensor& x, const RaggedRows& rows) {
  const torch::Tensor lengths = torch::tensor(rows.lengths).to(x.device());
  const torch::Tensor real = RealPlaces(lengths, rows.time).unsqueeze(2);
  return (rows.Spread(x.to(torch::kFloat32)) * real).sum(1) / lengths.unsqueeze(1);
}

std::shared_ptr<TextEncoder> MakeEncoder(const BertConfig& config) {
  if (config.lora) return std::make_shared<AdaptedBert>(config);
  return std::make_shared<BertEncoder>(config);
}

}  // namespace atelier::model
