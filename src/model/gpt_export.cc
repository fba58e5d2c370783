#include "model/gpt_export.h"

#include "artefact/gguf_writer.h"
#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/str.h"

namespace atelier::model {
void ExportGguf(const Gpt& model, const text::TokenizerSpec& spec, const ExportOptions& options,
                const std::string& path) {
  const GptConfig& c = model.config();
  if (!c.llama) {
    throw Error(Code::kUnsupported, "a model of the form gpt2 has no counterpart in the engine",
                "train with model.form = \"llama\"");
  }
  if (static_cast<int64_t>(spec.tokens.size()) != c.vocabulary) {
    throw Error(Code::kInvalidInput,
                Cat("the tokenizer has ", spec.tokens.size(), " tokens, the model ", c.vocabulary));
  }
  artefact::GgufWriter writer;
  writer.Set("general.architecture", "llama");
  writer.Set("general.name", options.name);
  if (!options.licence.empty()) writer.Set("general.license", options.licence);
  if (!options.description.empty()) writer.Set("general.description", options.description);
  writer.Set("general.file_type", uint32_t{options.f16 ? 1u : 0u});
  const auto number = [&](const char* key, int64_t value) {
    writer.Set(Cat("llama.", key), static_cast<uint32_t>(value));
  };
  number("context_length", c.context);
  number("embedding_length", c.width);
  number("block_count", c.layers);
  number("feed_forward_length", c.hidden);
  number("attention.head_count", c.heads);
  number("attention.head_count_kv", c.kv_heads);
  number("rope.dimension_count", c.width / c.heads);
  number("vocab_size", c.vocabulary);
  writer.Set("llama.rope.freq_base", static_cast<float>(c.rope_base));
  writer.Set("llama.attention.layer_norm_rms_epsilon", static_cast<float>(c.norm_eps));
  artefact::WriteTokenizerToGguf(spec, writer);

  std::vector<torch::Tensor> kept;  // what the writer points into
  for (const auto& item : model.named_parameters()) {
    const torch::Tensor& p = item.value();
    const bool half = options.f16 && p.dim() >= 2;
    kept.push_back(p.detach().to(half ? torch::kFloat16 : torch::kFloat32).cpu().contiguous());
    const torch::Tensor& t = kept.back();
    std::vector<int64_t> shape(t.sizes().rbegin(), t.sizes().rend());
    writer.AddTensor(item.key(), half ? artefact::TensorType::kF16 : artefact::TensorType::kF32, std::move(shape),
                     {static_cast<const char*>(t.data_ptr()), t.nbytes()});
  }
  writer.Write(path);
}

}  // namespace atelier::model
