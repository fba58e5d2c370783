// Rows of different lengths in one batch.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "model/batch.h"

namespace atelier::model {

// The real length of each row of [batch, time] inputs, at least 1. [batch] int64 on the CPU.
torch::Tensor RealLengths(const Batch& batch);
// Which places of rows of `time` lie before `lengths`: [batch, time] bool.
torch::Tensor RealPlaces(const torch::Tensor& lengths, int64_t time);

// A ragged batch as one array of rows: the real places alone, laid end to end, or all of them with the padding.
struct RaggedRows {
  int64_t batch = 0, time = 0;
  bool padded = false;          // rows are [batch * time], padding and all
  torch::Tensor places;         // [rows] int64: where each stands in [batch * time]; undefined where padded
  std::vector<int64_t> begins;  // [batch]: the first row of each sequence
  std::vector<int64_t> lengths;

  // [batch, time, ...] -> [rows, ...]
  torch::Tensor Take(const torch::Tensor& x) const;
  // [rows, ...] -> [batch, time, ...], zero where there is padding.
  torch::Tensor Spread(const torch::Tensor& rows) const;
};
RaggedRows LayRows(const Batch& batch, bool padded);

}  // namespace atelier::model
