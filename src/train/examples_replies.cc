#include "train/examples_replies.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "train/token_rows.h"

namespace atelier::train {
namespace {

class Replies : public Examples {
 public:
  void Add(int64_t record, const ReplyTokens& row) {
    std::vector<int32_t> targets;
    for (size_t i = 1; i < row.tokens.size(); ++i) {
      targets.push_back(row.learned[i] ? row.tokens[i] : static_cast<int32_t>(model::kIgnored));
    }
    inputs_.Add(std::span(row.tokens).first(targets.size()), record);
    targets_.Add(targets, record);
  }

  int64_t size() const override { return inputs_.size(); }
  int64_t Length(int64_t row) const override { return inputs_.Length(row); }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    model::Batch batch = inputs_.Lay(rows, 0);  // padding stands behind all that is asked: no token sees it
    batch.targets = targets_.Lay(rows, model::kIgnored).inputs;
    return batch;
  }
  std::string Describe(int64_t row) const override { return inputs_.Describe(row); }

 private:
  TokenRows inputs_, targets_;  // of the same lengths
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
