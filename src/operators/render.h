// The operator `render`: writes what came out, as JSON lines and through templates. Every file is written atomically.
//
//   [[step]]
//   id = "page"
//   use = "render"
//   show = 4                             # the chosen one and its runner-ups, as `select` has it
//   [[step.file]]
//   name = "copy.jsonl"
//   kind = "jsonl"                       # one line per record; docs/formats/make.md
//   [[step.file]]
//   name = "index.html"
//   template = "templates/page.html.jinja"
//   escape = true                        # everything from records is escaped for HTML
//   include = { style = "templates/page.css" }   # files of the recipe's folder, as variables
//
// What a template sees is docs/formats/make.md.
#pragma once

#include <memory>

#include "recipe/run.h"

namespace atelier::operators {

std::unique_ptr<recipe::Operator> MakeRender(Table& step, const recipe::StepContext& context);

// What templates see; also the source of the JSON lines.
Json RenderContext(recipe::Run& run, size_t show);
// The lines of the JSONL file, one document per record.
Json RenderLine(const Json& record);

}  // namespace atelier::operators
