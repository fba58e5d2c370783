// atelier-learn export --run DIR --out FILE.gguf
#include <torch/torch.h>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "model/gpt_export.h"
#include "train/run.h"
#include "train/trainer.h"

namespace atelier::learn {

int Export(const Options& options, const std::atomic<bool>&) {
  const std::string& folder = options.at("run");
  const auto given = [&](const char* name, std::string otherwise) {
    const auto it = options.find(name);
    return it == options.end() ? otherwise : it->second;
  };
  const train::Checkpoint checkpoint = train::Checkpoint::Load(
      Cat(folder, "/", given("checkpoint", FileExists(Cat(folder, "/best.safetensors")) ? "best" : "last"),
          ".safetensors"));
  train::Run run = train::PrepareRun(checkpoint.config, Cat(folder, "/config.toml"), given("datasets", ""));
  const torch::NoGradGuard no_gradient;
  for (const auto& item : run.model->named_parameters()) {
    torch::Tensor p = item.value();
    p.copy_(checkpoint.tensors.at(Cat("model/", item.key())));
  }
  const auto* gpt = dynamic_cast<const model::Gpt*>(run.model.get());
  if (gpt == nullptr) throw Error(Code::kUnsupported, Cat("no GGUF export for ", run.architecture->name));
  model::ExportGguf(*gpt, run.tokenizer_spec,
                    {given("name", "trained"), given("licence", ""), "", options.contains("f16")}, options.at("out"));
  Tell("done", {{"path", options.at("out")}});
  return 0;
}

}  // namespace atelier::learn
