// Conversations and pairs of a prompt and its reply, of which the replies alone are learned.
#pragma once

#include <memory>

#include "train/examples.h"
#include "train/reply_format.h"

namespace atelier::train {

// One record a row, padded to the longest of its batch. Records longer than data.sequence_length are cut or dropped as
// configured; what has no token to learn is counted as empty. Throws kInvalidInput where nothing usable is there.
std::unique_ptr<Examples> ReplyExamples(const Records& records, const DataSettings& data, const ReplyFormat& format,
                                        ExamplesReport* report);

}  // namespace atelier::train
