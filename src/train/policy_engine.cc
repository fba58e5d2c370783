#include "train/policy_engine.h"

#include <ATen/Parallel.h>

#include "runtime/local_generator.h"

namespace atelier::train {

std::shared_ptr<artefact::Generator> PolicyEngine::With(const artefact::Adapter& adapter) {
  if (base_ == nullptr)
    base_ = runtime::LoadGenerator(file_, "", "", {.threads = at::get_num_threads(), .limits = {.queue = 1 << 20}});
  return runtime::WithAdapter(base_, adapter, "policy");
}

}  // namespace atelier::train
