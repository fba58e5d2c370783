#include "runtime/weights.h"

#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {
namespace {

using artefact::TensorInfo;
using artefact::TensorType;
using kernel::Format;

Format FormatOf(TensorType type) {
  switch (type) {
    case TensorType::kF16: return Format::kF16;
    case TensorType::kBF16: return Format::kBF16;
    case TensorType::kQ4_0: return Format::kQ4_0;
    case TensorType::kQ4_1: return Format::kQ4_1;
    case TensorType::kQ5_0: return Format::kQ5_0;
    case TensorType::kQ5_1: return Format::kQ5_1;
    case TensorType::kQ8_0: return Format::kQ8_0;
    case TensorType::kQ4_K: return Format::kQ4_K;
    case TensorType::kQ5_K: return Format::kQ5_K;
    case TensorType::kQ6_K: return Format::kQ6_K;
    default: return Format::kF32;
  }
}

class Loader {
 public:
  Loader(const artefact::GgufFile& file, ThreadPool* pool, DecoderWeights* weights)
      : file_(file), pool_(pool), weights_(weights) {}

  std::vector<float> Vector(const std::string& name, int64_t size) {
    const TensorInfo& tensor = Shaped(name, size, 1);
    std::vector<float> out(static_cast<size_t>(size));
    kernel::Dequantise(FormatOf(tensor.type), tensor.data, size, out.data());
    return out;
  }

  std::vector<float> OptionalVector(const std::string& name, int64_t size) {
    return file_.Find(name) == nullptr ? std::vector<float>() : Vector(name, size);
  }

  kernel::PackedMatrix Matrix(const std::string& name, int64_t rows, int64_t cols) {
    const TensorInfo& tensor = Shaped(name, cols, rows);
    const Format format = FormatOf(tensor.type);
    kernel::PackedMatrix matrix = kernel::AllocatePacked(format, rows, cols);
    pool_->Run([&](int thread) {
      const Span1 part = SplitRange(matrix.panels(), 1, thread, pool_->size());
      kernel::PackPanels(tensor.data, part.begin, part.end, &matrix);
    });
    weights_->all_f32 = weights_->all_f32 && format == Format::kF32;
    weights_->bytes += matrix.bytes();
    return matrix;
  }

  const TensorInfo& Shaped(const std::string& name, int64_t first, int64_t second) {
    const TensorInfo& tensor = file_.Require(name);
    if (tensor.dim(0) != first || tensor.dim(1) != second || tensor.dim(2) != 1 || tensor.dim(3) != 1) {
      throw Error(Code::kCorrupt, Cat(file_.path(), ": the tensor ", Quote(name), " is [", tensor.dim(0), ", ",
                                      tensor.dim(1), "], where the metadata needs [", first, ", ", second, "]"));
    }
    return tensor;
  }

 private:
  const artefact::GgufFile& file_;
  ThreadPool* pool_;
  DecoderWeights* weights_;
};

}  // namespace

DecoderWeights LoadWeights(std::shared_ptr<const artefact::GgufFile> file, const DecoderSpec& spec, ThreadPool* pool) {
  DecoderWeights w;
  w.file = file;
  Loader load(*file, pool, &w);
  const TensorInfo& embedding = load.Shaped("token_embd.weight", spec.width, spec.vocab);
  w.embedding = embedding.data;
  w.embedding_format = FormatOf(embedding.type);
  const int64_t query_rows = spec.heads * spec.head_dim, kv_rows = spec.kv_heads * spec.head_dim;
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const auto name = [&](std::string_view part) { return Cat("blk.", i, ".", part); };
    LayerWeights layer;
    layer.attention_norm = load.Vector(name("attn_norm.weight"), spec.width);
    layer.ffn_norm = load.Vector(name("ffn_norm.weight"), spec.width);
    if (spec.post_norms) {
      layer.post_attention_norm = load.Vector(name("post_attention_norm.weight"), spec.width);
      layer.post_ffn_norm = load.Vector(name("post_ffw_norm.weight"), spec.width);
    }
    if (spec.qk_norm) {
      layer.query_norm = load.Vector(name("attn_q_norm.weight"), spec.head_dim);
      layer.key_norm = load.Vector(name("attn_k_norm.weight"), spec.head_dim);
    }
    if (spec.qkv_bias) {
      layer.query_bias = load.Vector(name("attn_q.bias"), query_rows);
      layer.key_bias = load.Vector(name("attn_k.bias"), kv_rows);
      layer.value_bias = load.Vector(name("attn_v.bias"), kv_rows);
    } else if (spec.optional_bias) {
      layer.query_bias = load.OptionalVector(name("attn_q.bias"), query_rows);
      layer.key_bias = load.OptionalVector(name("attn_k.bias"), kv_rows);
      layer.value_bias = load.OptionalVector(name("attn_v.bias"), kv_rows);
    }
    layer.query = load.Matrix(name("attn_q.weight"), query_rows, spec.width);
    layer.key = load.Matrix(name("attn_k.weight"), kv_rows, spec.width);
    layer.value = load.Matrix(name("attn_v.weight"), kv_rows, spec.width);
    layer.output = load.Matrix(name("attn_output.weight"), spec.width, query_rows);
    layer.gate = load.Matrix(name("ffn_gate.weight"), spec.hidden, spec.width);
    layer.up = load.Matrix(name("ffn_up.weight"), spec.hidden, spec.width);
    layer.down = load.Matrix(name("ffn_down.weight"), spec.width, spec.hidden);
    w.layers.push_back(std::move(layer));
  }
  w.output_norm = load.Vector("output_norm.weight", spec.width);
  const bool tied = file->Find("output.weight") == nullptr;
  w.head = load.Matrix(tied ? "token_embd.weight" : "output.weight", spec.vocab, spec.width);
  return w;
}

}  // namespace atelier::runtime
