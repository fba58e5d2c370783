// Texts and their classes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/examples.h"

namespace atelier::train {

// One class a text, data.label: rows of tokens (token_rows.h), targets [batch]. `classes` empty: those that occur, by
// value where all are whole numbers, else by code point. Throws kInvalidInput for a label that is none of `classes`,
// naming the record and them.
std::unique_ptr<Examples> LabelledExamples(const Records& records, const DataSettings& data,
                                           const text::Tokenizer& tokenizer, std::vector<std::string>* classes,
                                           ExamplesReport* report);

// One class a word: data.text and data.label are divided by white space into as many words and classes. A word's first
// token is asked for its class, its others and the marks are not (Devlin et al. 2019, section 5.3). Targets [batch,
// time]. A record whose numbers of words and classes differ is kInvalidInput.
std::unique_ptr<Examples> TaggedExamples(const Records& records, const DataSettings& data,
                                         const text::Tokenizer& tokenizer, std::vector<std::string>* classes,
                                         ExamplesReport* report);

}  // namespace atelier::train
