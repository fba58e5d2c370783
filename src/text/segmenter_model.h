// The weights of the segmenter, in a file and ready to be used. docs/formats/segmenter.md.
//
// A linear model over the units of a text (word_units.h) with the tags B, M, E, S. The score of a tag at place i is the
// sum of the weights of: the symbols at i-2 .. i+2; the neighbouring pairs of symbols in that window; the pair (i-1,
// i+1); the triples around i; the types of the five symbols. A sequence's score adds weights of neighbouring tags.
// After Jiang, Huang, Liu, Lü (ACL 2008, "A cascaded linear model for joint Chinese word segmentation and
// part-of-speech tagging"), trained as Collins (EMNLP 2002).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/word_units.h"

namespace atelier::text {

enum WordTag : uint8_t { kTagB, kTagM, kTagE, kTagS };
inline constexpr int kTags = 4;

// Numbers of symbols: kinds of units first, then the characters that the model knows.
inline constexpr uint16_t kPadSymbol = 0, kUnknownHan = 1, kUnknownMark = 2, kFirstNumber = 3 /* + shape, 0..8 */,
                          kLatinSymbol = 12 /* + shape, 0..1 */, kMixedSymbol = 14, kLinkSymbol = 15, kSpaceSymbol = 16,
                          kEmojiSymbol = 17, kLettersSymbol = 18, kOtherSymbol = 19, kFirstCharacter = 32;
inline constexpr int kSymbolTypes = 8;
inline constexpr int kTypeRows = 8 * 8 * 8 * 8 * 8;

using TagRow = std::array<int16_t, kTags>;

// What a trainer fills and a file holds. Keys are sorted and unique.
struct SegmenterWeights {
  std::vector<char32_t> characters;  // [n]; symbol kFirstCharacter + i
  std::vector<std::pair<char32_t, uint16_t>>
      same;  // further characters (traditional forms) and the symbol they count as
  std::vector<std::array<TagRow, 5>>
      symbols;                      // [kFirstCharacter + n]: rows for the places from two before it to two after it
  std::vector<uint32_t> pair_keys;  // a << 16 | b
  std::vector<std::array<TagRow, 4>> pairs;  // rows for the places a-1, a, b, b+1
  std::vector<uint32_t> skip_keys;
  std::vector<TagRow> skips;                   // for the place between
  std::vector<uint64_t> triple_keys;           // a << 32 | b << 16 | c
  std::vector<std::array<TagRow, 3>> triples;  // for the places of a, b, c
  std::vector<TagRow> types;                   // [kTypeRows]; index: five types, the leftmost in the highest bits
  std::array<std::array<int16_t, kTags>, kTags> transitions{};  // [from][to]; those that cannot be are 0
  double scale = 1;         // a weight's value before it was rounded, times scale, is its number
  std::string description;  // one line of JSON: what it was trained on and how good it is
};

class SegmenterModel {
 public:
  // Throws Error(kCorrupt) for a file that is damaged or contradicts itself, kUnsupported for a later version.
  static std::shared_ptr<const SegmenterModel> Parse(std::string_view bytes, const std::string& where);
  static std::string Serialise(const SegmenterWeights& weights);
  // Whether bytes begin as such a file does.
  static bool Recognise(std::string_view bytes);

  explicit SegmenterModel(SegmenterWeights weights);

  uint16_t Symbol(const TextUnit& unit) const;
  uint8_t Type(uint16_t symbol) const { return symbol_types_[symbol]; }
  // Adds up tag scores. `symbols` has two pads before its first and after its last of n places; scores: [n + 4][4], of
  // which the two rows before and after are scratch.
  void Score(const uint16_t* symbols, size_t n, int16_t* scores) const;
  const SegmenterWeights& weights() const { return weights_; }
  int64_t parameters() const;

 private:
  struct Slot {
    uint32_t key = 0, index = kNone;
  };
  static constexpr uint32_t kNone = ~uint32_t{0};

  SegmenterWeights weights_;
  std::vector<uint16_t> basic_symbols_;  // [0x10000], 0: unknown
  std::vector<std::pair<char32_t, uint16_t>> other_symbols_;
  std::vector<uint8_t> symbol_types_;
  std::vector<Slot> pair_slots_, skip_slots_, triple_slots_;
};

// The type of a symbol, for TypeRow: pad, ideograph, numeral ideograph, mark, number, Latin, unit of time, other.
uint8_t TypeOfSymbol(uint16_t symbol, char32_t c);
// The symbol of a unit that is no known character.
uint16_t KindSymbol(const TextUnit& unit);

}  // namespace atelier::text
