#include "train/token_rows.h"

#include <algorithm>

#include "base/str.h"
#include "text/unicode.h"

namespace atelier::train {

void TokenRows::Add(std::span<const int32_t> tokens, int64_t record) {
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  begins_.push_back(static_cast<int64_t>(tokens_.size()));
  records_.push_back(record);
}

std::span<const int32_t> TokenRows::Row(int64_t row) const {
  return std::span(tokens_).subspan(static_cast<size_t>(begins_[static_cast<size_t>(row)]),
                                    static_cast<size_t>(Length(row)));
}

std::string TokenRows::Describe(int64_t row) const { return Cat("record ", records_[static_cast<size_t>(row)] + 1); }

model::Batch TokenRows::Lay(std::span<const int64_t> rows, int64_t padding) const {
  const auto n = static_cast<int64_t>(rows.size());
  int64_t longest = 1;
  for (const int64_t row : rows) longest = std::max(longest, Length(row));
  model::Batch batch;
  batch.inputs = torch::full({n, longest}, padding, torch::kInt64);
  batch.lengths = torch::empty({n}, torch::kInt64);
  for (int64_t i = 0; i < n; ++i) {
    const std::span<const int32_t> from = Row(rows[static_cast<size_t>(i)]);
    std::copy(from.begin(), from.end(), batch.inputs.data_ptr<int64_t>() + i * longest);
    batch.lengths.data_ptr<int64_t>()[i] = static_cast<int64_t>(from.size());
  }
  return batch;
}

std::vector<int32_t> EncodeRow(const std::string& text, const DataSettings& data, const text::Tokenizer& tokenizer,
                               const SpecialIds& ids, Fit* fit) {
  std::vector<int32_t> row;
  *fit = Fit::kWhole;
  const auto most = static_cast<size_t>(data.sequence_length);
  const auto cut = [&](size_t room) {
    if (row.size() <= room) return;
    *fit = data.long_records == "drop" ? Fit::kTooLong : Fit::kCut;
    row.resize(room);
  };
  if (data.characters) {
    for (const char32_t c : text::DecodeUtf8(text)) row.push_back(static_cast<int32_t>(c));
    cut(most);
    return row;
  }
  row = tokenizer.Encode(text);
  if (row.empty()) return row;
  const size_t marks = size_t{ids.begin >= 0} + size_t{ids.end >= 0};
  cut(most > marks ? most - marks : 1);
  if (ids.begin >= 0) row.insert(row.begin(), static_cast<int32_t>(ids.begin));
  if (ids.end >= 0) row.push_back(static_cast<int32_t>(ids.end));
  return row;
}

}  // namespace atelier::train
