#include "train/examples_replies.h"

#include "base/error.h"
#include "base/str.h"
#include "train/reply_rows.h"

namespace atelier::train {
namespace {

class Replies : public Examples {
 public:
  ReplyRows rows;

  int64_t size() const override { return rows.size(); }
  int64_t Length(int64_t row) const override { return rows.Length(row); }
  model::Batch Collate(std::span<const int64_t> which, Rng) const override { return rows.Lay(which); }
  std::string Describe(int64_t row) const override { return rows.Describe(row); }
};

}  // namespace

std::unique_ptr<Examples> ReplyExamples(const Records& records, const DataSettings& data, const ReplyFormat& format,
                                        ExamplesReport* report) {
  auto out = std::make_unique<Replies>();
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    ReplyTokens row = format.Of(fields, records.Describe(index));
    if (FitReply(data, &row, report)) out->rows.Add(index, row);
  });
  if (out->size() == 0) throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has a reply to learn"));
  return out;
}

}  // namespace atelier::train
