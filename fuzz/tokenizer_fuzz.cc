// Hostile vocabularies and texts for all tokenizers. The first bytes choose the kind and the options; then come
// tokens, merges and a text, cut at 0x1F. Only Error may come out; a vocabulary that holds every byte gives every text
// back.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/str.h"
#include "text/pretokenizers.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace {

using namespace atelier;  // NOLINT: a fuzz target

void Expect(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::string> Alphabet(bool bytes_as_pieces) {
  std::vector<std::string> tokens;
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    const bool same = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    if (bytes_as_pieces) {
      tokens.push_back(std::string{'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'});
    } else {
      text::AppendUtf8(&tokens.emplace_back(), same ? byte : next++);
    }
  }
  if (bytes_as_pieces) tokens.push_back("\xE2\x96\x81");  // without it a space cannot come back
  return tokens;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8) return 0;
  const bool pieces = data[0] & 1, whole = data[0] & 2;
  text::TokenizerSpec spec;
  const bool unigram = pieces && (data[0] & 32) != 0;
  const bool words = !pieces && (data[0] & 32) != 0;
  spec.model = unigram ? "t5" : pieces ? "llama" : words ? "bert" : "gpt2";
  spec.merge_spaces = data[0] & 64;
  const std::vector<std::string> names = text::PreTokenizerNames();
  spec.pre = names[data[1] % names.size()];
  spec.add_space_prefix = data[0] & 4;
  spec.add_bos = data[0] & 8;
  spec.add_eos = data[0] & 16;
  spec.bos = static_cast<int8_t>(data[2]);
  spec.eos = static_cast<int8_t>(data[3]) * 1000;
  spec.unknown = static_cast<int8_t>(data[4]);
  spec.end_of_generation = {static_cast<int8_t>(data[5]), 1 << 30};
  const std::vector<std::string> parts =
      Split(std::string_view(reinterpret_cast<const char*>(data) + 8, size - 8), '\x1F');
  if (whole) {
    spec.tokens = Alphabet(pieces);
    spec.types.assign(256, pieces ? 6 : 1);
    spec.types.resize(spec.tokens.size(), 1);
  }
  // What begins with 'c' is the charsmap.
  for (size_t i = 0; i + 1 < parts.size() && unigram; ++i) {
    if (parts[i].starts_with('c')) spec.charsmap = parts[i].substr(1);
  }
  // A part that begins with a digit is a token of that type, scored by its second byte; 'm' begins a merge; the last
  // part is the text.
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (!part.empty() && part[0] == 'm') {
      spec.merges.push_back(part.substr(1));
      // What merges into no token is lost (as in llama.cpp): a whole vocabulary names every result.
      const size_t space = part.find(' ', 2);
      if (whole && space != std::string::npos) {
        spec.tokens.push_back(part.substr(1, space - 1) + part.substr(space + 1));
        spec.types.push_back(1);
      }
    } else if (part.size() >= 2) {
      // A whole vocabulary stays one where every text comes back: no tokens that swallow or rename its bytes.
      const bool plain = whole && !pieces;
      spec.types.push_back(plain ? 1 : static_cast<uint8_t>(part[0] - '0'));
      spec.tokens.push_back(part.substr(2));
    }
  }
  if (pieces) {
    for (size_t i = 0; i < spec.tokens.size(); ++i) spec.scores.push_back(static_cast<float>(i * 37 % 11) - data[6]);
    if (data[6] == 255 && !spec.scores.empty()) spec.scores[0] = __builtin_nanf("");
  }
  if (data[7] == 255) spec.types.push_back(1);  // one too many
  const std::string& raw = parts.back();
  const size_t tokens = spec.tokens.size();
  const bool space_prefix = spec.add_space_prefix;
  try {
    const auto tokenizer = text::MakeTokenizer(std::move(spec));
    for (int options = 0; options < 4; ++options) {
      const auto ids = tokenizer->Encode(raw, {.add_special = (options & 1) != 0, .parse_special = (options & 2) != 0});
      for (text::TokenId id : ids) Expect(id >= 0 && static_cast<size_t>(id) < tokens);
      const std::string decoded = tokenizer->Decode(ids, true);
      // Round trip: not where control tokens vanish, U+2581 stands for a space, or byte pieces were redefined.
      const bool bytes_stay = (tokens == 257 || !pieces) && !unigram && !words;
      if (whole && options == 0 && bytes_stay &&
          !(pieces && (space_prefix || raw.find("\xE2\x96\x81") != std::string::npos))) {
        bool hidden = false;
        for (text::TokenId id : ids) hidden |= tokenizer->IsControl(id);
        if (!hidden) Expect(decoded == text::SanitizeUtf8(raw));
      }
    }
    for (text::TokenId id = -1; id <= static_cast<text::TokenId>(tokens); ++id) {
      tokenizer->Piece(id);
      tokenizer->EndsGeneration(id);
    }
  } catch (const Error&) {
  }
  // What streams out token by token is the text, whatever the pieces.
  text::Utf8Stream stream;
  std::string streamed;
  const size_t step = data[2] % 5 + 1;
  for (size_t at = 0; at < raw.size(); at += step) streamed += stream.Append(std::string_view(raw).substr(at, step));
  streamed += stream.Finish();
  Expect(streamed == text::SanitizeUtf8(raw));
  Expect(text::IsValidUtf8(streamed));
  text::DisplayWidth(raw);
  text::Nfc(raw);
  return 0;
}
