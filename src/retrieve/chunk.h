// A document cut into passages along its structure.
//
// A chunk never crosses a heading. Paragraphs are cut between sentences and only when they have to be; tables and code
// stay whole where they fit, and are cut between lines where not. Neighbouring chunks of one section overlap by whole
// sentences. What is too long without any of these (one huge line) is cut between characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "retrieve/document.h"

namespace atelier::retrieve {

struct ChunkOptions {
  int target = 220;  // tokens (EstimateTokens) after which a chunk ends at the next border
  int most = 360;    // no chunk has more, its headings not counted
  int overlap = 40;  // of whole sentences that are said again at the head of the next chunk; 0: none
};

struct Chunk {
  size_t begin = 0, end = 0;            // bytes in the document's text
  size_t begin_char = 0, end_char = 0;  // the same in code points
  std::string headings;                 // the path of headings above, outermost first, joined by '\x1f'
  std::string anchor;                   // of the nearest heading that has one
};

std::vector<Chunk> ChunkDocument(const Document& document, const ChunkOptions& options = {});

// What an embedder reads of a chunk: its headings, then its text, as one passage.
std::string PassageText(const Document& document, const Chunk& chunk);

// About how many tokens a sub-word model makes of the text: Han characters by 0.7, words by length, marks by one. An
// estimate on the high side, so that budgets need no model.
int EstimateTokens(std::string_view text);

}  // namespace atelier::retrieve
