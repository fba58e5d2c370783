#include "train/masking.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::train {
namespace {

// A letter or digit of a script that writes words with spaces between them.
bool IsWordLetter(char32_t c) { return (text::IsLetter(c) || text::IsNumber(c)) && !text::IsHan(c); }

}  // namespace

Masking::Edge Masking::EdgeOf(std::string_view bytes) {
  const auto first = static_cast<uint8_t>(bytes.front());
  if ((first & 0xC0) == 0x80) return Edge::kPartOfCharacter;
  const text::DecodedChar c = text::DecodeChar(bytes);
  // The first of two bytes, alone: alphabets from Latin to Arabic begin so.
  if (!c.valid) return first >= 0xC3 && first <= 0xDF ? Edge::kLetter : Edge::kOther;
  return IsWordLetter(c.c) ? Edge::kLetter : Edge::kOther;
}

Masking::Masking(const text::Tokenizer& tokenizer, int64_t mask, double share, bool whole_words)
    : mask_(mask), share_(share), whole_words_(whole_words) {
  if (mask_ < 0) {
    throw Error(Code::kUnsupported, "the tokenizer has no token <mask> or [MASK], so nothing can be hidden",
                "train one that has: [tokenizer] without file");
  }
  for (text::TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    Piece piece;
    const std::string bytes = tokenizer.Piece(id);
    piece.control = tokenizer.IsControl(id) || bytes.empty();
    if (!piece.control) {
      ordinary_.push_back(id);
      piece.begins = EdgeOf(bytes);
      size_t last = bytes.size() - 1;
      while (last > 0 && (static_cast<uint8_t>(bytes[last]) & 0xC0) == 0x80) --last;
      piece.ends = EdgeOf(std::string_view(bytes).substr(last));
    }
    pieces_.push_back(piece);
  }
}

std::vector<bool> Masking::BeginsWord(std::span<const int64_t> ids) const {
  std::vector<bool> begins(ids.size(), true);
  const Piece* before = nullptr;
  Edge last = Edge::kOther;  // of the last character that is known
  for (size_t i = 0; i < ids.size(); ++i) {
    const Piece& piece = pieces_[static_cast<size_t>(ids[i])];
    if (before != nullptr && !before->control && !piece.control) {
      begins[i] = piece.begins != Edge::kPartOfCharacter && (last != Edge::kLetter || piece.begins != Edge::kLetter);
    }
    if (piece.control) {
      last = Edge::kOther;
    } else if (piece.ends != Edge::kPartOfCharacter) {
      last = piece.ends;
    }
    before = &piece;
  }
  return begins;
}

void Masking::Hide(std::span<int64_t> ids, std::span<int64_t> targets, Rng* rng) const {
  struct Word {
    size_t begin, end;
  };
  const std::vector<bool> begins = BeginsWord(ids);
  std::vector<Word> words;
  size_t count = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (pieces_[static_cast<size_t>(ids[i])].control) continue;
    ++count;
    if (whole_words_ && !begins[i]) {
      words.back().end = i + 1;
    } else {
      words.push_back({i, i + 1});
    }
  }
  if (count == 0) return;
  const auto wanted = std::max<size_t>(1, static_cast<size_t>(std::llround(share_ * static_cast<double>(count))));
  for (size_t i = words.size(); i > 1; --i) std::swap(words[i - 1], words[rng->Below(i)]);
  size_t chosen = 0;
  for (const Word& word : words) {
    if (chosen >= wanted) break;
    // A word that does not fit any more is passed over, but for a text that has no other.
    if (chosen > 0 && chosen + (word.end - word.begin) > wanted) continue;
    for (size_t i = word.begin; i < word.end; ++i) {
      targets[i] = ids[i];
      const double draw = rng->Uniform();
      if (draw < 0.8) {
        ids[i] = mask_;
      } else if (draw < 0.9) {
        ids[i] = ordinary_[rng->Below(ordinary_.size())];
      }
    }
    chosen += word.end - word.begin;
  }
}

}  // namespace atelier::train
