// Training steps of a GPT, as the trainer runs them (loss, gradients, norm, AdamW), in the fused and in the plain form:
//   gpt_bench llama|gpt2 fused|bf16|f32 WEIGHTS
// 6 layers of width 256, vocabulary 8192, 16 sequences of 256 tokens, two threads. Writes its first parameters to
// WEIGHTS; then, for each number on standard input, does so many steps and prints what they took as a line of JSON, so
// that tools/bench_gpt.py can let it take turns with PyTorch on the same parameters and batches.
#include <ATen/autocast_mode.h>
#include <sys/resource.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>

#include "base/json.h"
#include "model/fused/ops.h"
#include "model/gpt.h"
#include "model/model_file.h"
#include "train/arena.h"
#include "train/optimiser.h"

using namespace atelier;

namespace {

double ProcessorSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string form = argv[1], how = argv[2];
  at::set_num_threads(2);
  torch::manual_seed(1);
  model::GptConfig config;
  config.llama = form == "llama";
  config.vocabulary = 8192, config.context = 256, config.layers = 6, config.width = 256, config.heads = 4;
  model::Gpt gpt(config);
  model::WriteModel(gpt, {}, argv[3]);
  gpt.train();
  train::Arena arena(gpt, {"model", {}});
  train::OptimiserSettings settings;
  settings.name = "adamw", settings.rate = 3e-4, settings.weight_decay = 0.1;
  const auto optimiser = train::MakeOptimiser(settings, arena);
  model::fused::SetEnabled(how == "fused");
  int64_t done = 0, steps = 0;
  while (std::scanf("%ld", &steps) == 1) {
    std::vector<double> wall, processor, losses;
    for (int64_t i = 0; i < steps; ++i) {
      torch::manual_seed(1000 + done++);  // PyTorch draws the same
      model::Batch batch;
      batch.inputs = torch::randint(8192, {16, 256}, torch::kInt64);
      batch.targets = (batch.inputs * 31 + 7).remainder(8192);  // something that can be learned
      const auto start = std::chrono::steady_clock::now();
      const double before = ProcessorSeconds();
      if (how != "f32") {
        at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
        at::autocast::set_autocast_enabled(at::kCPU, true);
      }
      const torch::Tensor value = gpt.ComputeLoss(batch, 0, {}).value;
      at::autocast::clear_cache();
      at::autocast::set_autocast_enabled(at::kCPU, false);
      value.backward();
      const double norm = train::GradientNorm(arena);
      optimiser->Step(settings.rate, std::min(1.0, 1 / (norm + 1e-6)));
      losses.push_back(value.item<double>());
      wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      processor.push_back(ProcessorSeconds() - before);
    }
    const Json line = {{"wall", wall}, {"processor", processor}, {"losses", losses}};
    std::printf("%s\n", ToText(line).c_str());
    std::fflush(stdout);
  }
}
