// torch's tensors as safetensors has them, and back.
#pragma once

#include <torch/torch.h>

#include <string>

#include "artefact/safetensors.h"

namespace atelier::model {

// A copy. Throws kCorrupt for a type that nothing here writes.
torch::Tensor ToTensor(const artefact::SafeTensor& tensor);

// `tensor` is on the CPU, without gaps, of a type that ToTensor reads; its bytes must stay until the writer has
// written.
void AddTensor(const std::string& name, const torch::Tensor& tensor, artefact::SafetensorsWriter* writer);

}  // namespace atelier::model
