#include "artefact/bert_shape.h"

#include "base/str.h"

namespace atelier::artefact {

void SetBert(const BertShape& shape, GgufWriter* out) {
  const auto key = [](std::string_view last) { return Cat("bert.", last); };
  out->Set(key("block_count"), static_cast<uint32_t>(shape.layers));
  out->Set(key("context_length"), static_cast<uint32_t>(shape.positions));
  out->Set(key("embedding_length"), static_cast<uint32_t>(shape.width));
  out->Set(key("feed_forward_length"), static_cast<uint32_t>(shape.hidden));
  out->Set(key("attention.head_count"), static_cast<uint32_t>(shape.heads));
  out->Set(key("attention.layer_norm_epsilon"), shape.eps);
  out->Set(key("attention.causal"), false);
  out->Set(key("pooling_type"), uint32_t{1});
}

}  // namespace atelier::artefact
