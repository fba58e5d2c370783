// atelier-learn export --model FILE.safetensors --out FILE [--peft FOLDER]: the model alone, as GGUF where the engine
// can run it (a GPT, or an encoder that choices taught, without what led it; and the name ends so), else as a model
// file; of a tuned decoder its adapter, as GGUF and for PEFT.
#include <torch/torch.h>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/str.h"
#include "model/bert_ranker.h"
#include "model/gpt_export.h"
#include "model/model_file.h"
#include "model/pretrained.h"
#include "runtime/merge.h"
#include "train/examples.h"

namespace atelier::learn {

int Export(const Options& options, const std::atomic<bool>&) {
  const model::OpenedModel opened = model::OpenModel(options.at("model"));
  const std::string& out = options.at("out");
  if (const auto* tuned = dynamic_cast<const model::Pretrained*>(opened.model.get())) {
    artefact::Adapter adapter = tuned->ToAdapter();
    adapter.name = Given(options, "name");
    adapter.base = Given(options, "base");
    if (options.contains("licence")) adapter.licence = options.at("licence");
    artefact::WriteAdapterGguf(adapter, out);
    // Hugging Face's rows of q and k lie otherwise where GGUF's turn in pairs.
    const runtime::DecoderSpec& spec = tuned->spec();
    if (options.contains("peft")) {
      artefact::WriteAdapterPeft(adapter, spec.ropes[0].interleaved ? spec.head_dim : 0, options.at("peft"));
    }
    Tell("done", {{"path", out}});
    return 0;
  }
  if (const auto* ranker = dynamic_cast<const model::BertRanker*>(opened.model.get());
      ranker && out.ends_with(".gguf")) {
    runtime::MergeAdapter(*ranker->base(), ranker->ToAdapter(),
                          {.format = kernel::Format::kF16, .name = Given(options, "name")}, out);
    Tell("done", {{"path", out}});
    return 0;
  }
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
