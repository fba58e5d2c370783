#include <cmath>

#include "kernel/training/reference.h"

namespace atelier::kernel::reference {
namespace {

double Take(const Arena& a, int64_t i) {
  const double g = static_cast<double>(a.gradient[i]) * a.scale;
  a.gradient[i] = 0;
  return g;
}

void Put(const Arena& a, int64_t i, double w) {
  a.weight[i] = static_cast<float>(w);
  if (a.copy) a.copy[i] = ToBrain(w);
}

}  // namespace

void StepAdamW(const Arena* a, const AdamW* how, float* first, float* second) {
  for (int64_t i = 0; i < a->n; ++i) {
    const double g = Take(*a, i);
    const double m = how->beta1 * static_cast<double>(first[i]) + (1.0 - how->beta1) * g;
    const double v = how->beta2 * static_cast<double>(second[i]) + (1.0 - how->beta2) * g * g;
    first[i] = static_cast<float>(m), second[i] = static_cast<float>(v);
    const double w = a->weight[i] * (1 - static_cast<double>(how->rate) * how->decay);
    Put(*a, i, w - how->rate * (m / how->correction1) / (std::sqrt(v / how->correction2) + how->epsilon));
  }
}

void StepSgd(const Arena* a, const Sgd* how, float* momentum) {
  for (int64_t i = 0; i < a->n; ++i) {
    const double w = a->weight[i] * (1 - static_cast<double>(how->rate) * how->decay);
    double g = Take(*a, i);
    if (momentum) {
      const double m = how->momentum * static_cast<double>(momentum[i]) + g;
      momentum[i] = static_cast<float>(m);
      g = how->nesterov ? g + how->momentum * m : m;
    }
    Put(*a, i, w - how->rate * g);
  }
}

void StepLion(const Arena* a, const Lion* how, float* momentum) {
  for (int64_t i = 0; i < a->n; ++i) {
    const double g = Take(*a, i), m = momentum[i];
    const double way = m + (1.0 - how->beta1) * (g - m);
    const double sign = way > 0 ? 1 : way < 0 ? -1 : way;
    momentum[i] = static_cast<float>(how->beta2 * m + (1.0 - how->beta2) * g);
    Put(*a, i, a->weight[i] - how->rate * (sign + how->decay * static_cast<double>(a->weight[i])));
  }
}

double SumSquares(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t begin = 0; begin < n; begin += kSumPiece) {
    double piece = 0;
    for (int64_t i = begin; i < n && i < begin + kSumPiece; ++i) piece += static_cast<double>(x[i]) * x[i];
    sum += piece;
  }
  return sum;
}

}  // namespace atelier::kernel::reference
