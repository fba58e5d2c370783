#include "evaluate/bleu.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {
namespace {

const std::vector<std::string> kSmoothings = {"exp", "floor", "add-k", "none"};

void MustBeOneOf(const std::string& value, const std::vector<std::string>& choices, std::string_view what) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  throw Error(Code::kUsage, Cat("bleu: there is no ", what, " ", Quote(value)), Join(choices, ", "));
}

}  // namespace

void BleuOptions::Declare(MetricSettings& settings) {
  settings.Choice("tokenize", &tokenize, SchemeNames(), "how texts become tokens");
  settings.Choice("smooth", &smooth, kSmoothings, "what stands for precisions of zero");
  settings.Number("smooth-value", &smooth_value, "of floor (0.1 when not given) and add-k (1)", 0, 1e6);
  settings.Flag("lowercase", &lowercase, "upper and lower case count as equal");
  settings.Int("max-order", &max_order, "the longest n-grams", 1, 16);
  settings.Flag("effective-order", &effective_order, "leave out orders that the texts are too short for");
  settings.Flag("force", &force, "no warning for texts that look tokenized already");
}

Bleu::Bleu(const BleuOptions& options)
    : options_(options),
      order_(static_cast<size_t>(options.max_order)),
      tokenizer_(SchemeOf(options.tokenize, "bleu"), options.lowercase) {
  MustBeOneOf(options.smooth, kSmoothings, "smoothing");
  smooth_value_ = options.smooth_value.value_or(options.smooth == "floor" ? 0.1 : 1);
}

void Bleu::Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) {
  references_.resize(std::max(references_.size(), references.size()));
  numbers_.resize(std::max(numbers_.size(), references.size() + 1));
  tokenizer_.Split(hypothesis, &hypothesis_);
  size_t words = hypothesis_.tokens.size();
  for (size_t r = 0; r < references.size(); ++r) {
    tokenizer_.Split(references[r], &references_[r]);
    words += references_[r].tokens.size();
  }
  symbols_.Reset(words);
  const auto number = [&](const TokenLine& line, std::vector<uint32_t>* out) {
    out->clear();
    for (const std::string_view token : line.tokens) out->push_back(symbols_.Add(token));
  };
  const auto length = static_cast<int64_t>(hypothesis_.tokens.size());
  int64_t nearest = -1;
  texts_.clear();
  for (size_t r = 0; r < references.size(); ++r) {
    number(references_[r], &numbers_[r]);
    texts_.emplace_back(numbers_[r]);
    const auto candidate = static_cast<int64_t>(numbers_[r].size());
    const int64_t gap = std::abs(candidate - length), least = std::abs(nearest - length);
    if (nearest < 0 || gap < least || (gap == least && candidate < nearest)) nearest = candidate;
  }
  number(hypothesis_, &numbers_[references.size()]);
  counts[0] = length;
  counts[1] = nearest;
  matcher_.Match(numbers_[references.size()], texts_, order_, counts + 2);
  for (size_t n = 0; n < order_; ++n) counts[2 + order_ + n] = std::max<int64_t>(0, length - static_cast<int64_t>(n));
}

double Bleu::BrevityPenalty(std::span<const int64_t> sum) const {
  if (sum[0] >= sum[1]) return 1;
  return sum[0] > 0 ? std::exp(1 - static_cast<double>(sum[1]) / static_cast<double>(sum[0])) : 0;
}

double Bleu::Compute(std::span<const int64_t> sum, bool effective, std::vector<double>* precisions) const {
  const bool none = std::all_of(sum.begin() + 2, sum.begin() + 2 + static_cast<int64_t>(order_),
                                [](int64_t matches) { return matches == 0; });
  if (precisions != nullptr) precisions->assign(order_, 0);
  if (none) return 0;
  double halves = 1, logs = 0;
  bool zero = false;
  size_t orders = order_, n = 0;
  for (; n < order_; ++n) {
    const bool add = options_.smooth == "add-k" && n > 0;
    const double matches = static_cast<double>(sum[2 + n]) + (add ? smooth_value_ : 0);
    const double grams = static_cast<double>(sum[2 + order_ + n]) + (add ? smooth_value_ : 0);
    if (grams == 0) break;
    if (effective) orders = n + 1;
    double precision = 100 * matches / grams;
    if (matches == 0 && options_.smooth == "exp") {
      halves *= 2;
      precision = 100 / (halves * grams);
    } else if (matches == 0 && options_.smooth == "floor") {
      precision = 100 * smooth_value_ / grams;
    }
    if (precisions != nullptr) (*precisions)[n] = precision;
    if (precision == 0) {
      zero = true;
    } else {
      logs += std::log(precision);
    }
  }
  if (zero || n < orders) return 0;  // a precision of zero among those that count
  return BrevityPenalty(sum) * std::exp(logs / static_cast<double>(orders));
}

double Bleu::Score(std::span<const int64_t> sum, size_t) const {
  return Compute(sum, options_.effective_order, nullptr);
}

double Bleu::LineScore(std::span<const int64_t> counts, size_t) const { return Compute(counts, true, nullptr); }

std::string Bleu::Fields(bool line) const {
  std::string smooth = options_.smooth;
  if (smooth == "floor" || smooth == "add-k") smooth += Cat("[", FormatFixed(smooth_value_, 2), "]");
  return Cat("case:", options_.lowercase ? "lc" : "mixed", "|eff:", line || options_.effective_order ? "yes" : "no",
             "|tok:", options_.tokenize, "|smooth:", smooth, order_ == 4 ? "" : Cat("|order:", order_));
}

Json Bleu::Details(std::span<const int64_t> sum) const {
  std::vector<double> precisions;
  Compute(sum, options_.effective_order, &precisions);
  const auto part = [&](size_t from) {
    return std::vector<int64_t>(sum.begin() + static_cast<int64_t>(from),
                                sum.begin() + static_cast<int64_t>(from + order_));
  };
  return {{"precisions", precisions},   {"matches", part(2)},
          {"ngrams", part(2 + order_)}, {"brevity_penalty", BrevityPenalty(sum)},
          {"hyp_length", sum[0]},       {"ref_length", sum[1]}};
}

Note Bleu::Doubt(std::span<const std::string_view> hypotheses) const {
  constexpr int64_t kMany = 100;  // as sacrebleu has it
  const auto tokenized =
      std::count_if(hypotheses.begin(), hypotheses.end(), [](std::string_view line) { return line.ends_with(" ."); });
  if (options_.force || options_.tokenize == "none" || tokenized < kMany) return {};
  return {Cat(tokenized, " lines end in ' .': BLEU wants texts as people read them, not tokens (--force: they are)"),
          Cat(tokenized, " 行以“ .”结尾：BLEU 要的是供人阅读的文字，不是切开的词（确实如此时用 --force）")};
}

}  // namespace atelier::evaluate
