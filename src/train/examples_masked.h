// Texts whose words are hidden (train/masking.h), anew in each epoch.
#pragma once

#include <memory>

#include "train/examples.h"

namespace atelier::train {

// layout "records": a record a row; "packed": rows of data.sequence_length cut from the records laid end to end, each
// between the tokenizer's marks, the last one shorter. Inputs [batch, time], targets kIgnored where nothing is hidden.
std::unique_ptr<Examples> MaskedExamples(const Records& records, const DataSettings& data,
                                         const text::Tokenizer& tokenizer, ExamplesReport* report);

}  // namespace atelier::train
