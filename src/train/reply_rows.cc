#include "train/reply_rows.h"

namespace atelier::train {

bool FitReply(const DataSettings& data, ReplyTokens* row, ExamplesReport* report) {
  const auto most = static_cast<size_t>(data.sequence_length + 1);
  const bool is_long = row->tokens.size() > most;
  if (is_long && data.long_records == "drop") {
    ++report->dropped;
    return false;
  }
  if (is_long) {
    row->tokens.resize(most);
    row->learned.resize(most);
  }
  const auto learned = std::count(row->learned.begin(), row->learned.end(), true);
  if (row->empty || learned == 0) {
    ++report->empty;
    return false;
  }
  report->truncated += is_long;
  report->tokens += static_cast<int64_t>(row->tokens.size());
  report->targets += learned;
  return true;
}

}  // namespace atelier::train
