#include "train/examples_replies.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"

namespace atelier::train {
namespace {

class Replies : public Examples {
 public:
  void Add(int64_t record, const ReplyTokens& row) {
    tokens_.insert(tokens_.end(), row.tokens.begin(), row.tokens.end());
    learned_.insert(learned_.end(), row.learned.begin(), row.learned.end());
    begins_.push_back(static_cast<int64_t>(tokens_.size()));
    records_.push_back(record);
  }

  int64_t size() const override { return static_cast<int64_t>(records_.size()); }
  int64_t Length(int64_t row) const override {
    return begins_[static_cast<size_t>(row) + 1] - begins_[static_cast<size_t>(row)] - 1;
  }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    const auto n = static_cast<int64_t>(rows.size());
    int64_t longest = 1;
    for (const int64_t row : rows) longest = std::max(longest, Length(row));
    model::Batch batch;
    // Padding stands behind all that is asked, so that no token sees it.
    batch.inputs = torch::zeros({n, longest}, torch::kInt64);
    batch.targets = torch::full({n, longest}, model::kIgnored, torch::kInt64);
    batch.lengths = torch::empty({n}, torch::kInt64);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = rows[static_cast<size_t>(i)], begin = begins_[static_cast<size_t>(row)];
      batch.lengths.data_ptr<int64_t>()[i] = Length(row);
      for (int64_t t = 0; t < Length(row); ++t) {
        const auto at = static_cast<size_t>(begin + t);
        batch.inputs.data_ptr<int64_t>()[i * longest + t] = tokens_[at];
        if (learned_[at + 1]) batch.targets.data_ptr<int64_t>()[i * longest + t] = tokens_[at + 1];
      }
    }
    return batch;
  }
  std::string Describe(int64_t row) const override { return Cat("record ", records_[static_cast<size_t>(row)] + 1); }

 private:
  std::vector<int32_t> tokens_;
  std::vector<bool> learned_;
  std::vector<int64_t> begins_{0}, records_;
};

}  // namespace

std::unique_ptr<Examples> ReplyExamples(const Records& records, const DataSettings& data, const ReplyFormat& format,
                                        ExamplesReport* report) {
  auto rows = std::make_unique<Replies>();
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    ReplyTokens row = format.Of(fields, records.Describe(index));
    const auto most = static_cast<size_t>(data.sequence_length + 1);
    const bool is_long = row.tokens.size() > most;
    if (is_long && data.long_records == "drop") {
      ++report->dropped;
      return;
    }
    if (is_long) {
      row.tokens.resize(most);
      row.learned.resize(most);
    }
    const auto learned = std::count(row.learned.begin(), row.learned.end(), true);
    if (row.empty || learned == 0) {
      ++report->empty;
      return;
    }
    report->truncated += is_long;
    report->tokens += static_cast<int64_t>(row.tokens.size());
    report->targets += learned;
    rows->Add(index, row);
  });
  if (rows->size() == 0) throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has a reply to learn"));
  return rows;
}

}  // namespace atelier::train
