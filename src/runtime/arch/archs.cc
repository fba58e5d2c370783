// The visible list of architectures, and what their files have in common.
#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "runtime/arch/arch.h"

namespace atelier::runtime {

std::span<const ArchEntry> AllArchs() {
  static constexpr ArchEntry kArchs[] = {
      {"llama", "Llama 1-3, Mistral, SmolLM2, TinyLlama", ReadLlama},
      {"qwen2", "Qwen2, Qwen2.5", ReadQwen2},
      {"qwen3", "Qwen3 (dense)", ReadQwen3},
      {"gemma3", "Gemma 3 (text)", ReadGemma3},
  };
  return kArchs;
}

std::string Key(const artefact::GgufFile& file, std::string_view name) {
  return Cat(file.String("general.architecture"), ".", name);
}

DecoderSpec ReadSpec(const artefact::GgufFile& file) {
  const std::string_view name = file.String("general.architecture");
  std::vector<std::string> known;
  for (const ArchEntry& entry : AllArchs()) {
    if (entry.name == name) {
      // Mixtures of experts carry their dense sibling's name but not its shape.
      if (file.IntOr(Key(file, "expert_count"), 0) > 0) {
        throw Error(Code::kUnsupported, Cat(file.path(), ": a mixture of experts is not supported"));
      }
      return entry.read(file);
    }
    known.emplace_back(entry.name);
  }
  if (IsEncoder(name)) {
    throw Error(Code::kUnsupported, Cat(file.path(), ": an encoder (", name, ") makes embeddings and writes no text"),
                "`atelier embed` and /v1/embeddings use it");
  }
  throw Error(Code::kUnsupported, Cat(file.path(), ": the architecture ", Quote(name), " is not supported"),
              Cat("supported: ", Join(known, ", ")));
}

namespace {

RopeSpec ReadRope(const artefact::GgufFile& file, int64_t head_dim) {
  RopeSpec rope;
  rope.base = file.FloatOr(Key(file, "rope.freq_base"), 10000);
  rope.dims = static_cast<int>(file.IntOr(Key(file, "rope.dimension_count"), head_dim, 2, head_dim));
  if (rope.dims % 2 != 0 || !(rope.base > 0)) {
    throw Error(Code::kCorrupt, Cat(file.path(), ": RoPE over ", rope.dims, " dimensions with base ", rope.base));
  }
  const std::string_view type = file.StringOr(Key(file, "rope.scaling.type"), "none");
  const double factor = file.FloatOr(Key(file, "rope.scaling.factor"), file.FloatOr(Key(file, "rope.scale_linear"), 1));
  if (!(factor > 0)) throw Error(Code::kCorrupt, Cat(file.path(), ": RoPE scaling factor ", factor));
  if (type == "linear" || (type == "none" && !file.Has(Key(file, "rope.scaling.type")))) {
    rope.linear = factor;
  } else if (type == "yarn") {
    rope.linear = factor;
    rope.original_context = file.Int(Key(file, "rope.scaling.original_context_length"), 1, int64_t{1} << 30);
    rope.beta_fast = file.FloatOr(Key(file, "rope.scaling.yarn_beta_fast"), 32);
    rope.beta_slow = file.FloatOr(Key(file, "rope.scaling.yarn_beta_slow"), 1);
    rope.magnitude = file.FloatOr(Key(file, "rope.scaling.attn_factor"), 1) * (1.0 + 0.1 * std::log(factor));
  } else if (type != "none") {
    throw Error(Code::kUnsupported, Cat(file.path(), ": RoPE scaling of type ", Quote(type), " is not supported"));
  }
  if (const artefact::TensorInfo* divisors = file.Find("rope_freqs.weight")) {
    if (divisors->type != artefact::TensorType::kF32 || divisors->elements() != rope.dims / 2) {
      throw Error(Code::kCorrupt,
                  Cat(file.path(), ": rope_freqs.weight has ", divisors->elements(), " values, not ", rope.dims / 2));
    }
    const auto* values = reinterpret_cast<const float*>(divisors->data);
    rope.divisors.assign(values, values + rope.dims / 2);
    for (float value : rope.divisors) {
      if (!(value > 0)) throw Error(Code::kCorrupt, Cat(file.path(), ": rope_freqs.weight holds ", value));
    }
  }
  return rope;
}

}  // namespace

DecoderSpec ReadCommon(const artefact::GgufFile& file) {
  constexpr int64_t kMost = int64_t{1} << 24;
  DecoderSpec spec;
  spec.architecture = std::string(file.String("general.architecture"));
  spec.width = file.Int(Key(file, "embedding_length"), 1, kMost);
  spec.hidden = file.Int(Key(file, "feed_forward_length"), 1, kMost);
  spec.heads = file.Int(Key(file, "attention.head_count"), 1, 4096);
  spec.kv_heads = file.IntOr(Key(file, "attention.head_count_kv"), spec.heads, 1, 4096);
  spec.head_dim = file.IntOr(Key(file, "attention.key_length"), spec.width / spec.heads, 1, 1024);
  const int64_t value_dim = file.IntOr(Key(file, "attention.value_length"), spec.head_dim, 1, 1024);
  spec.context = file.Int(Key(file, "context_length"), 1, int64_t{1} << 30);
  spec.norm_eps = static_cast<float>(file.FloatOr(Key(file, "attention.layer_norm_rms_epsilon"), 1e-5));
  const artefact::TensorInfo& embedding = file.Require("token_embd.weight");
  spec.vocab = embedding.dim(1);
  if (spec.heads % spec.kv_heads != 0) {
    throw Error(Code::kCorrupt,
                Cat(file.path(), ": ", spec.heads, " heads do not share ", spec.kv_heads, " key heads"));
  }
  if (!(spec.norm_eps >= 0 && spec.norm_eps < 1)) {
    throw Error(Code::kCorrupt,
                Cat(file.path(), ": ", Key(file, "attention.layer_norm_rms_epsilon"), " is ", spec.norm_eps));
  }
  if (spec.head_dim < 16 || spec.head_dim % 16 != 0 || value_dim != spec.head_dim) {
    throw Error(Code::kUnsupported, Cat(file.path(), ": heads of ", spec.head_dim, " and ", value_dim,
                                        " dimensions; equal multiples of 16 are supported"));
  }
  spec.attention_scale = 1.0f / std::sqrt(static_cast<float>(spec.head_dim));
  spec.ropes.push_back(ReadRope(file, spec.head_dim));
  spec.layers.resize(static_cast<size_t>(file.Int(Key(file, "block_count"), 1, 1024)));
  return spec;
}

}  // namespace atelier::runtime
