// The operator `retrieve`: passages of an index, in a field that the steps after it and templates see.
//
//   [[step]]
//   id = "passages"
//   use = "retrieve"
//   index = "debian"                 # of the studio: atelier index list
//   query = "{{ question }}"         # a template over the record's fields
//   k = 8
//   mode = "hybrid"                  # or bm25, dense
//   filter = ["book=reference"]      # templates too; all must hold
//   into = "passages"                # the field; no input field has this name
//
// Each passage is { number, document, title, source, anchor, lang, headings, heading, text, begin, end, score, bm25,
// cosine }, begin and end in characters of the document's text.
#pragma once

#include <memory>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeRetrieve(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
