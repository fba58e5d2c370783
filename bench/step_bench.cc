// Training steps as the trainer takes them (loss, gradients, their norm, AdamW), in the fused and in the plain form:
//   step_bench MODEL fused|bf16|f32 WEIGHTS [still]
// `still` switches dropout off. Two threads; shapes as in step_models.cc. Writes the first parameters to WEIGHTS; then,
// for each number on standard input, takes so many steps and prints what they took as a line of JSON, so that
// tools/bench_step.py can let it take turns with PyTorch on the same parameters and batches.
#include <torch/torch.h>

#include <chrono>
#include <cstdio>

#include "base/json.h"
#include "bench/processor_seconds.h"
#include "bench/step_models.h"
#include "model/autocast.h"
#include "model/fused/ops.h"
#include "model/model_file.h"
#include "train/arena.h"
#include "train/optimiser.h"

using namespace atelier;

namespace {

struct Stepped {
  train::Arena arena;
  std::unique_ptr<train::Optimiser> optimiser;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  const bench::StepModel* entry = bench::FindStepModel(argv[1]);
  if (entry == nullptr) return 2;
  const std::string how = argv[2];
  at::set_num_threads(2);
  torch::manual_seed(1);
  const std::shared_ptr<model::Model> model = entry->make();
  model::WriteModel(*model, {}, argv[3]);
  model->train(argc == 4);
  std::vector<Stepped> parts;
  for (const model::Part& part : model->Parts()) {
    train::Arena arena(*model, part);
    auto optimiser = train::MakeOptimiser(entry->optimiser, arena);
    parts.push_back({std::move(arena), std::move(optimiser)});
  }
  model::fused::SetEnabled(how == "fused");
  int64_t done = 0, steps = 0;
  while (std::scanf("%ld", &steps) == 1) {
    std::vector<double> wall, processor, losses;
    for (int64_t i = 0; i < steps; ++i) {
      torch::manual_seed(1000 + done++);  // PyTorch draws the same
      const model::Batch batch = entry->draw();
      const auto start = std::chrono::steady_clock::now();
      const double before = bench::ProcessorSeconds();
      double loss = 0;
      for (size_t part = 0; part < parts.size(); ++part) {
        for (size_t other = 0; other < parts.size() && parts.size() > 1; ++other)
          parts[other].arena.Learn(other == part);
        const model::Loss computed = [&] {
          const model::Autocast autocast(how != "f32");
          return model->ComputeLoss(batch, part, {});
        }();
        computed.Backward();
        const double norm = train::GradientNorm(parts[part].arena);
        parts[part].optimiser->Step(entry->optimiser.rate, entry->clip ? std::min(1.0, 1 / (norm + 1e-6)) : 1.0);
        loss += computed.value.item<double>();
      }
      losses.push_back(loss);
      wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      processor.push_back(bench::ProcessorSeconds() - before);
    }
    const Json line = {{"wall", wall}, {"processor", processor}, {"losses", losses}};
    std::printf("%s\n", ToText(line).c_str());
    std::fflush(stdout);
  }
}
