// Rows of tokens some of which a model should have said, and how some of them lie in a batch.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "train/reply_format.h"
#include "train/token_rows.h"

namespace atelier::train {

class ReplyRows {
 public:
  void Add(int64_t record, const ReplyTokens& row) {
    std::vector<int32_t> targets;
    for (size_t i = 1; i < row.tokens.size(); ++i) {
      targets.push_back(row.learned[i] ? row.tokens[i] : static_cast<int32_t>(model::kIgnored));
    }
    inputs_.Add(std::span(row.tokens).first(targets.size()), record);
    targets_.Add(targets, record);
  }

  int64_t size() const { return inputs_.size(); }
  int64_t Length(int64_t row) const { return inputs_.Length(row); }
  std::string Describe(int64_t row) const { return inputs_.Describe(row); }
  model::Batch Lay(std::span<const int64_t> rows) const {
    model::Batch batch = inputs_.Lay(rows, 0);  // padding stands behind all that is asked: no token sees it
    batch.targets = targets_.Lay(rows, model::kIgnored).inputs;
    return batch;
  }

 private:
  TokenRows inputs_, targets_;  // of the same lengths
};

// What becomes of one that is longer than data.sequence_length, as configured; false: it is not used. Counts in
// `report` what was cut, dropped or left nothing to learn; and where it is used, its tokens.
bool FitReply(const DataSettings& data, ReplyTokens* row, ExamplesReport* report);

}  // namespace atelier::train
