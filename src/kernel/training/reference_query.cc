#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel/training/reference.h"

namespace atelier::kernel::reference {
namespace {

double Score(const QueryAttention& w, int64_t b, int64_t s) {
  double sum = 0;
  for (int64_t c = 0; c < w.width; ++c) {
    const double q = w.query[b * w.width + c], k = FromBrain(w.keys[(b * w.time + s) * w.width + c]);
    sum += w.energy ? w.energy[c] * std::tanh(q + k) : q * k;
  }
  return sum;
}

}  // namespace

void QueryForward(const QueryAttention* work, int64_t begin, int64_t end) {
  const QueryAttention& w = *work;
  for (int64_t b = begin; b < end; ++b) {
    std::vector<double> weights;
    for (int64_t s = 0; s < w.lengths[b]; ++s) weights.push_back(Score(w, b, s));
    const double top = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (double& weight : weights) total += weight = std::exp(weight - top);
    for (size_t s = 0; s < weights.size(); ++s) {
      weights[s] /= total;
      w.weights[b * w.time + static_cast<int64_t>(s)] = static_cast<float>(weights[s]);
    }
    for (int64_t c = 0; c < w.width; ++c) {
      double sum = 0;
      for (size_t s = 0; s < weights.size(); ++s)
        sum += weights[s] * FromBrain(w.values[(b * w.time + static_cast<int64_t>(s)) * w.width + c]);
      w.context[b * w.width + c] = ToBrain(sum);
    }
  }
}

void QueryBackward(const QueryAttention* work, int64_t begin, int64_t end) {
  const QueryAttention& w = *work;
  for (int64_t b = begin; b < end; ++b) {
    const float* weights = w.weights + b * w.time;
    std::vector<double> d(static_cast<size_t>(w.lengths[b]));
    double along = 0;
    for (size_t s = 0; s < d.size(); ++s) {
      for (int64_t c = 0; c < w.width; ++c) {
        const int64_t at = (b * w.time + static_cast<int64_t>(s)) * w.width + c;
        const double d_context = w.d_context[b * w.width + c];
        d[s] += d_context * FromBrain(w.values[at]);
        w.d_values[at] = static_cast<float>(w.d_values[at] + weights[s] * d_context);
      }
      along += weights[s] * d[s];
    }
    for (size_t s = 0; s < d.size(); ++s) d[s] = weights[s] * (d[s] - along);
    for (int64_t c = 0; c < w.width; ++c) {
      const double q = w.query[b * w.width + c];
      double d_query = 0, d_energy = 0;
      for (size_t s = 0; s < d.size(); ++s) {
        const int64_t at = (b * w.time + static_cast<int64_t>(s)) * w.width + c;
        const double k = FromBrain(w.keys[at]), t = std::tanh(q + k);
        const double d_key = w.energy ? d[s] * w.energy[c] * (1 - t * t) : d[s] * q;
        d_query += w.energy ? d_key : d[s] * k;
        d_energy += d[s] * t;
        w.d_keys[at] = static_cast<float>(w.d_keys[at] + d_key);
      }
      w.d_query[b * w.width + c] = ToBrain(d_query);
      if (w.energy) w.d_energy[b * w.width + c] = static_cast<float>(w.d_energy[b * w.width + c] + d_energy);
    }
  }
}

}  // namespace atelier::kernel::reference
