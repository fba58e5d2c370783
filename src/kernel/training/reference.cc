#include "kernel/training/reference.h"

#include <bit>
#include <cmath>
#include <vector>

namespace atelier::kernel {
namespace reference {

double FromBrain(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t ToBrain(double value) {
  const uint32_t bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

namespace {
const double kRoot = std::sqrt(2 / 3.14159265358979323846);
}  // namespace
double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
namespace {
double Phi(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
}  // namespace

double Activate(Activation act, double x) {
  switch (act) {
    case Activation::kNone: return x;
    case Activation::kRelu: return x < 0 ? 0 : x;
    case Activation::kLeakyRelu: return x < 0 ? 0.2 * x : x;
    case Activation::kTanh: return std::tanh(x);
    case Activation::kSigmoid: return Sigmoid(x);
    case Activation::kSilu: return x * Sigmoid(x);
    case Activation::kGelu: return x * Phi(x);
    case Activation::kGeluTanh: return x / 2 * (1 + std::tanh(kRoot * (x + 0.044715 * x * x * x)));
  }
  return x;
}

double Slope(Activation act, double x) {
  switch (act) {
    case Activation::kNone: return 1;
    case Activation::kRelu: return x > 0 ? 1 : 0;
    case Activation::kLeakyRelu: return x > 0 ? 1 : 0.2;
    case Activation::kTanh: return 1 - std::tanh(x) * std::tanh(x);
    case Activation::kSigmoid: return Sigmoid(x) * (1 - Sigmoid(x));
    case Activation::kSilu: return Sigmoid(x) * (1 + x * (1 - Sigmoid(x)));
    case Activation::kGelu: return Phi(x) + x * std::exp(-x * x / 2) * kRoot / 2;
    case Activation::kGeluTanh: {
      const double t = std::tanh(kRoot * (x + 0.044715 * x * x * x));
      return (1 + t) / 2 + x / 2 * (1 - t * t) * kRoot * (1 + 3 * 0.044715 * x * x);
    }
  }
  return 1;
}

int64_t Place(int64_t k, int64_t j, int64_t depth) {
  return j / kProductPanel * ((depth + 1) / 2) * 2 * kProductPanel + k / 2 * 2 * kProductPanel + j % kProductPanel * 2 +
         k % 2;
}

namespace {

void Multiply(const Product* w, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
  const int64_t pairs = (w->depth + 1) / 2;
  for (int64_t i = row_begin; i < row_end; ++i) {
    const uint16_t* a = w->a + i / kProductPanel * w->a_block + i % kProductPanel * w->a_row;
    for (int64_t j = panel_begin * kProductPanel; j < panel_end * kProductPanel && j < w->cols; ++j) {
      const uint16_t* b = w->b + j / kProductPanel * pairs * 2 * kProductPanel + j % kProductPanel * 2;
      double v = 0;
      for (int64_t k = 0; k < w->depth; ++k)
        v += FromBrain(a[k / 2 * w->a_pair + k % 2]) * FromBrain(b[k / 2 * 2 * kProductPanel + k % 2]);
      if (w->accumulate) v += w->out[i * w->out_stride + j];
      if (w->bias) v += w->bias[j];
      if (w->add16) v += FromBrain(w->add16[i * w->add16_stride + j]);
      if (w->add) v += w->add[i * w->add_stride + j];
      if (w->pre16) w->pre16[i * w->pre16_stride + j] = ToBrain(v);
      v = w->slope16 ? v * Slope(w->act, FromBrain(w->slope16[i * w->slope16_stride + j])) : Activate(w->act, v);
      if (w->out) w->out[i * w->out_stride + j] = static_cast<float>(v);
      if (w->out16) w->out16[i * w->out16_stride + j] = ToBrain(v);
    }
  }
}

void PackWeights(const float* w, int64_t stride, int64_t rows, int64_t cols, int64_t block_begin, int64_t block_end,
                 uint16_t* forward, uint16_t* backward) {
  for (int64_t r = block_begin * kProductPanel; r < block_end * kProductPanel; ++r) {
    for (int64_t c = 0; c < Panels(cols) * kProductPanel; ++c) {
      const uint16_t value = r < rows && c < cols ? ToBrain(w[r * stride + c]) : 0;
      if (forward && c < (cols + 1) / 2 * 2) forward[Place(c, r, cols)] = value;
      if (backward && r < (rows + 1) / 2 * 2) backward[Place(r, c, rows)] = value;
    }
  }
}

void PackBlocks(Format format, const uint8_t* w, int64_t row_bytes, int64_t rows, int64_t cols, int64_t block_begin,
                int64_t block_end, uint16_t* forward, uint16_t* backward) {
  std::vector<float> wide(static_cast<size_t>(rows * cols));
  for (int64_t r = 0; r < rows; ++r) Dequantise(format, w + r * row_bytes, cols, wide.data() + r * cols);
  PackWeights(wide.data(), cols, rows, cols, block_begin, block_end, forward, backward);
}

void Interleave(const uint16_t* x, int64_t stride, int64_t rows, int64_t cols, int64_t panel_begin, int64_t panel_end,
                uint16_t* out, float* column_sums) {
  for (int64_t c = panel_begin * kProductPanel; c < panel_end * kProductPanel; ++c) {
    double sum = 0;
    for (int64_t r = 0; r < (rows + 1) / 2 * 2; ++r) {
      const uint16_t value = r < rows && c < cols ? x[r * stride + c] : 0;
      out[Place(r, c, rows)] = value;
      sum += FromBrain(value);
    }
    if (column_sums && c < cols) column_sums[c] = static_cast<float>(column_sums[c] + sum);
  }
}

void ColumnSums(const uint16_t* x, int64_t stride, int64_t rows, int64_t begin, int64_t end, float* sums) {
  for (int64_t c = begin; c < end; ++c) {
    double sum = sums[c];
    for (int64_t r = 0; r < rows; ++r) sum += FromBrain(x[r * stride + c]);
    sums[c] = static_cast<float>(sum);
  }
}

void NarrowAll(const float* x, int64_t n, uint16_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = ToBrain(x[i]);
}
void WidenAll(const uint16_t* x, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(FromBrain(x[i]));
}

}  // namespace
}  // namespace reference

const TrainTable& ReferenceTrainTable() {
  using namespace reference;
  static const TrainTable table = {.name = "reference",
                                   .bf16 = false,
                                   .exact = true,
                                   .product = Multiply,
                                   .blocks_bytes = nullptr,
                                   .take_blocks = nullptr,
                                   .pack_weights = PackWeights,
                                   .pack_blocks = PackBlocks,
                                   .interleave = Interleave,
                                   .column_sums = ColumnSums,
                                   .narrow = NarrowAll,
                                   .widen = WidenAll,
                                   .adamw = StepAdamW,
                                   .sgd = StepSgd,
                                   .lion = StepLion,
                                   .sum_squares = SumSquares,
                                   .head_scores = HeadScores,
                                   .head_finish = HeadFinish,
                                   .attend_forward = AttendForward,
                                   .attend_backward = AttendBackward,
                                   .norm_forward = NormForward,
                                   .norm_backward = NormBackward,
                                   .sum_rows = SumRows,
                                   .gated_forward = GatedForward,
                                   .gated_backward = GatedBackward,
                                   .drop = Drop,
                                   .drop16 = Drop16,
                                   .rotate = Rotate,
                                   .lstm_forward = LstmForward,
                                   .lstm_backward = LstmBackward,
                                   .gru_forward = GruForward,
                                   .gru_backward = GruBackward,
                                   .query_forward = QueryForward,
                                   .query_backward = QueryBackward};
  return table;
}

}  // namespace atelier::kernel
