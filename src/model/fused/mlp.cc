#include "model/fused/mlp.h"

namespace atelier::model::fused {
namespace {

using kernel::Product;

// What the way forth leaves for the way back.
struct KeptMlp {
  std::vector<MlpLayer> layers;
  uint64_t seed = 0;
  // Of each layer, as it was on the way forth: whether its parameters learn, whether those of one below it do.
  std::vector<bool> learns, goes_down;
  std::vector<Packed> weights;
  std::vector<torch::Tensor> inputs;  // bf16 [rows, ins]
  std::vector<torch::Tensor> before;  // bf16 [rows, outs], before the activation; of the last undefined

  // What falls of what a layer gives, and of its gradient.
  kernel::Dropout drop(size_t layer) const { return {seed, layer, static_cast<float>(layers[layer].dropout)}; }
};

// `into`, if defined, takes what the last layer gives.
torch::Tensor Forward(KeptMlp* c, const torch::Tensor& x, bool training, std::vector<Work> first,
                      const torch::Tensor& into) {
  const int64_t rows = x.size(0);
  const size_t last = c->layers.size() - 1;
  for (size_t i = 0; i <= last; ++i) {
    c->weights.push_back(c->layers[i].kept->Of(c->layers[i].weight, training && c->goes_down[i], &first));
  }
  InParallel(first);
  torch::Tensor in = x, out;
  for (size_t i = 0; i <= last; ++i) {
    const MlpLayer& layer = c->layers[i];
    const Packed& w = c->weights[i];
    Product p = RowsTimes(Brains(in), rows, w.ins, w.ins, w.forward, w.outs);
    p.blocks = BlocksAt(w.forward_blocks), p.bias = Floats(layer.bias), p.act = layer.act;
    torch::Tensor next, pre;
    if (i == last && !into.defined()) {
      out = NewFloats(rows, w.outs);
      p.out = Floats(out), p.out_stride = w.outs;
    } else {
      next = i == last ? into : NewBrains(rows, w.outs);
      p.out16 = Brains(next), p.out16_stride = w.outs;
      if (training) pre = NewBrains(rows, w.outs), p.pre16 = Brains(pre), p.pre16_stride = w.outs;
    }
    Multiply(p);
    if (next.defined()) DropRows(c->drop(i), next);
    if (training) {
      c->inputs.push_back(in);
      c->before.push_back(pre);
    }
    in = next;
  }
  return out;
}

// One region of threads a layer: what a layer's parameters get waits for its zipped rows, so it is added up beside what
// the layer below is handed.
void Backward(const KeptMlp& c, const torch::Tensor& d_out) {
  const int64_t rows = d_out.size(0);
  torch::Tensor d = Narrow(d_out);
  std::vector<Work> waiting;
  for (size_t i = c.layers.size(); i-- > 0;) {
    const Packed& w = c.weights[i];
    std::vector<Work> now = std::move(waiting);
    waiting.clear();
    if (c.learns[i]) {
      const torch::Tensor dy = NewBrains(1, kernel::PackedSize(w.outs, rows));
      const torch::Tensor x = NewBrains(1, kernel::PackedSize(w.ins, rows)), blocks = NewBlocks(1, w.ins, rows);
      now.push_back(ZipWork(Brains(d), rows, w.outs, w.outs, GradientOf(c.layers[i].bias), dy, {}));
      now.push_back(ZipWork(Brains(c.inputs[i]), rows, w.ins, w.ins, nullptr, x, blocks));
      if (float* d_weight = GradientOf(c.layers[i].weight)) {
        waiting.push_back(WeightGradientWork(dy, x, blocks, rows, w.outs, w.ins, d_weight));
      }
    }
    const bool down = c.goes_down[i];
    torch::Tensor below;
    if (down) {
      Product p = RowsTimes(Brains(d), rows, w.outs, w.outs, w.backward, w.ins);
      below = NewBrains(rows, w.ins);
      p.blocks = BlocksAt(w.backward_blocks);
      p.out16 = Brains(below), p.out16_stride = w.ins;
      p.act = c.layers[i - 1].act, p.slope16 = Brains(c.before[i - 1]), p.slope16_stride = w.ins;
      now.push_back(ProductWork(p));
    }
    InParallel(now);
    if (!down) break;
    DropRows(c.drop(i - 1), below);
    d = below;
  }
  InParallel(waiting);
}

std::shared_ptr<KeptMlp> Begin(std::vector<MlpLayer> layers) {
  auto c = std::make_shared<KeptMlp>();
  c->layers = std::move(layers);
  const auto learns = [](const torch::Tensor& p) { return p.defined() && p.requires_grad(); };
  bool any = false;
  for (const MlpLayer& layer : c->layers) {
    c->goes_down.push_back(any);
    c->learns.push_back(learns(layer.weight) || learns(layer.bias));
    any = any || c->learns.back();
  }
  const auto drops = [](const MlpLayer& layer) { return layer.dropout > 0; };
  c->seed = std::any_of(c->layers.begin(), c->layers.end(), drops) ? Draw() : 0;
  return c;
}

}  // namespace

MlpRun RunMlp(const torch::Tensor& x, std::vector<MlpLayer> layers, std::vector<Work> first) {
  TORCH_CHECK(layers.back().act == kernel::Activation::kNone && layers.back().dropout == 0,
              "the last layer gives its sums");
  const auto c = Begin(std::move(layers));
  const bool training = torch::GradMode::is_enabled() && (c->goes_down.back() || c->learns.back());
  MlpRun run{Forward(c.get(), x, training, std::move(first), {}), {}};
  if (training) run.backward = [c](const torch::Tensor& d) { Backward(*c, d); };
  return run;
}

void MlpInto(const torch::Tensor& x, std::vector<MlpLayer> layers, const torch::Tensor& rows, std::vector<Work> first) {
  Forward(Begin(std::move(layers)).get(), x, false, std::move(first), rows);
}

}  // namespace atelier::model::fused
