// Pairs of a source and a target text, for the models that make one out of the other (model/translator.h).
#pragma once

#include <memory>
#include <vector>

#include "train/examples.h"

namespace atelier::train {

// The marks around a target: the tokenizer's begin and end, and its end for both where it has no begin. Throws
// kInvalidInput where it has no end, since then nothing could say where a target ends.
struct PairMarks {
  int64_t begin = 0, end = 0, padding = 0;
};
PairMarks FindPairMarks(const text::Tokenizer& target);

// A source as such models read it: its tokens and the tokenizer's end mark, where it has one. At most `longest` of
// them; *truncated says whether tokens were left out.
std::vector<int64_t> SourceTokens(const text::Tokenizer& tokenizer, std::string_view text, int64_t longest,
                                  bool* truncated);

// One record a row: the source as SourceTokens has it; inputs are the begin mark and the target, targets the target and
// the end mark. Rows of a batch are padded to the longest of them and are alike in length of both together. A record
// one of whose texts is empty or has nothing but spaces is counted and left out; one whose source is longer than
// data.source_length or whose target is longer than data.sequence_length, with a mark each, is cut or dropped as
// data.long_records says. Throws kInvalidInput where a record lacks a field (naming it), and where none is left.
std::unique_ptr<Examples> PairExamples(const Records& records, const DataSettings& data, const text::Tokenizer& source,
                                       const text::Tokenizer& target, ExamplesReport* report);

}  // namespace atelier::train
