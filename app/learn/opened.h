// The model that a command is asked for: --model FILE.safetensors, or --run DIR, whose best checkpoint it is.
#pragma once

#include "app/learn/command.h"
#include "model/model_file.h"

namespace atelier::learn {

model::OpenedModel OpenAsked(const Options& options);

}  // namespace atelier::learn
