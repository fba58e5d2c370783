// atelier-learn export --model FILE.safetensors --out FILE: the model alone, as GGUF where the engine can run it (a
// GPT, and the name ends so), else as a model file.
#include <torch/torch.h>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/str.h"
#include "model/gpt_export.h"
#include "model/model_file.h"
#include "train/examples.h"

namespace atelier::learn {

int Export(const Options& options, const std::atomic<bool>&) {
  const model::OpenedModel opened = model::OpenModel(options.at("model"));
  const std::string& out = options.at("out");
  if (out.ends_with(".gguf")) {
    const auto* gpt = dynamic_cast<const model::Gpt*>(opened.model.get());
    if (gpt == nullptr) {
      throw Error(Code::kUnsupported, Cat("no engine runs ", opened.architecture->name, " as GGUF"),
                  "name the file .safetensors");
    }
    // Each text of its training began with the mark, so those that it goes on with have to.
    text::TokenizerSpec spec = opened.tokenizer_spec;
    if (const int64_t begin = train::FindSpecialIds(*opened.tokenizer).begin; begin >= 0) {
      spec.bos = static_cast<text::TokenId>(begin);
      spec.add_bos = true;
    }
    model::ExportGguf(*gpt, spec, {Given(options, "name"), Given(options, "licence"), "", options.contains("f16")},
                      out);
  } else {
    model::WriteModel(*opened.model, opened.about, out);
  }
  Tell("done", {{"path", out}});
  return 0;
}

}  // namespace atelier::learn
