// What distinguishes one decoder architecture from another, as data. Each file in this folder reads one family's
// metadata into a DecoderSpec; decoder.cc runs any of them. A new architecture is one file and one line in archs.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/gguf.h"
#include "kernel/table.h"

namespace atelier::runtime {

// Rotary position embedding (Su et al. 2021): pair i of a head turns by position * base^(-2i/dims), scaled.
struct RopeSpec {
  double base = 10000;
  bool interleaved = false;  // pairs (2i, 2i+1) as in GGUF's llama; else (i, i + dims/2)
  int dims = 0;              // how many of the head's dimensions turn
  double linear = 1;         // positions are divided by this (position interpolation, Chen et al. 2023)
  // YaRN (Peng et al. 2023): off where original_context is 0.
  int64_t original_context = 0;
  double beta_fast = 32, beta_slow = 1, magnitude = 1;
  std::vector<float> divisors;  // [dims/2] per-pair divisors of the frequency (Llama 3.1's), or empty
};

struct LayerSpec {
  int64_t window = 0;  // how many positions a token sees, itself included; 0: all
  int rope = 0;        // index into DecoderSpec::ropes
};

struct DecoderSpec {
  std::string architecture;
  int64_t vocab = 0, width = 0, hidden = 0;  // hidden: of the feed-forward part
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  int64_t context = 0;
  float norm_eps = 1e-5f;
  kernel::Gate gate = kernel::Gate::kSilu;
  float embedding_scale = 1, attention_scale = 1;  // attention_scale multiplies q·k
  float attention_softcap = 0, final_softcap = 0;  // 0: off
  bool qkv_bias = false;                           // blk.N.attn_{q,k,v}.bias; taken where present when `optional_bias`
  bool optional_bias = false;
  bool qk_norm = false;     // RMS norm of every query and key head
  bool post_norms = false;  // RMS norm of both branches before they are added
  std::vector<RopeSpec> ropes;
  std::vector<LayerSpec> layers;
};

// An encoder: every token sees every other, learned positions, LayerNorm after each branch (Vaswani et al. 2017).
struct EncoderSpec {
  std::string architecture;
  int64_t vocab = 0, width = 0, hidden = 0;
  int64_t heads = 0, head_dim = 0, layers = 0;
  int64_t context = 0;  // learned positions
  float norm_eps = 1e-12f;
  std::string query_prefix, passage_prefix;  // what the model was trained to see before a text
};

struct ArchEntry {
  std::string_view name;  // general.architecture
  std::string_view models;
  DecoderSpec (*read)(const artefact::GgufFile& file);
};

DecoderSpec ReadLlama(const artefact::GgufFile& file);
DecoderSpec ReadQwen2(const artefact::GgufFile& file);
DecoderSpec ReadQwen3(const artefact::GgufFile& file);
DecoderSpec ReadGemma3(const artefact::GgufFile& file);

// Texts as vectors: the mean over the last layer's tokens. Throws kUnsupported for what is not such an encoder.
EncoderSpec ReadBert(const artefact::GgufFile& file);
// Whether the file is an encoder's, which writes nothing.
bool IsEncoder(std::string_view architecture);

std::span<const ArchEntry> AllArchs();
// Throws kUnsupported naming the architecture and those that are known; kCorrupt for contradictory metadata.
DecoderSpec ReadSpec(const artefact::GgufFile& file);

// --- what the files of this folder share
// The part that all families state alike: sizes, heads, context, eps, one RoPE with its scaling, one LayerSpec per
// block.
DecoderSpec ReadCommon(const artefact::GgufFile& file);
// "llama.block_count" for "block_count".
std::string Key(const artefact::GgufFile& file, std::string_view name);

}  // namespace atelier::runtime
