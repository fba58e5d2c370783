// BERT (Devlin et al. 2018) as it embeds sentences: multilingual-e5 (Wang et al. 2024) and its like. Learned positions,
// one token type, GELU by erf, LayerNorm after each branch, the mean over all tokens.
#include "base/error.h"
#include "base/str.h"
#include "runtime/arch/arch.h"

namespace atelier::runtime {

bool IsEncoder(std::string_view architecture) { return architecture == "bert"; }

EncoderSpec ReadBert(const artefact::GgufFile& file) {
  constexpr int64_t kMost = int64_t{1} << 20;
  const std::string_view name = file.String("general.architecture");
  if (!IsEncoder(name)) {
    throw Error(Code::kUnsupported, Cat(file.path(), ": ", Quote(name), " is no encoder, so it makes no embeddings"),
                "`atelier model pull e5-small` fetches one");
  }
  EncoderSpec spec;
  spec.architecture = std::string(name);
  spec.width = file.Int(Key(file, "embedding_length"), 32, kMost);
  spec.hidden = file.Int(Key(file, "feed_forward_length"), 32, kMost);
  spec.heads = file.Int(Key(file, "attention.head_count"), 1, 4096);
  spec.layers = file.Int(Key(file, "block_count"), 1, 1024);
  spec.context = file.Int(Key(file, "context_length"), 8, kMost);
  spec.vocab = file.Require("token_embd.weight").dim(1);
  spec.norm_eps = static_cast<float>(file.FloatOr(Key(file, "attention.layer_norm_epsilon"), 1e-12));
  if (!(spec.norm_eps >= 0 && spec.norm_eps < 1)) {
    throw Error(Code::kCorrupt, Cat(file.path(), ": the epsilon of its norms is ", spec.norm_eps));
  }
  spec.head_dim = spec.width / spec.heads;
  if (spec.width % spec.heads != 0 || spec.head_dim % 16 != 0 || spec.width % 32 != 0 || spec.hidden % 32 != 0) {
    throw Error(Code::kUnsupported, Cat(file.path(), ": widths of ", spec.width, " and ", spec.hidden, " with ",
                                        spec.heads, " heads; multiples of 32, and 16 a head, are supported"));
  }
  if (file.BoolOr(Key(file, "attention.causal"), false)) {
    throw Error(Code::kUnsupported, Cat(file.path(), ": an encoder whose tokens see only what stands before them"));
  }
  if (const int64_t pooling = file.IntOr(Key(file, "pooling_type"), 1); pooling != 1) {
    throw Error(Code::kUnsupported, Cat(file.path(), ": pooling of type ", pooling, "; the mean (1) is supported"));
  }
  spec.query_prefix = std::string(file.StringOr("atelier.query_prefix", ""));
  spec.passage_prefix = std::string(file.StringOr("atelier.passage_prefix", ""));
  return spec;
}

}  // namespace atelier::runtime
