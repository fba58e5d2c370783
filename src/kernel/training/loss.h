// The output head and cross-entropy as one: logits = X W^T (+ bias) over the whole vocabulary never exist as numbers in
// memory, and one pass gives the loss and its gradient.
//
// For a block of tokens (some 512, so that the block stays in the caches):
//   1. head_scores   panel by panel of 64 words: e = exp(logit - the panel's greatest) in bf16, and the panel's
//   greatest
//                    and sum in f32 (online softmax, Milakov & Gimelshein 2018). One exponential per logit.
//   2. head_finish   row by row: log-sum-exp over the panels, the loss, and e becomes d loss/d logit in bf16, as rows
//   and
//                    interleaved.
//   3. product       dX = dlogits W, dW += dlogits^T X, with what 2 wrote as A.
// Probabilities carry bf16's relative error of 2^-9; losses are computed in f32 and have none of it.
#pragma once

#include <cstdint>

#include "kernel/training/product.h"

namespace atelier::kernel {

struct HeadLoss {
  int64_t rows = 0, vocabulary = 0, depth = 0;
  const uint16_t* x = nullptr;  // [rows, depth] by x_stride
  int64_t x_stride = 0;
  const uint16_t* w = nullptr;      // pack_weights().forward of [vocabulary, depth], or some of its panels:
  int64_t w_panel = 0;              // the first that it has
  const float* bias = nullptr;      // [vocabulary]
  const int64_t* labels = nullptr;  // [rows]; outside [0, vocabulary): no loss, no gradient
  float smoothing = 0;              // the loss is (1 - s) nll + s mean over words of -log p (Szegedy et al. 2016)
  float scale = 1;                  // of the gradient: 1 / number of labels for a mean

  // Workspace, kept from step to step. P = Panels(vocabulary)
  uint16_t* scores = nullptr;    // [rows, 64 P]: e, then d loss/d logit
  float* greatest = nullptr;     // [rows, P]
  float* sums = nullptr;         // [rows, P]
  float* totals = nullptr;       // [rows, P] sums of logits; only where smoothing > 0
  float* label_logit = nullptr;  // [rows] the label's logit, then its probability

  // Results.
  float* loss = nullptr;            // [rows]
  float* log_sum = nullptr;         // [rows] log of the sum of exponentials; null: not wanted
  bool slopes = true;               // false: only the loss is wanted
  uint16_t* interleaved = nullptr;  // PackedSize(vocabulary, rows): the gradient for dW; null: not wanted
};

}  // namespace atelier::kernel
