// The output head with cross-entropy (loss.h) for any set of instructions. Included after product-inl.h.

struct ScoreRows {
  const HeadLoss& w;

  INLINE void operator()(int64_t i, int64_t rows, int64_t j, const float* sums) const {
    const int64_t panels = Panels(w.vocabulary), panel = j / kProductPanel;
    const int64_t n = Left(w.vocabulary, j) < kProductPanel ? w.vocabulary - j : kProductPanel;
    for (int64_t r = i; r < i + rows; ++r, sums += kProductPanel) {
      constexpr int kVectors = kProductPanel / kLanes;
      const int64_t label = w.labels[r];
      uint16_t* scores = w.scores + r * panels * kProductPanel + j;
      Vec x[kVectors], greatest = Set(-3e38f);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        x[v] = Load(sums + v * kLanes);
        if (w.bias) x[v] = x[v] + LoadPart(w.bias + j + v * kLanes, n - v * kLanes);
        if (n < kProductPanel) x[v] = BlendPart(x[v], Set(-__builtin_inff()), n - v * kLanes);
        greatest = Max(greatest, x[v]);
      }
      if (label >= j && label < j + n) w.label_logit[r] = sums[label - j] + (w.bias ? w.bias[label] : 0.0f);
      if (w.totals) {
        Vec total = Zero();
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) total = total + BlendPart(x[v], Zero(), n - v * kLanes);
        w.totals[r * panels + panel] = SumLanes(total);
      }
      const float top = MaxLanes(greatest);
      Vec sum = Zero();
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const Vec e = Exp(x[v] - Set(top));
        sum = sum + e;
        Store(scores + v * kLanes, e);
      }
      w.greatest[r * panels + panel] = top;
      w.sums[r * panels + panel] = SumLanes(sum);
    }
  }
  INLINE void Fetch(int64_t i, int64_t rows, int64_t j) const {
    for (int64_t r = i; r < i + rows; ++r) {
      const uint16_t* scores = w.scores + r * Panels(w.vocabulary) * kProductPanel + j;
      __builtin_prefetch(scores, 1);
      __builtin_prefetch(scores + 32, 1);
    }
  }
};

void HeadScores(const HeadLoss* work, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
  Product product;
  product.rows = work->rows, product.cols = work->vocabulary, product.depth = work->depth;
  product.Rows(work->x, work->x_stride).b = work->w - PackedSize(work->w_panel * kProductPanel, work->depth);
  MultiplyRange(product, row_begin, row_end, panel_begin, panel_end, ScoreRows{*work});
}

// The loss of row r from its panels; the factors that turn a panel's e into the gradient go where its greatest was.
INLINE void FinishRowLoss(const HeadLoss& w, int64_t r) {
  const int64_t panels = Panels(w.vocabulary), label = w.labels[r];
  const float* sums = w.sums + r * panels;
  float* greatest = w.greatest + r * panels;
  float top = -3e38f;
  for (int64_t p = 0; p < panels; ++p) top = greatest[p] > top ? greatest[p] : top;
  Vec all = Zero();
  for (int64_t p = 0; p < panels; p += kLanes) {
    const Vec e = Exp(LoadPart(greatest + p, panels - p) - Set(top));
    all = all + BlendPart(e, Zero(), panels - p) * LoadPart(sums + p, panels - p);
  }
  const float sum = SumLanes(all);
  const float log_sum = top + __builtin_logf(sum);
  const bool counts = label >= 0 && label < w.vocabulary;
  float loss = log_sum - (counts ? w.label_logit[r] : log_sum);
  if (w.totals && counts) {
    float total = 0;
    for (int64_t p = 0; p < panels; ++p) total += w.totals[r * panels + p];
    loss = (1 - w.smoothing) * loss + w.smoothing * (log_sum - total / static_cast<float>(w.vocabulary));
  }
  w.loss[r] = counts ? loss : 0;
  if (w.log_sum) w.log_sum[r] = log_sum;
  w.label_logit[r] = counts ? FirstLane(Exp(Set(w.label_logit[r] - log_sum))) : 0.0f;
  const float factor = counts ? w.scale / sum : 0.0f;
  for (int64_t p = 0; p < panels; p += kLanes) {
    const Vec e = Exp(LoadPart(greatest + p, panels - p) - Set(top)) * Set(factor);
    StorePart(greatest + p, counts ? e : Zero(), panels - p);
  }
}

INLINE void GradientRow(const HeadLoss& w, int64_t r, int64_t panel) {
  const int64_t panels = Panels(w.vocabulary), j = panel * kProductPanel, n = w.vocabulary - j;
  uint16_t* scores = w.scores + r * panels * kProductPanel + j;
  const bool counts = w.labels[r] >= 0 && w.labels[r] < w.vocabulary;
  const Vec factor = Set(w.greatest[r * panels + panel]);
  const float even = counts ? w.smoothing / static_cast<float>(w.vocabulary) * w.scale : 0.0f;
  for (int64_t c = 0; c < kProductPanel; c += kLanes) {
    Vec g = counts ? Load(scores + c) * factor : Zero();  // a row without loss has no NaN either
    if (even != 0) g = BlendPart(g - Set(even), Zero(), n - c);
    Store(scores + c, g);
  }
  const int64_t label = w.labels[r] - j;
  if (counts && label >= 0 && label < kProductPanel) {
    // From the exact logit: what a probability near 1 lacks to 1 would drown in the rounding of e.
    const float p = w.label_logit[r];
    StorePart(scores + label, Set((p - 1 + w.smoothing) * w.scale - even), 1);
  }
}

void HeadFinish(const HeadLoss* work, int64_t row_begin, int64_t row_end) {
  const HeadLoss& w = *work;
  const int64_t panels = Panels(w.vocabulary), stride = panels * kProductPanel, pairs = (w.rows + 1) / 2;
  for (int64_t r = row_begin; r < row_end; r += 2) {
    const int64_t last = r + 1 < row_end ? r + 1 : r;
    for (int64_t i = r; i <= last; ++i) FinishRowLoss(w, i);
    if (!w.slopes) continue;
    const uint16_t* even = w.scores + r * stride;
    const uint16_t* odd = last > r ? even + stride : nullptr;
    for (int64_t panel = 0; panel < panels; ++panel) {
      for (int64_t i = r; i <= last; ++i) GradientRow(w, i, panel);
      if (!w.interleaved) continue;
      uint16_t* out = w.interleaved + (panel * pairs + r / 2) * 2 * kProductPanel;
      for (int64_t c = 0; c < kProductPanel; c += kLanes) {
        const int64_t at = panel * kProductPanel + c;
        ZipPart(even + at, odd ? odd + at : nullptr, kLanes, out + 2 * c);
      }
    }
  }
}
