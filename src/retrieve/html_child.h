// HTML read in a child process with limits: what `index add` reads pages with, since pages come from anywhere.
//
// The child is `atelier index read-html`: a page on standard input, the document's text, title and blocks as JSON on
// standard output. What it says is checked before anybody believes it.
#pragma once

#include <string>

#include "base/json.h"
#include "data/import/child_reader.h"
#include "retrieve/document.h"

namespace atelier::retrieve {

// What ReadHtml fills in: {"title", "text", "blocks": [[kind, level, begin, end, anchor], ...]}.
Json HtmlToJson(const Document& document);
// Throws Error(kInvalidInput) for blocks that are not in order or lead out of the text.
void HtmlFromJson(const Json& json, Document* document);

// As ReadHtml, by a child. `program`: atelier itself. A page that it dies of, or that takes too much, is
// Error(kInvalidInput) of one line.
HtmlReader ReadHtmlInChild(std::string program, data::ChildLimits limits = {});

}  // namespace atelier::retrieve
