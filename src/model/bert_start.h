// Encoders that were trained elsewhere, as a beginning: GGUF files of the architecture `bert`.
#pragma once

#include <string>

#include "model/bert.h"

namespace atelier::model {

// What start->file says of the model's shape. Throws kUnsupported for another architecture, kCorrupt for a file that
// contradicts itself.
void ReadStart(StartShape* start);

// The file's tensors, as f32, into the parameters of the same names. Throws kCorrupt that names the tensor.
void LoadStart(const std::string& path, BertEncoder& encoder);

}  // namespace atelier::model
