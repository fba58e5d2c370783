#include "train/examples_masked.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "data/scan.h"
#include "train/masking.h"
#include "train/token_rows.h"

namespace atelier::train {
namespace {

class Masked : public Examples {
 public:
  Masked(TokenRows rows, Masking masking, int64_t padding)
      : rows_(std::move(rows)), masking_(std::move(masking)), padding_(padding) {}
  int64_t size() const override { return rows_.size(); }
  int64_t Length(int64_t row) const override { return rows_.Length(row); }
  std::string Describe(int64_t row) const override { return rows_.Describe(row); }
  model::Batch Collate(std::span<const int64_t> rows, Rng rng) const override {
    model::Batch batch = rows_.Lay(rows, padding_);
    batch.targets = torch::full_like(batch.inputs, model::kIgnored);
    const int64_t time = batch.inputs.size(1);
    for (int64_t i = 0; i < batch.rows(); ++i) {
      const auto length = static_cast<size_t>(batch.lengths.data_ptr<int64_t>()[i]);
      masking_.Hide({batch.inputs.data_ptr<int64_t>() + i * time, length},
                    {batch.targets.data_ptr<int64_t>() + i * time, length}, &rng);
    }
    return batch;
  }

 private:
  TokenRows rows_;
  Masking masking_;
  int64_t padding_;
};

}  // namespace

std::unique_ptr<Examples> MaskedExamples(const Records& records, const DataSettings& data,
                                         const text::Tokenizer& tokenizer, ExamplesReport* report) {
  const SpecialIds ids = FindSpecialIds(tokenizer);
  Masking masking(tokenizer, ids.mask, data.mask, data.whole_words);
  TokenRows rows;
  const size_t marks = size_t{ids.begin >= 0} + size_t{ids.end >= 0};
  const size_t room = static_cast<size_t>(data.sequence_length) -
                      std::min<size_t>(marks, static_cast<size_t>(data.sequence_length) - 1);
  std::vector<int32_t> stream;
  int64_t stream_record = 0;
  const auto emit = [&](std::span<const int32_t> tokens, int64_t record) {
    std::vector<int32_t> row;
    if (ids.begin >= 0) row.push_back(static_cast<int32_t>(ids.begin));
    row.insert(row.end(), tokens.begin(), tokens.end());
    if (ids.end >= 0) row.push_back(static_cast<int32_t>(ids.end));
    rows.Add(row, record);
  };
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::string text = TextField(fields, data.text, records.Describe(index));
    const std::vector<int32_t> tokens = tokenizer.Encode(text);
    if (tokens.empty()) {
      ++report->empty;
      return;
    }
    if (!data.packed && tokens.size() > room && data.long_records == "drop") {
      ++report->dropped;
      return;
    }
    report->tokens += static_cast<int64_t>(tokens.size());
    report->characters += data::CountCodePoints(text);
    if (!data.packed) {
      if (tokens.size() > room) ++report->truncated;
      emit(std::span(tokens).first(std::min(tokens.size(), room)), index);
      return;
    }
    if (stream.empty()) stream_record = index;
    stream.insert(stream.end(), tokens.begin(), tokens.end());
    size_t at = 0;
    for (; stream.size() - at >= room; at += room) {
      emit(std::span(stream).subspan(at, room), stream_record);
      stream_record = index;
    }
    stream.erase(stream.begin(), stream.begin() + static_cast<int64_t>(at));
  });
  if (!stream.empty()) emit(stream, stream_record);
  if (rows.size() == 0) throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has any text to learn"));
  return std::make_unique<Masked>(std::move(rows), std::move(masking), ids.padding);
}

}  // namespace atelier::train
