// Training steps of a GPT, as the trainer runs them (loss, gradients, norm, AdamW), in the fused and in the plain form:
//   gpt_bench [llama|gpt2] [fused|bf16|f32] [steps]
// 6 layers of width 256, vocabulary 8192, 16 sequences of 256 tokens, two threads. Prints medians of wall clock and of
// processor time as JSON; tools/bench_gpt.py runs it beside PyTorch.
#include <ATen/autocast_mode.h>
#include <sys/resource.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdio>

#include "model/fused/ops.h"
#include "model/gpt.h"
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

double Median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::string form = argc > 1 ? argv[1] : "llama", how = argc > 2 ? argv[2] : "fused";
  const int steps = argc > 3 ? std::atoi(argv[3]) : 10;
  at::set_num_threads(2);
  torch::manual_seed(1);
  model::GptConfig config;
  config.llama = form == "llama";
  config.vocabulary = 8192, config.context = 256, config.layers = 6, config.width = 256, config.heads = 4;
  model::Gpt gpt(config);
  gpt.train();
  train::Arena arena(gpt, {"model", {}});
  train::OptimiserSettings settings;
  settings.name = "adamw", settings.rate = 3e-4, settings.weight_decay = 0.1;
  const auto optimiser = train::MakeOptimiser(settings, arena);
  model::Batch batch;
  batch.inputs = torch::randint(8192, {16, 256}, torch::kInt64);
  batch.targets = torch::randint(8192, {16, 256}, torch::kInt64);
  model::fused::SetEnabled(how == "fused");
  std::vector<double> wall, processor;
  double loss = 0;
  for (int step = 0; step < steps + 2; ++step) {
    const auto start = std::chrono::steady_clock::now();
    const double before = ProcessorSeconds();
    torch::Tensor value;
    if (how != "f32") {
      at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
      at::autocast::set_autocast_enabled(at::kCPU, true);
    }
    value = gpt.ComputeLoss(batch, 0, {}).value;
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    value.backward();
    const double norm = train::GradientNorm(arena);
    optimiser->Step(settings.rate, std::min(1.0, 1 / (norm + 1e-6)));
    loss = value.item<double>();
    if (step < 2) continue;
    wall.push_back(1e3 * std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    processor.push_back(1e3 * (ProcessorSeconds() - before));
  }
  std::printf("{\"form\": \"%s\", \"how\": \"%s\", \"wall_ms\": %.1f, \"processor_ms\": %.1f, \"loss\": %.4f}\n",
              form.c_str(), how.c_str(), Median(wall), Median(processor), loss);
}
