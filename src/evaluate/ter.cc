#include "evaluate/ter.h"

#include <algorithm>

#include "base/str.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

bool IsRemoved(std::string_view character, char32_t c, bool asian) {
  if (character.size() == 1) return std::string_view(".,?:;!\"()").find(character[0]) != std::string_view::npos;
  return asian && IsTercomPunctuation(c);
}

// What is left of a line's tokens without punctuation, in *out's bytes.
void RemovePunctuation(bool asian, TokenLine* out) {
  std::string kept;
  std::vector<size_t> ends;
  for (const std::string_view token : out->tokens) {
    const size_t begin = kept.size();
    for (size_t at = 0; at < token.size();) {
      const text::DecodedChar c = text::DecodeChar(token.substr(at));
      const std::string_view character = token.substr(at, c.length);
      if (!IsRemoved(character, c.c, asian)) kept += character;
      at += c.length;
    }
    if (kept.size() > begin) ends.push_back(kept.size());
  }
  out->bytes = std::move(kept);
  out->tokens.clear();
  size_t begin = 0;
  for (const size_t end : ends) {
    out->tokens.push_back(std::string_view(out->bytes).substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace

void TerOptions::Declare(MetricSettings& settings) {
  settings.Flag("normalized", &normalized, "punctuation and symbols are words of their own");
  settings.Flag("no-punct", &no_punct, "without punctuation");
  settings.Flag("asian-support", &asian_support,
                "with --normalized ideographs are words, with --no-punct Asian punctuation goes too");
  settings.Flag("case-sensitive", &case_sensitive, "upper and lower case differ");
}

Ter::Ter(const TerOptions& options)
    : options_(options),
      tokenizer_(!options.normalized     ? Scheme::kNone
                 : options.asian_support ? Scheme::kTercomAsian
                                         : Scheme::kTercom,
                 !options.case_sensitive) {}

void Ter::Split(std::string_view line, TokenLine* out) const {
  tokenizer_.Split(line, out);
  if (options_.no_punct) RemovePunctuation(options_.asian_support, out);
}

void Ter::Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) {
  references_.resize(std::max(references_.size(), references.size()));
  once_.resize(references_.size());
  Split(hypothesis, &hypothesis_);
  size_t words = hypothesis_.tokens.size();
  for (size_t r = 0; r < references.size(); ++r) {
    Split(references[r], &references_[r]);
    if (options_.normalized) {
      // sacrebleu prepares a reference, and then what came of it once more; "dog's." has its 's apart only then.
      once_[r] = Join(std::vector<std::string>(references_[r].tokens.begin(), references_[r].tokens.end()), " ");
      Split(once_[r], &references_[r]);
    }
    words += references_[r].tokens.size();
  }
  symbols_.Reset(words);
  const auto number = [&](const TokenLine& line) {
    std::vector<uint32_t> numbers;
    for (const std::string_view token : line.tokens) numbers.push_back(symbols_.Add(token));
    return numbers;
  };
  const std::vector<uint32_t> text = number(hypothesis_);
  counts[0] = -1;
  counts[1] = 0;
  counts[2] = static_cast<int64_t>(references.size());
  counts[3] = 1;
  for (size_t r = 0; r < references.size(); ++r) {
    const std::vector<uint32_t> reference = number(references_[r]);
    const int64_t edits = EditsWithShifts(text, reference);
    if (counts[0] < 0 || edits < counts[0]) counts[0] = edits;
    counts[1] += static_cast<int64_t>(reference.size());
  }
}

// Every line has as many references, so the mean lengths of lines add up to all words by that number.
double Ter::ReferenceLength(std::span<const int64_t> sum) {
  return sum[2] == 0 ? 0 : static_cast<double>(sum[1]) / (static_cast<double>(sum[2]) / static_cast<double>(sum[3]));
}

double Ter::Score(std::span<const int64_t> sum, size_t) const {
  if (sum[1] == 0) return sum[0] > 0 ? 100 : 0;
  return 100 * (static_cast<double>(sum[0]) / ReferenceLength(sum));
}

std::string Ter::Fields(bool) const {
  const auto yes = [](bool value) { return value ? "yes" : "no"; };
  return Cat("case:", options_.case_sensitive ? "mixed" : "lc", "|tok:tercom|norm:", yes(options_.normalized),
             "|punct:", yes(!options_.no_punct), "|asian:", yes(options_.asian_support));
}

Json Ter::Details(std::span<const int64_t> sum) const {
  return {{"edits", sum[0]}, {"ref_length", ReferenceLength(sum)}};
}

}  // namespace atelier::evaluate
