// Steps of tuning as the trainer takes them, an adapter of rank 16 at all linear layers of a model's file:
//   tune_bench MODEL.gguf sft|dpo fused|bf16
// Two threads, 4 rows (sft) or pairs (dpo) of 256 random tokens after prompts of 64. For each number on standard input
// it takes so many steps and prints what they took as a line of JSON, as step_bench does: tools/bench_tune.py lets it
// take turns with Hugging Face's PEFT.
#include <torch/torch.h>

#include <chrono>
#include <cstdio>

#include "base/file.h"
#include "base/json.h"
#include "bench/processor_seconds.h"
#include "model/autocast.h"
#include "model/fused/ops.h"
#include "model/pretrained.h"
#include "train/arena.h"
#include "train/optimiser.h"

using namespace atelier;

namespace {

constexpr int64_t kRows = 4, kTokens = 256, kPrompt = 64;

// The most memory that was resident, in MiB.
int64_t PeakMib() {
  const std::string status = ReadFile("/proc/self/status");
  return std::strtoll(status.c_str() + status.find("VmHWM:") + 6, nullptr, 10) / 1024;
}

model::Batch Draw(int64_t vocabulary, bool pairs) {
  torch::Tensor ids = torch::randint(vocabulary, {kRows, kTokens + 1});
  if (pairs) {
    const torch::Tensor other = torch::randint(vocabulary, {kRows, kTokens + 1 - kPrompt});
    ids = torch::cat({ids, torch::cat({ids.narrow(1, 0, kPrompt), other}, 1)});
  }
  model::Batch batch;
  batch.inputs = ids.narrow(1, 0, kTokens).contiguous();
  batch.targets = ids.narrow(1, 1, kTokens).clone();
  batch.targets.narrow(1, 0, kPrompt - 1).fill_(model::kIgnored);
  batch.lengths = torch::full({ids.size(0)}, kTokens, torch::kInt64);
  return batch;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  at::set_num_threads(2);
  torch::manual_seed(1);
  Table table = Table::Parse(std::string("objective = \"") + argv[2] + "\"", "objective");
  const model::ObjectiveConfig objective = model::ReadObjective(table);
  model::Pretrained model(artefact::GgufFile::Open(argv[1]), {}, objective);
  train::Arena arena(model, model.Parts()[0]);
  const train::OptimiserSettings settings{.name = "adamw", .rate = 2e-4, .weight_decay = 0};
  const auto optimiser = train::MakeOptimiser(settings, arena);
  model::fused::SetEnabled(std::string(argv[3]) == "fused");
  int64_t done = 0, steps = 0;
  while (std::scanf("%ld", &steps) == 1) {
    std::vector<double> wall, processor, losses;
    for (int64_t i = 0; i < steps; ++i) {
      torch::manual_seed(1000 + done++);
      const model::Batch batch = Draw(model.spec().vocab, objective.data() == model::DataKind::kPreferences);
      const auto start = std::chrono::steady_clock::now();
      const double before = bench::ProcessorSeconds();
      const model::Loss loss = [&] {
        const model::Autocast autocast(true);
        return model.ComputeLoss(batch, 0, {});
      }();
      loss.Backward();
      optimiser->Step(settings.rate, std::min(1.0, 1 / (train::GradientNorm(arena) + 1e-6)));
      losses.push_back(loss.value.item<double>());
      wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      processor.push_back(bench::ProcessorSeconds() - before);
    }
    const Json line = {{"wall", wall}, {"processor", processor}, {"losses", losses}, {"memory_mib", PeakMib()}};
    std::printf("%s\n", ToText(line).c_str());
    std::fflush(stdout);
  }
}
