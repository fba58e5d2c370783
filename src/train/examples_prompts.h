// Prompts alone: what is to be answered by the model itself, and the records that its answers are scored by.
#pragma once

#include <memory>

#include "train/examples.h"
#include "train/reply_format.h"

namespace atelier::train {

// One prompt a row (data.prompt, or the messages of a conversation up to the one to answer). One that is longer than
// data.sequence_length is dropped: there is no right place to cut it. Throws kInvalidInput where nothing usable is
// there.
std::unique_ptr<Examples> PromptExamples(const Records& records, const DataSettings& data, const ReplyFormat& format,
                                         ExamplesReport* report);

}  // namespace atelier::train
