// For tests: the models of tests/golden/archs with what the peer made of them, and copies of them with other weights.
// tools/golden_archs.py says how the files are made.
#pragma once

#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "artefact/adapter.h"
#include "artefact/gguf.h"
#include "artefact/gguf_writer.h"
#include "artefact/memory_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "kernel/format.h"
#include "kernel/select.h"
#include "runtime/arch/arch.h"
#include "runtime/decoder.h"

namespace atelier::runtime {

inline constexpr const char* kGoldenModels[] = {"llama",   "llama3", "llama_linear", "llama_yarn",
                                                "mistral", "qwen2",  "qwen3",        "gemma3"};

// A template for files that are given one.
inline constexpr char kChatMl[] =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

inline std::string GoldenBytes(const std::string& name) {
  const std::string packed = ReadFile(Cat(ATELIER_SOURCE_DIR, "/tests/golden/archs/", name, ".gguf.zst"));
  std::string out(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
  const size_t n = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  if (n != out.size()) throw Error(Code::kCorrupt, Cat(name, ": ", ZSTD_isError(n) ? ZSTD_getErrorName(n) : "short"));
  return out;
}

inline std::shared_ptr<const artefact::GgufFile> OpenBytes(const std::string& bytes) {
  return artefact::GgufFile::Open(artefact::MemoryFile(bytes).path());
}

// Rewrites a model: `change` may alter tensors (shape, type, bytes) and drop them (empty data); `metadata` may drop or
// replace keys by returning false after setting its own.
struct LooseTensor {
  std::string name;
  artefact::TensorType type;
  std::vector<int64_t> shape;
  std::string data;
};
using ChangeTensor = std::function<void(LooseTensor*)>;
using ChangeKey = std::function<bool(const std::string& key, artefact::GgufWriter*)>;

inline std::string Rewritten(const std::string& bytes, const ChangeTensor& change,
                             const ChangeKey& metadata = nullptr) {
  const auto file = OpenBytes(bytes);
  artefact::GgufWriter writer;
  for (const std::string& key : file->Keys()) {
    if (metadata && !metadata(key, &writer)) continue;
    writer.SetRaw(key, file->Type(key), file->Encoded(key));
  }
  std::vector<std::unique_ptr<LooseTensor>> tensors;
  for (const artefact::TensorInfo& tensor : file->tensors()) {
    tensors.push_back(std::make_unique<LooseTensor>(
        LooseTensor{tensor.name, tensor.type, tensor.shape,
                    std::string(reinterpret_cast<const char*>(tensor.data), tensor.bytes)}));
    LooseTensor* loose = tensors.back().get();
    if (change) change(loose);
    if (!loose->data.empty()) writer.AddTensor(loose->name, loose->type, loose->shape, loose->data);
  }
  return writer.ToBytes();
}

// The matrices as Q8_0 or Q4_0, by the formats' definition: per 32 weights one scale, the greatest (by size) at an end.
inline std::string Quantised(const std::string& bytes, artefact::TensorType type) {
  const bool four = type == artefact::TensorType::kQ4_0;
  return Rewritten(bytes, [&](LooseTensor* tensor) {
    if (tensor->shape.size() != 2) return;
    std::string out;
    const auto* values = reinterpret_cast<const float*>(tensor->data.data());
    for (size_t at = 0; at < tensor->data.size() / 4; at += 32) {
      float most = 0;
      for (size_t i = 0; i < 32; ++i) {
        if (std::fabs(values[at + i]) > std::fabs(most)) most = values[at + i];
      }
      const float scale = four ? most / -8 : std::fabs(most) / 127;
      const uint16_t half = FloatToHalf(scale);
      out.append(reinterpret_cast<const char*>(&half), 2);
      const auto number = [&](size_t i) {
        return scale == 0 ? 0 : static_cast<int>(std::lround(values[at + i] / scale));
      };
      if (four) {
        const auto nibble = [&](size_t i) { return static_cast<unsigned>(std::clamp(number(i) + 8, 0, 15)); };
        for (size_t i = 0; i < 16; ++i) out += static_cast<char>(nibble(i) | nibble(i + 16) << 4);
      } else {
        for (size_t i = 0; i < 32; ++i) out += static_cast<char>(static_cast<int8_t>(number(i)));
      }
    }
    tensor->type = type;
    tensor->data = std::move(out);
  });
}

// The same model in f32 with the values that its own matrices stand for.
inline std::string Plain(const std::string& bytes) {
  return Rewritten(bytes, [&](LooseTensor* tensor) {
    const kernel::Format format = tensor->type == artefact::TensorType::kQ8_0   ? kernel::Format::kQ8_0
                                  : tensor->type == artefact::TensorType::kQ4_0 ? kernel::Format::kQ4_0
                                                                                : kernel::Format::kF32;
    if (format == kernel::Format::kF32) return;
    const int64_t count = tensor->shape[0] * tensor->shape[1];
    std::string out(static_cast<size_t>(count) * 4, '\0');
    kernel::Dequantise(format, tensor->data.data(), count, reinterpret_cast<float*>(out.data()));
    tensor->type = artefact::TensorType::kF32;
    tensor->data = std::move(out);
  });
}

// An adapter of rank 4 and scale 2 with numbers in [-size/2, size/2).
inline artefact::Adapter DrawnAdapter(const artefact::GgufFile& file, const std::vector<std::string>& tensors,
                                      uint64_t seed = 5, float size = 1) {
  Rng rng(seed);
  artefact::Adapter adapter;
  adapter.architecture = std::string(file.String("general.architecture"));
  adapter.alpha = 8, adapter.name = "drawn";
  for (const std::string& name : tensors) {
    const artefact::TensorInfo& tensor = file.Require(name);
    artefact::LoraPair pair{name, 4, tensor.dim(0), tensor.dim(1), {}, {}};
    for (int64_t i = 0; i < 4 * pair.ins; ++i) pair.a.push_back(size * (static_cast<float>(rng.Uniform()) - 0.5f));
    for (int64_t i = 0; i < 4 * pair.outs; ++i) pair.b.push_back(size * (static_cast<float>(rng.Uniform()) - 0.5f));
    adapter.pairs.push_back(std::move(pair));
  }
  return adapter;
}

inline std::unique_ptr<Decoder> MakeDecoder(const std::string& bytes, const kernel::Table& kernels, int threads = 1,
                                            size_t kv_bytes = size_t{64} << 20) {
  const auto file = OpenBytes(bytes);
  auto pool = std::make_unique<ThreadPool>(threads);
  const DecoderSpec spec = ReadSpec(*file);
  DecoderWeights weights = LoadWeights(file, spec, pool.get());
  return std::make_unique<Decoder>(spec, std::move(weights), kernels, std::move(pool), kv_bytes);
}

// The tokens that the peer read.
inline std::vector<int32_t> GoldenTokens(const artefact::GgufFile& file) {
  std::vector<int32_t> tokens;
  for (const int64_t token : file.Ints("golden.tokens")) tokens.push_back(static_cast<int32_t>(token));
  return tokens;
}

// Of every token, [tokens, vocabulary].
inline std::vector<float> AllLogits(const std::string& bytes, const std::vector<int32_t>& tokens) {
  const auto decoder = MakeDecoder(bytes, kernel::BestTable());
  const auto words = static_cast<size_t>(decoder->spec().vocab);
  std::vector<float> out(tokens.size() * words);
  Sequence sequence;
  const Chunk chunk{&sequence, tokens, 0};
  decoder->Forward({&chunk, 1}, [&](size_t, size_t token, float* logits) {
    std::copy_n(logits, words, out.data() + token * words);
  });
  return out;
}

}  // namespace atelier::runtime
