#include "train/examples_prompts.h"

#include "base/error.h"
#include "base/str.h"
#include "train/token_rows.h"

namespace atelier::train {
namespace {

class Prompts : public Examples {
 public:
  TokenRows rows;
  std::vector<std::string> records;  // as JSON

  int64_t size() const override { return rows.size(); }
  int64_t Length(int64_t row) const override { return rows.Length(row); }
  model::Batch Collate(std::span<const int64_t> which, Rng) const override {
    model::Batch batch = rows.Lay(which, 0);
    for (const int64_t row : which) batch.records.push_back(records[static_cast<size_t>(row)]);
    return batch;
  }
  std::string Describe(int64_t row) const override { return rows.Describe(row); }
};

}  // namespace

std::unique_ptr<Examples> PromptExamples(const Records& records, const DataSettings& data, const ReplyFormat& format,
                                         ExamplesReport* report) {
  auto out = std::make_unique<Prompts>();
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::vector<text::TokenId> tokens = format.Given(fields, records.Describe(index));
    if (tokens.empty()) {
      ++report->empty;
    } else if (std::ssize(tokens) > data.sequence_length) {
      ++report->dropped;
    } else {
      report->tokens += std::ssize(tokens);
      out->rows.Add(tokens, index);
      out->records.push_back(ToText(fields));
    }
  });
  if (out->size() == 0) throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has a prompt to answer"));
  return out;
}

}  // namespace atelier::train
