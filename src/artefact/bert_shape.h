// What GGUF says of a BERT encoder, whatever file it is made from.
#pragma once

#include <cstdint>

#include "artefact/gguf_writer.h"

namespace atelier::artefact {

struct BertShape {
  int64_t width = 0, layers = 0, heads = 0, hidden = 0, vocabulary = 0, positions = 0, types = 0;
  float eps = 0;
};

// Sets the keys bert.*: every token sees every other, and a text's vector is the mean over its tokens.
void SetBert(const BertShape& shape, GgufWriter* out);

}  // namespace atelier::artefact
