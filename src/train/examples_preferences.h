// Replies that were judged: two to one prompt of which one was chosen, or one by itself that was wanted or not.
#pragma once

#include <memory>

#include "train/examples.h"
#include "train/reply_format.h"

namespace atelier::train {

// Records of a prompt, the reply that was chosen and the one that was rejected (data.prompt, data.chosen,
// data.rejected). A batch of n pairs has 2 n rows: all chosen, then all rejected. A pair with an empty or two equal
// sides is counted as empty. Throws kInvalidInput where nothing usable is there.
std::unique_ptr<Examples> PreferenceExamples(const Records& records, const DataSettings& data,
                                             const ReplyFormat& format, ExamplesReport* report);

// Records of a prompt, a reply and whether it was wanted (data.prompt, data.response, data.label: true or false, 1 or
// 0). A batch of n has 2 n rows: the replies, then to each prompt the reply of some record with another prompt, by
// which KTO knows how far the model has moved. Throws kInvalidInput, also where all labels are alike.
std::unique_ptr<Examples> JudgedExamples(const Records& records, const DataSettings& data, const ReplyFormat& format,
                                         ExamplesReport* report);

}  // namespace atelier::train
