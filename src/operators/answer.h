// The operator `answer`: a writer that answers a question with sentences of the passages that `retrieve` found, word
// for word, each with its citation; or says that the documents do not have it.
//
//   [[step]]
//   id = "answer"
//   use = "answer"
//   index = "debian"                    # the one that the passages come from: its terms' weights and its vectors
//   question = "question"               # the field with the question
//   passages = "passages"               # the field that `retrieve` filled
//   most_sentences = 3
//   most_chars = 420
//   absent = { zh = "文档里没有。", en = "Not in the documents." }
//   other_language = { zh = "...", en = "..." }  # said before sentences in another language
//   [step.confidence]                   # a logistic by the question's language; below `least` nothing is answered
//   least = 0.5
//   zh = { bias = -1.0, cosine = 1.0, coverage = 1.0, bm25 = 0.1, sentence = 1.0, agreement = 1.0 }
//   en = { ... }
//
// The measures, each of them one of the candidate's scores: `cosine` and `bm25` of the nearest passage, `coverage` (the
// most of the question's terms in one of the first four, weighed by how rare they are), `sentence` (the cosine of the
// nearest sentence under its heading), `agreement` (the share of the passages that words and vectors both found).
//
// Passages in the question's language come first where they are about as near as the nearest. A candidate's output is
// { answer, found ("yes" or "no"), citations }, its choices hold the citations in full: document, heading, anchor, and
// the passage in parts, those that the answer says marked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeAnswer(Table& step, const recipe::StepContext& context);

// A passage's text in what may be said by itself: sentences, rows of tables, lines of code. A line that ends with a
// colon takes what follows it along. Bytes in the text, ascending.
struct Unit {
  size_t begin = 0, end = 0;
};
std::vector<Unit> Units(std::string_view text);

}  // namespace atelier::operators
