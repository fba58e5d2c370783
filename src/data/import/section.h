// Documents as sections: what stands under one heading, with the headings above it. Markdown, HTML and PDF share it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/import/import.h"

namespace atelier::data {

struct Section {
  std::vector<std::string> headings;  // from the outermost to this section's own
  std::string text;                   // paragraphs parted by a blank line; tables row by row
  uint64_t line = 0;                  // where it begins in the source; 0: unknown
};

struct Document {
  std::string title;
  std::vector<std::pair<std::string, std::string>> fields;  // front matter: key and JSON value
  std::vector<Section> sections;
};

// Builds sections while a document is walked.
class SectionBuilder {
 public:
  explicit SectionBuilder(Document* document) : document_(document) {}
  void Heading(int level, std::string text, uint64_t line);  // level from 1
  void Line(std::string_view text, uint64_t line);           // of the section's text; "" parts paragraphs
  void Finish();

 private:
  void Close();
  Document* document_;
  std::vector<std::pair<int, std::string>> path_;
  Section open_;
};

// One record per section: {"title", "headings": [...], "text"} and the document's fields. A document without text is a
// reject.
void EmitDocument(const Document& document, ImportSink& sink);

// The whole source as text; nothing, after a reject, for more than 64 MiB or bytes that do not decode.
bool ReadWhole(const ReaderInput& input, ImportSink& sink, std::string* text);

// Markdown (CommonMark's block structure so far as headings need it): front matter in YAML's simplest form, ATX and
// setext headings, fenced code left alone.
Document ParseMarkdown(std::string_view text);

// HTML by gumbo: title, headings, blocks of text. Scripts, styles, navigation, footers, forms' controls and what is
// hidden are left out; a single <main> is taken alone. Throws kInvalidInput for elements nested too deeply. Runs in a
// child (`atelier data read-html`); in process for tests and fuzzing only.
Document ExtractHtml(std::string_view html);
Json ToJson(const Document& document);
Document DocumentFromJson(const Json& json);  // throws kCorrupt

}  // namespace atelier::data
