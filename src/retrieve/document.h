// A document as retrieval sees it: one plain text, and the blocks it is made of. Every position that a citation names
// is a position in this text.
//
// Plain text and Markdown keep their bytes (ill-formed ones replaced), so a span in `text` is a span in the file. HTML
// becomes the text of its blocks, a line end between two; a heading's id is kept as the anchor to open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace atelier::retrieve {

enum class BlockKind : uint8_t { kHeading, kParagraph, kItem, kTable, kCode };

struct Block {
  BlockKind kind = BlockKind::kParagraph;
  int level = 0;              // of a heading, from 1
  size_t begin = 0, end = 0;  // bytes in the document's text
  std::string anchor;         // of a heading: what stands after '#' to open it; may be empty
};

struct Document {
  std::string id;                // unique in an index; adding another with this id replaces it
  std::string title;             // for people; "" takes the first heading, else the id
  std::string source;            // the path or address that the text came from
  std::string lang;              // "zh", "en" or ""
  Json fields = Json::object();  // flat: text, numbers, truth values; what filters ask for
  std::string text;              // valid UTF-8
  std::vector<Block> blocks;     // in order, not overlapping
};

enum class TextKind { kPlain, kMarkdown, kHtml };

// By the file's name: .md .markdown, .html .htm .xhtml, else plain.
TextKind KindOfFile(std::string_view path);

// The two halves of ReadText that have files of their own. ReadHtml fills a title only where there is none; it builds
// the whole tree in memory, so pages that come from anywhere are read by html_child.h instead.
void ReadPlain(std::string_view bytes, bool markdown, Document* document);
void ReadHtml(std::string_view bytes, Document* document);
using HtmlReader = std::function<void(std::string_view bytes, Document* document)>;

// Fills text, blocks and title. Throws Error(kInvalidInput) for HTML that nests deeper than 400 levels or has more than
// 500,000 blocks, and for more than 64 MiB of text.
void ReadText(std::string_view bytes, TextKind kind, Document* document, const HtmlReader& html = ReadHtml);

// Puts headings, outermost first, above a document that was read, as lines of its text.
void PutHeadings(const std::vector<std::string>& headings, Document* document);

// "zh" when at least a fifth of the letters are Han, "en" when most are Latin, else "".
std::string GuessLanguage(std::string_view text);

}  // namespace atelier::retrieve
