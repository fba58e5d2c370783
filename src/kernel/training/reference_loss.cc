#include <algorithm>
#include <cmath>

#include "kernel/training/reference.h"

namespace atelier::kernel::reference {

void HeadScores(const HeadLoss* w, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
  const int64_t panels = Panels(w->vocabulary);
  for (int64_t r = row_begin; r < row_end; ++r) {
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
      const int64_t begin = panel * kProductPanel, end = std::min(w->vocabulary, begin + kProductPanel);
      double logits[kProductPanel], greatest = -3e38, sum = 0, total = 0;
      for (int64_t j = begin; j < end; ++j) {
        double logit = w->bias ? w->bias[j] : 0;
        for (int64_t k = 0; k < w->depth; ++k)
          logit += FromBrain(w->x[r * w->x_stride + k]) *
                   FromBrain(w->w[Place(k, j - w->w_panel * kProductPanel, w->depth)]);
        logits[j - begin] = logit;
        greatest = std::max(greatest, logit);
        total += logit;
        if (j == w->labels[r]) w->label_logit[r] = static_cast<float>(logit);
      }
      greatest = static_cast<float>(greatest);
      for (int64_t j = begin; j < begin + kProductPanel; ++j) {
        const double e = j < end ? std::exp(logits[j - begin] - greatest) : 0;
        w->scores[r * panels * kProductPanel + j] = ToBrain(e);
        sum += e;
      }
      w->greatest[r * panels + panel] = static_cast<float>(greatest);
      w->sums[r * panels + panel] = static_cast<float>(sum);
      if (w->totals) w->totals[r * panels + panel] = static_cast<float>(total);
    }
  }
}

void HeadFinish(const HeadLoss* w, int64_t row_begin, int64_t row_end) {
  const int64_t panels = Panels(w->vocabulary), stride = panels * kProductPanel;
  for (int64_t r = row_begin; r < row_end; ++r) {
    double top = -3e38, sum = 0, total = 0;
    for (int64_t p = 0; p < panels; ++p) top = std::max<double>(top, w->greatest[r * panels + p]);
    for (int64_t p = 0; p < panels; ++p) {
      sum += w->sums[r * panels + p] * std::exp(w->greatest[r * panels + p] - top);
      if (w->totals) total += w->totals[r * panels + p];
    }
    const double log_sum = top + std::log(sum), words = static_cast<double>(w->vocabulary);
    const int64_t label = w->labels[r];
    const bool counts = label >= 0 && label < w->vocabulary;
    const double smoothing = w->totals ? w->smoothing : 0;
    const double label_logit = counts ? w->label_logit[r] : 0;
    const double loss = (1 - smoothing) * (log_sum - label_logit) + smoothing * (log_sum - total / words);
    w->loss[r] = counts ? static_cast<float>(loss) : 0;
    if (w->log_sum) w->log_sum[r] = static_cast<float>(log_sum);
    if (!w->slopes) continue;
    for (int64_t j = 0; j < stride; ++j) {
      uint16_t& score = w->scores[r * stride + j];
      double g = FromBrain(score) * std::exp(w->greatest[r * panels + j / kProductPanel] - log_sum);
      if (j == label) g = std::exp(label_logit - log_sum) - (1 - smoothing);
      g = counts && j < w->vocabulary ? (g - smoothing / words) * w->scale : 0;
      score = ToBrain(g);
      if (!w->interleaved) continue;
      w->interleaved[Place(r, j, w->rows)] = score;
      if (r + 1 == w->rows && r % 2 == 0) w->interleaved[Place(r + 1, j, w->rows)] = 0;
    }
  }
}

}  // namespace atelier::kernel::reference
