// A smaller vocabulary that cuts texts as the whole one does.
//
// Merging builds a token out of smaller ones, so those must stay that it is built of; then every text whose tokens all
// stay is cut the same way. (The whole vocabulary merges, at each step, the best pair there is; a smaller one has fewer
// pairs, but that one among them.) Other texts come out as smaller pieces, at last as bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace atelier::text {

// Which tokens stay, ascending: `wanted`, and what they are built of; all that are no pieces of texts (bytes, the
// alphabet, control tokens, those that users define); and of the others the first ones, until `least` stay or none is
// left. Trainers number tokens as they find them, the most frequent first.
//
// Throws kUnsupported for a tokenizer that does not merge, kInvalidInput for a wanted id that is none.
std::vector<TokenId> TokensThatStay(const TokenizerSpec& spec, std::span<const TokenId> wanted, int64_t least);

// The specification of those alone, numbered in their order. Ids of tokens that do not stay become -1.
TokenizerSpec Subset(const TokenizerSpec& spec, std::span<const TokenId> stay);

}  // namespace atelier::text
