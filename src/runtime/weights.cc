#include "runtime/weights.h"

#include "base/str.h"
#include "runtime/tensor_loader.h"

namespace atelier::runtime {

DecoderWeights LoadWeights(std::shared_ptr<const artefact::GgufFile> file, const DecoderSpec& spec, ThreadPool* pool) {
  DecoderWeights w;
  w.file = file;
  TensorLoader load(*file, pool);
  const artefact::TensorInfo& embedding = load.Shaped("token_embd.weight", spec.width, spec.vocab);
  w.embedding = embedding.data;
  w.embedding_format = FormatOf(embedding.type);
  const int64_t query_rows = spec.heads * spec.head_dim, kv_rows = spec.kv_heads * spec.head_dim;
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const auto name = [&](std::string_view part) { return Cat("blk.", i, ".", part); };
    LayerWeights layer;
    layer.attention_norm = load.Vector(name("attn_norm.weight"), spec.width);
    layer.ffn_norm = load.Vector(name("ffn_norm.weight"), spec.width);
    if (spec.post_norms) {
      layer.post_attention_norm = load.Vector(name("post_attention_norm.weight"), spec.width);
      layer.post_ffn_norm = load.Vector(name("post_ffw_norm.weight"), spec.width);
    }
    if (spec.qk_norm) {
      layer.query_norm = load.Vector(name("attn_q_norm.weight"), spec.head_dim);
      layer.key_norm = load.Vector(name("attn_k_norm.weight"), spec.head_dim);
    }
    if (spec.qkv_bias) {
      layer.query_bias = load.Vector(name("attn_q.bias"), query_rows);
      layer.key_bias = load.Vector(name("attn_k.bias"), kv_rows);
      layer.value_bias = load.Vector(name("attn_v.bias"), kv_rows);
    } else if (spec.optional_bias) {
      layer.query_bias = load.OptionalVector(name("attn_q.bias"), query_rows);
      layer.key_bias = load.OptionalVector(name("attn_k.bias"), kv_rows);
      layer.value_bias = load.OptionalVector(name("attn_v.bias"), kv_rows);
    }
    layer.query = load.Matrix(name("attn_q.weight"), query_rows, spec.width);
    layer.key = load.Matrix(name("attn_k.weight"), kv_rows, spec.width);
    layer.value = load.Matrix(name("attn_v.weight"), kv_rows, spec.width);
    layer.output = load.Matrix(name("attn_output.weight"), spec.width, query_rows);
    layer.gate = load.Matrix(name("ffn_gate.weight"), spec.hidden, spec.width);
    layer.up = load.Matrix(name("ffn_up.weight"), spec.hidden, spec.width);
    layer.down = load.Matrix(name("ffn_down.weight"), spec.width, spec.hidden);
    w.layers.push_back(std::move(layer));
  }
  w.output_norm = load.Vector("output_norm.weight", spec.width);
  const bool tied = file->Find("output.weight") == nullptr;
  w.head = load.Matrix(tied ? "token_embd.weight" : "output.weight", spec.vocab, spec.width);
  w.all_f32 = load.all_f32();
  w.bytes = load.bytes();
  return w;
}

}  // namespace atelier::runtime
