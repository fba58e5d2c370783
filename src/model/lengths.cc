#include "model/lengths.h"

namespace atelier::model {

torch::Tensor RealLengths(const Batch& batch) {
  const int64_t time = batch.inputs.size(1);
  if (!batch.lengths.defined()) return torch::full({batch.rows()}, time, torch::kInt64);
  return batch.lengths.to(torch::kCPU, torch::kInt64).clamp(1, time);
}

torch::Tensor RealPlaces(const torch::Tensor& lengths, int64_t time) {
  return torch::arange(time, lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
}

RaggedRows LayRows(const Batch& batch, bool padded) {
  const torch::Tensor lengths = RealLengths(batch).contiguous();
  RaggedRows rows;
  rows.batch = batch.rows();
  rows.time = batch.inputs.size(1);
  const int64_t* n = lengths.const_data_ptr<int64_t>();
  rows.lengths.assign(n, n + rows.batch);
  rows.padded = padded || lengths.min().item<int64_t>() == rows.time;
  int64_t at = 0;
  for (const int64_t length : rows.lengths) {
    rows.begins.push_back(at);
    at += rows.padded ? rows.time : length;
  }
  if (!rows.padded) {
    rows.places = RealPlaces(lengths, rows.time).flatten().nonzero().squeeze(1).to(batch.inputs.device());
  }
  return rows;
}

torch::Tensor RaggedRows::Take(const torch::Tensor& x) const {
  const torch::Tensor flat = x.flatten(0, 1);
  return padded ? flat : flat.index_select(0, places);
}

torch::Tensor RaggedRows::Spread(const torch::Tensor& rows) const {
  std::vector<int64_t> shape = rows.sizes().vec();
  shape[0] = batch * time;
  const torch::Tensor flat = padded ? rows : torch::zeros(shape, rows.options()).index_copy(0, places, rows);
  return flat.unflatten(0, {batch, time});
}

}  // namespace atelier::model
