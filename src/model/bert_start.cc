#include "model/bert_start.h"

#include "artefact/gguf.h"
#include "base/error.h"
#include "base/str.h"
#include "kernel/format.h"
#include "runtime/tensor_loader.h"

namespace atelier::model {
void ReadStart(StartShape* start) {
  constexpr int64_t kMost = int64_t{1} << 20;
  const std::string& path = start->file;
  const auto file = artefact::GgufFile::Open(path);
  if (const std::string_view name = file->String("general.architecture"); name != "bert") {
    throw Error(Code::kUnsupported, Cat(path, ": a model of architecture ", Quote(name), " is no start for bert"),
                "init = \"e5-small\" and \"minilm\" are, after `atelier model pull e5-small`");
  }
  start->vocabulary = file->Require("token_embd.weight").dim(1);
  start->width = file->Int("bert.embedding_length", 2, kMost);
  start->hidden = file->Int("bert.feed_forward_length", 1, kMost);
  start->heads = file->Int("bert.attention.head_count", 1, 4096);
  start->layers = file->Int("bert.block_count", 1, 1024);
  start->context = file->Int("bert.context_length", 2, kMost);
  start->norm_eps = file->FloatOr("bert.attention.layer_norm_epsilon", 1e-12);
  if (start->width % start->heads != 0) {
    throw Error(Code::kCorrupt, Cat(path, ": ", start->heads, " heads do not divide the width ", start->width));
  }
  if (!(start->norm_eps >= 0 && start->norm_eps < 1)) {
    throw Error(Code::kCorrupt, Cat(path, ": the epsilon of its norms is ", start->norm_eps));
  }
}

void LoadStart(const std::string& path, BertEncoder& encoder) {
  const torch::NoGradGuard no_gradient;
  const auto file = artefact::GgufFile::Open(path);
  file->RequireSupportedTypes();
  for (const auto& item : encoder.named_parameters()) {
    torch::Tensor p = item.value();
    const artefact::TensorInfo& tensor = file->Require(item.key());
    // Types of tokens: files have one or two, the first is what is used.
    const bool types = item.key() == "token_types.weight";
    const int64_t rows = p.dim() > 1 ? p.size(0) : 1, width = p.size(-1);
    if (tensor.dim(0) != width || (types ? tensor.dim(1) > rows : tensor.dim(1) != rows)) {
      throw Error(Code::kCorrupt, Cat(path, ": the tensor ", Quote(item.key()), " is [", tensor.dim(0), ", ",
                                      tensor.dim(1), "], where the file's shape wants [", width, ", ", rows, "]"));
    }
    kernel::Dequantise(runtime::FormatOf(tensor.type), tensor.data, tensor.elements(), p.data_ptr<float>());
  }
}

}  // namespace atelier::model
