// The tokenizer that a run uses: one that was trained before, one that is trained on the run's own records, or plain
// bytes.
#pragma once

#include <string>
#include <vector>

#include "base/progress.h"
#include "text/tokenizer.h"
#include "train/records.h"
#include "train/settings.h"

namespace atelier::train {

// 256 bytes and the marks <s>, </s>, <pad>, <mask>: byte-level BPE without a merge, which needs no training.
text::TokenizerSpec ByteTokenizer();

// As `settings` say. A tokenizer that is trained sees the named fields of all records, and knows the marks of
// ByteTokenizer (and <unk> where it is a unigram).
text::TokenizerSpec TokenizerFor(const TokenizerSettings& settings, const Records& records,
                                 const std::vector<std::string>& fields, int threads, const ProgressFn& progress);

}  // namespace atelier::train
