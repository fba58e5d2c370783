#include "train/kept_text.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"
#include "train/token_rows.h"

namespace atelier::train {

model::KeptFn MakeKept(const Records& records, const TrainSettings& settings, const text::Tokenizer& tokenizer,
                       int64_t context) {
  const auto whole = static_cast<size_t>(std::min(settings.keep_length, context) + 1);  // a row and what follows it
  std::vector<text::TokenId> begin;
  if (tokenizer.adds_bos()) begin.push_back(tokenizer.bos());
  auto rows = std::make_shared<TokenRows>();
  std::vector<text::TokenId> row = begin;
  records.ForEach([&](int64_t index, const Json& fields) {
    const std::string text = TextField(fields, settings.data.text, records.Describe(index));
    for (const text::TokenId token : tokenizer.Encode(Cat(text, "\n"))) {
      row.push_back(token);
      if (row.size() < whole) continue;
      rows->Add(row, index);
      row = begin;
    }
  });
  if (rows->size() == 0) {
    throw Error(
        Code::kInvalidInput,
        Cat(records.name(), ": has ", row.size() - begin.size(), " tokens, fewer than a row of ", whole - begin.size()),
        "more text to keep, or a smaller keep.length");
  }
  return [rows, count = settings.keep_rows](uint64_t seed) {
    Rng rng(seed, "keep");
    std::vector<int64_t> which;
    for (int64_t i = 0; i < count; ++i)
      which.push_back(static_cast<int64_t>(rng.Below(static_cast<uint64_t>(rows->size()))));
    const torch::Tensor ids = rows->Lay(which, 0).inputs;
    const int64_t inputs = ids.size(1) - 1;
    model::Batch batch;
    batch.inputs = ids.narrow(1, 0, inputs).contiguous(), batch.targets = ids.narrow(1, 1, inputs).contiguous();
    return batch;
  };
}

}  // namespace atelier::train
