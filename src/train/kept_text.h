// Text that a model should go on writing as it did while it learns something else.
#pragma once

#include "model/pretrained.h"
#include "text/tokenizer.h"
#include "train/records.h"
#include "train/settings.h"

namespace atelier::train {

// The records' texts (data.text) end to end, cut into rows of keep_length tokens, at most `context`, the token that
// begins a text among them where the model wants one. A seed draws keep_rows of them. Throws kInvalidInput where there
// is not a single row.
model::KeptFn MakeKept(const Records& records, const TrainSettings& settings, const text::Tokenizer& tokenizer,
                       int64_t context);

}  // namespace atelier::train
