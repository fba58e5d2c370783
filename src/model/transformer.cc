#include "model/transformer.h"

#include <cmath>
#include <limits>

#include "base/str.h"

namespace atelier::model {
namespace {

std::shared_ptr<Linear> Glorot(torch::nn::Module* owner, const char* name, int64_t in, int64_t out) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(in + out));
  return owner->register_module(name, std::make_shared<Linear>(in, out, true, deviation));
}

// Rows `begin` ... of the table of sines, [time, width].
torch::Tensor Sinusoids(int64_t begin, int64_t time, int64_t width, torch::Device device) {
  const torch::Tensor i = torch::arange(0, width, 2, torch::kFloat64);
  const torch::Tensor t = torch::arange(begin, begin + time, torch::kFloat64).unsqueeze(1);
  const torch::Tensor angles = t * torch::pow(10000.0, -i / static_cast<double>(width));
  return torch::stack({angles.sin(), angles.cos()}, -1).flatten(1).to(device, torch::kFloat32);
}

}  // namespace

// Queries, keys and values of several heads: [rows, time, width] -> [rows, heads, time, head].
struct Transformer::Attention : torch::nn::Module {
  Attention(int64_t width, int64_t count) : heads(count) {
    q = Glorot(this, "q", width, width);
    k = Glorot(this, "k", width, width);
    v = Glorot(this, "v", width, width);
    output = Glorot(this, "output", width, width);
  }
  torch::Tensor Heads(const Linear& product, const torch::Tensor& x) const {
    return product.forward(x).unflatten(-1, {heads, -1}).transpose(1, 2);
  }
  // `seen` [rows, 1, 1, key time]: true where attention may go; undefined: everywhere. Of `causal` queries none sees
  // what comes after it.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& keys, const torch::Tensor& values,
                        const torch::Tensor& seen, bool causal) const {
    std::optional<torch::Tensor> mask;
    if (seen.defined()) mask = seen;
    const torch::Tensor y = torch::scaled_dot_product_attention(Heads(*q, x), keys, values, mask, 0.0, causal);
    return output->forward(y.transpose(1, 2).flatten(2));
  }
  // Where it goes, the mean over heads: [rows, time, key time].
  torch::Tensor Weights(const torch::Tensor& x, const torch::Tensor& keys, const torch::Tensor& seen) const {
    const double scale = 1 / std::sqrt(static_cast<double>(keys.size(-1)));
    const torch::Tensor scores = torch::matmul(Heads(*q, x), keys.transpose(-2, -1)).to(torch::kFloat32) * scale;
    return scores.masked_fill(seen.logical_not(), -std::numeric_limits<float>::infinity()).softmax(-1).mean(1);
  }
  int64_t heads;
  std::shared_ptr<Linear> q, k, v, output;
};

struct Transformer::Block : torch::nn::Module {
  Block(const TransformerConfig& config, bool decodes) : c(config) {
    const auto norm = [&](const char* name) {
      return register_module(name, torch::nn::LayerNorm(torch::nn::LayerNormOptions({c.width})));
    };
    self = register_module("attn", std::make_shared<Attention>(c.width, c.heads));
    self_norm = norm("attn_norm");
    if (decodes) {
      cross = register_module("cross", std::make_shared<Attention>(c.width, c.heads));
      cross_norm = norm("cross_norm");
    }
    up = Glorot(this, "ffn_up", c.width, c.hidden);
    down = Glorot(this, "ffn_down", c.hidden, c.width);
    ffn_norm = norm("ffn_norm");
  }

  // Sub of the header.
  template <typename F>
  torch::Tensor Sub(torch::nn::LayerNorm& norm, const torch::Tensor& x, const F& f) {
    if (c.pre_norm) return x + torch::dropout(f(norm->forward(x)), c.dropout, is_training());
    return norm->forward(x + torch::dropout(f(x), c.dropout, is_training()));
  }
  torch::Tensor FeedForward(const torch::Tensor& x) {
    return Sub(ffn_norm, x, [&](const torch::Tensor& y) { return down->forward(torch::relu(up->forward(y))); });
  }
  torch::Tensor Encode(const torch::Tensor& x, const torch::Tensor& seen) {
    return FeedForward(Sub(self_norm, x, [&](const torch::Tensor& y) {
      return self->forward(y, self->Heads(*self->k, y), self->Heads(*self->v, y), seen, false);
    }));
  }
  // `past`: keys and values of the tokens before those of x, to which theirs are added. `attention`, where asked for,
  // becomes that to the memory.
  torch::Tensor Decode(torch::Tensor x, torch::Tensor* past_keys, torch::Tensor* past_values,
                       const torch::Tensor& memory_keys, const torch::Tensor& memory_values, const torch::Tensor& seen,
                       torch::Tensor* attention) {
    x = Sub(self_norm, x, [&](const torch::Tensor& y) {
      const torch::Tensor k = self->Heads(*self->k, y), v = self->Heads(*self->v, y);
      const bool first = !past_keys->defined();
      *past_keys = first ? k : torch::cat({*past_keys, k}, 2);
      *past_values = first ? v : torch::cat({*past_values, v}, 2);
      return self->forward(y, *past_keys, *past_values, {}, /*causal=*/x.size(1) > 1);
    });
    x = Sub(cross_norm, x, [&](const torch::Tensor& y) {
      if (attention != nullptr) *attention = cross->Weights(y, memory_keys, seen);
      return cross->forward(y, memory_keys, memory_values, seen, false);
    });
    return FeedForward(x);
  }

  TransformerConfig c;
  std::shared_ptr<Attention> self, cross;
  torch::nn::LayerNorm self_norm{nullptr}, cross_norm{nullptr}, ffn_norm{nullptr};
  std::shared_ptr<Linear> up, down;
};

TransformerConfig ReadTransformerConfig(Table& config, const DataShape& shape) {
  TransformerConfig c;
  c.source_vocabulary = shape.source_vocabulary;
  c.vocabulary = shape.vocabulary;
  const int64_t layers = config.IntOr("layers", c.encoder_layers, 1, 1000);
  c.encoder_layers = config.IntOr("encoder_layers", layers, 1, 1000);
  c.decoder_layers = config.IntOr("decoder_layers", layers, 1, 1000);
  c.width = config.IntOr("width", c.width, 2, 1 << 16);
  c.heads = config.IntOr("heads", c.heads, 1, 1 << 10);
  c.hidden = config.IntOr("hidden", 4 * c.width, 1, 1 << 18);
  const std::string norm = config.StringOr("norm", "pre"), positions = config.StringOr("positions", "sinusoidal");
  if (norm != "pre" && norm != "post") config.Refuse("norm", Cat(Quote(norm), " is no place of a norm"), "pre or post");
  if (positions != "sinusoidal" && positions != "learned") {
    config.Refuse("positions", Cat(Quote(positions), " are no positions"), "sinusoidal or learned");
  }
  c.pre_norm = norm == "pre";
  c.learned = positions == "learned";
  if (c.learned) c.context = config.IntOr("context", shape.sequence_length, 1, 1 << 20);
  c.tied = config.BoolOr("tied", c.tied);
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  if (c.width % c.heads != 0) config.Refuse("heads", Cat(c.heads, " does not divide the width ", c.width));
  if (!c.learned && c.width % 2 != 0) config.Refuse("width", "sines and cosines want an even width");
  if (c.learned && c.context < shape.sequence_length) {
    config.Refuse("context", Cat(c.context, " is shorter than the data's sequences of ", shape.sequence_length));
  }
  return c;
}

Transformer::Transformer(const TransformerConfig& config) : config_(config) {
  if (config_.hidden == 0) config_.hidden = 4 * config_.width;
  const TransformerConfig& c = config_;
  const double deviation = 1 / std::sqrt(static_cast<double>(c.width));
  const auto embedding = [&](const char* name, int64_t rows) {
    torch::nn::Embedding e = register_module(name, torch::nn::Embedding(rows, c.width));
    torch::nn::init::normal_(e->weight, 0, deviation);
    return e;
  };
  source_embd_ = embedding("source_embd", c.source_vocabulary);
  token_embd_ = embedding("token_embd", c.vocabulary);
  if (c.learned) {
    source_position_ = embedding("source_position", c.context);
    token_position_ = embedding("token_position", c.context);
  }
  const auto stack = [&](const char* name, int64_t layers, bool decodes, std::vector<std::shared_ptr<Block>>* blocks) {
    const auto list = register_module(name, std::make_shared<torch::nn::ModuleListImpl>());
    for (int64_t i = 0; i < layers; ++i) list->push_back(blocks->emplace_back(std::make_shared<Block>(c, decodes)));
  };
  stack("encoder", c.encoder_layers, false, &encoder_);
  stack("decoder", c.decoder_layers, true, &decoder_);
  if (c.pre_norm) {
    const torch::nn::LayerNormOptions options({c.width});
    encoder_norm_ = register_module("encoder_norm", torch::nn::LayerNorm(options));
    decoder_norm_ = register_module("decoder_norm", torch::nn::LayerNorm(options));
  }
  output_ = register_module("output", std::make_shared<Head>(c.width, c.vocabulary, deviation,
                                                             c.tied ? token_embd_->weight : torch::Tensor()));
}

torch::Tensor Transformer::Embed(const torch::nn::Embedding& embedding, const torch::nn::Embedding& positions,
                                 const torch::Tensor& ids, int64_t begin) {
  const int64_t time = ids.size(1);
  const torch::Tensor where =
      config_.learned ? positions->weight.narrow(0, begin, time) : Sinusoids(begin, time, config_.width, ids.device());
  const torch::Tensor x = torch::embedding(embedding->weight, ids) * std::sqrt(static_cast<double>(config_.width));
  return torch::dropout(x + where, config_.dropout, is_training());
}

// The source: keys and values of the memory for each layer of the decoder, then where attention may go. The past: keys
// and values of the target for each layer.
DecoderState Transformer::Encode(const torch::Tensor& source, const torch::Tensor& lengths) {
  const torch::Tensor seen = Behind(lengths, source.size(1)).logical_not().unsqueeze(1).unsqueeze(1);
  torch::Tensor memory = Embed(source_embd_, source_position_, source, 0);
  for (const auto& block : encoder_) memory = block->Encode(memory, seen);
  if (config_.pre_norm) memory = encoder_norm_->forward(memory);
  DecoderState state;
  for (const auto& block : decoder_) {
    state.source.push_back(block->cross->Heads(*block->cross->k, memory));
    state.source.push_back(block->cross->Heads(*block->cross->v, memory));
  }
  state.source.push_back(seen);
  return state;
}

torch::Tensor Transformer::Decode(torch::Tensor x, DecoderState* state, torch::Tensor* attention) {
  state->past.resize(2 * decoder_.size());
  for (size_t i = 0; i < decoder_.size(); ++i) {
    x = decoder_[i]->Decode(x, &state->past[2 * i], &state->past[2 * i + 1], state->source[2 * i],
                            state->source[2 * i + 1], state->source.back(),
                            i + 1 == decoder_.size() ? attention : nullptr);
  }
  return config_.pre_norm ? decoder_norm_->forward(x) : x;
}

torch::Tensor Transformer::Logits(const Batch& batch) {
  DecoderState state = Encode(batch.source, batch.source_lengths);
  return output_->forward(Decode(Embed(token_embd_, token_position_, batch.inputs, 0), &state, nullptr));
}

DecoderStep Transformer::Step(const torch::Tensor& previous, DecoderState* state) {
  const int64_t time = state->past.empty() ? 0 : state->past[0].size(2);
  torch::Tensor attention;
  const torch::Tensor x = Embed(token_embd_, token_position_, previous.unsqueeze(1), time);
  const torch::Tensor y = Decode(x, state, &attention);
  return {output_->forward(y.squeeze(1)).to(torch::kFloat32), attention.squeeze(1)};
}

std::shared_ptr<Model> MakeTransformer(Table& config, const DataShape& shape) {
  return std::make_shared<Transformer>(ReadTransformerConfig(config, shape));
}

}  // namespace atelier::model
