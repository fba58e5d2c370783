// The tokenizer that a run uses: one that was trained before, or plain bytes.
#pragma once

#include "text/tokenizer.h"
#include "train/settings.h"

namespace atelier::train {

// 256 bytes and the marks <s>, </s>, <pad>, <mask>: byte-level BPE without a merge, which needs no training.
text::TokenizerSpec ByteTokenizer();

}  // namespace atelier::train
