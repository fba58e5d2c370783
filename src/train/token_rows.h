// Token ids of many records, and how some of them lie in a batch.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/batch.h"
#include "text/tokenizer.h"
#include "train/examples.h"

namespace atelier::train {

class TokenRows {
 public:
  void Add(std::span<const int32_t> tokens, int64_t record);

  int64_t size() const { return static_cast<int64_t>(records_.size()); }
  int64_t Length(int64_t row) const {
    return begins_[static_cast<size_t>(row) + 1] - begins_[static_cast<size_t>(row)];
  }
  std::span<const int32_t> Row(int64_t row) const;
  std::string Describe(int64_t row) const;  // "record 12"

  // Inputs [rows, the longest's length], `padding` behind each row, and their lengths.
  model::Batch Lay(std::span<const int64_t> rows, int64_t padding) const;

 private:
  std::vector<int32_t> tokens_;
  std::vector<int64_t> begins_ = {0}, records_;
};

// What becomes of a text that is longer than a row.
enum class Fit { kWhole, kCut, kTooLong };

// A text as an encoder reads it: the begin mark, its tokens (or code points: data.units), the end mark, where the
// tokenizer has them; cut to data.sequence_length, or kTooLong where data.long_records says drop.
std::vector<int32_t> EncodeRow(const std::string& text, const DataSettings& data, const text::Tokenizer& tokenizer,
                               const SpecialIds& ids, Fit* fit);

}  // namespace atelier::train
