#include "model/frozen.h"

#include <ATen/Parallel.h>

#include "base/error.h"
#include "base/str.h"
#include "model/fused/frozen.h"
#include "model/fused/ops.h"
#include "model/fused/step.h"
#include "runtime/tensor_loader.h"

namespace atelier::model {
namespace {

struct KeptProduct : torch::CustomClassHolder {
  FrozenMatrix w;  // holds the file
};

torch::Tensor Forward(KeptProduct* c, const torch::Tensor& x, bool) {
  return torch::linear(x, c->w.Expanded().to(x.scalar_type()));
}

torch::Tensor Backward(const KeptProduct& c, const torch::Tensor& d) {
  return torch::matmul(d, c.w.Expanded().to(d.scalar_type()));
}

}  // namespace

torch::Tensor FrozenVector(const artefact::GgufFile& file, const std::string& name, int64_t size) {
  return torch::tensor(runtime::TensorLoader(file, nullptr).Vector(name, size));
}

FrozenMatrix::FrozenMatrix(std::shared_ptr<const artefact::GgufFile> file, const std::string& name, int64_t outs,
                           int64_t ins)
    : file_(std::move(file)), outs_(outs), ins_(ins) {
  const artefact::TensorInfo& tensor = runtime::TensorLoader(*file_, nullptr).Shaped(name, ins, outs);
  blocks_ = tensor.data;
  format_ = runtime::FormatOf(tensor.type);
  row_bytes_ = static_cast<size_t>(artefact::RowBytes(tensor.type, ins));
}

torch::Tensor FrozenMatrix::Expanded() const {
  torch::Tensor out = torch::empty({outs_, ins_});
  auto* at = out.data_ptr<float>();
  at::parallel_for(0, outs_, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) kernel::Dequantise(format_, row(i), ins_, at + i * ins_);
  });
  return out;
}

torch::Tensor FrozenMatrix::Rows(const torch::Tensor& ids) const {
  const torch::Tensor flat = ids.flatten().contiguous();
  std::vector<int64_t> shape = ids.sizes().vec();
  shape.push_back(ins_);
  torch::Tensor out = torch::empty({flat.numel(), ins_});
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const int64_t id = flat.data_ptr<int64_t>()[i];
    if (id < 0 || id >= outs_) {
      throw Error(Code::kInvalidInput, Cat("token ", id, " is outside the vocabulary of ", outs_));
    }
    kernel::Dequantise(format_, row(id), ins_, out.data_ptr<float>() + i * ins_);
  }
  return out.view(shape);
}

torch::Tensor FrozenLinear(const torch::Tensor& x, const FrozenMatrix& w) {
  if (fused::Enabled()) return fused::FrozenLinear(x, w);
  auto c = c10::make_intrusive<KeptProduct>();
  c->w = w;
  return fused::RunStep(x, {}, c);
}

}  // namespace atelier::model
