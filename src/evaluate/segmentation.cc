#include "evaluate/segmentation.h"

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// A white-space word is all white space: its first character tells.
bool IsBlank(std::string_view word) { return word.empty() || text::IsSpace(text::DecodeChar(word).c); }

}  // namespace

double SegmentationScore::precision() const { return Share(right, found); }
double SegmentationScore::recall() const { return Share(right, gold); }
double SegmentationScore::f1() const {
  const double p = precision(), r = recall();
  return p + r == 0 ? 0 : 2 * p * r / (p + r);
}
double SegmentationScore::unknown_rate() const { return Share(unknown, gold); }
double SegmentationScore::unknown_recall() const { return Share(unknown_right, unknown); }
double SegmentationScore::known_recall() const { return Share(right - unknown_right, gold - unknown); }

void SegmentationMeasure::Add(std::span<const std::string_view> gold, std::span<const std::string_view> found) {
  size_t f = 0, gold_at = 0, found_at = 0;  // found_at: where found[f] begins
  const auto skip_blank = [&] {
    while (f < found.size() && IsBlank(found[f])) ++f;
  };
  for (const std::string_view word : gold) {
    if (IsBlank(word)) continue;
    while (true) {  // words that end before this one begins
      skip_blank();
      if (f == found.size() || found_at >= gold_at) break;
      found_at += found[f++].size();
      ++score_.found;
    }
    const bool right = f < found.size() && found_at == gold_at && found[f].size() == word.size();
    if (right && found[f] != word) {
      throw Error(Code::kInvalidInput, Cat("the gold has ", Quote(word), " where the other text has ", Quote(found[f])),
                  "both must be words of the same text");
    }
    ++score_.gold;
    score_.right += right;
    if (!known_.contains(std::string(word))) {
      ++score_.unknown;
      score_.unknown_right += right;
    }
    gold_at += word.size();
  }
  for (; f < found.size(); ++f) {
    if (IsBlank(found[f])) continue;
    found_at += found[f].size();
    ++score_.found;
  }
  if (found_at != gold_at) {
    throw Error(Code::kInvalidInput, Cat("a line has ", gold_at, " bytes of words in the gold and ", found_at, " here"),
                "both must be words of the same text");
  }
}

}  // namespace atelier::evaluate
