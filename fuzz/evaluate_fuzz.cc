// Files of texts, the tokenizers of published scores, and the metrics over them. The first byte chooses the settings;
// the rest is a file of hypotheses and, behind U+001E, one of references. Only Error may come out, and a score that is
// a number of its range; self-BLEU is that of BLEU, text by text.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "evaluate/bleu.h"
#include "evaluate/chrf.h"
#include "evaluate/diversity.h"
#include "evaluate/exact_match.h"
#include "evaluate/line_file.h"
#include "evaluate/meteor.h"
#include "evaluate/resample.h"
#include "evaluate/rouge.h"
#include "evaluate/ter.h"

namespace {

using namespace atelier::evaluate;  // NOLINT: a fuzz target

void MustBeSound(ReferenceMetric& metric, std::span<const std::string_view> hypotheses,
                 std::span<const std::vector<std::string_view>> references, double most) {
  const LineCounts counts = CountLines(metric, hypotheses, references);
  const auto check = [&](double score) {
    if (!(score >= 0 && score <= most + 1e-6)) std::abort();
  };
  const std::vector<int64_t> sum = counts.Sum();
  for (size_t which = 0; which < metric.scores(); ++which) {
    check(metric.Score(sum, which));
    for (size_t i = 0; i < counts.size(); ++i) check(metric.LineScore(counts.row(i), which));
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    for (const int64_t count : counts.row(i)) {
      if (count < 0) std::abort();
    }
  }
  const LineCounts* systems[] = {&counts};
  const auto draws = Bootstrap(metric, systems, 3, 1);
  for (const double draw : draws[0][0]) check(draw);
}

void MustPart(std::string_view line, uint8_t choice) {
  TokenLine out;
  ScoreTokenizer(static_cast<Scheme>(choice % 7), choice & 8).Split(line, &out);
  for (const std::string_view token : out.tokens) {
    if (token.empty()) std::abort();
  }
}

void MustBeVaried(std::span<const std::string_view> texts, uint8_t choice) {
  constexpr size_t kFew = 12;
  const char* tokenizers[] = {"none", "char", "units", "zh", "13a", "intl"};
  DiversityOptions options{.n = 1 + choice % 5, .tokenize = tokenizers[choice % 6]};
  if (choice > 200) options.sample = choice % 7;
  const Diversity d = MeasureDiversity(texts, options);
  for (size_t n = 0; n < d.distinct.size(); ++n) {
    if (d.ngrams[n] == 0) continue;
    if (!(d.distinct[n] > 0 && d.distinct[n] <= 1 && d.entropy[n] >= 0)) std::abort();
    if (!(d.entropy[n] <= std::log(static_cast<double>(d.different[n])) + 1e-9)) std::abort();
    if (!(d.repetition[n] >= 0 && d.repetition[n] < 1)) std::abort();
  }
  if (d.texts < 2 || texts.size() > kFew || d.without_tokens > 0 || options.sample > 0 || options.tokenize == "units") {
    return;
  }
  Bleu bleu({.tokenize = options.tokenize, .smooth = "floor", .max_order = options.n});
  std::vector<int64_t> counts(bleu.width());
  double sum = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<std::string_view> others(texts.begin(), texts.end());
    others.erase(others.begin() + static_cast<ptrdiff_t>(i));
    bleu.Count(texts[i], others, counts.data());
    sum += bleu.LineScore(counts, 0);
  }
  if (std::abs(sum / static_cast<double>(texts.size()) - d.self_bleu.back()) > 1e-9) std::abort();
}

void Try(std::span<const std::string_view> hypotheses, std::span<const std::vector<std::string_view>> references,
         uint8_t choice) {
  for (const std::string_view line : hypotheses) MustPart(line, choice);
  const char* tokenizers[] = {"13a", "intl", "zh", "char", "none"};
  const char* smoothings[] = {"exp", "floor", "add-k", "none"};
  Bleu bleu({.tokenize = tokenizers[choice % 5], .smooth = smoothings[choice / 5 % 4], .lowercase = choice > 128});
  MustBeSound(bleu, hypotheses, references, 1e300);
  Chrf chrf({.word_order = choice % 3, .lowercase = choice > 128, .whitespace = choice % 2 == 1});
  MustBeSound(chrf, hypotheses, references, 100);
  Ter ter({.normalized = (choice & 1) != 0, .no_punct = (choice & 2) != 0, .asian_support = (choice & 4) != 0});
  MustBeSound(ter, hypotheses, references, 1e300);
  Rouge rouge({.tokenize = choice % 2 == 0 ? "rouge" : "zh",
               .stem = choice > 128,
               .sentence_break = choice % 3 == 0 ? "" : "a "});
  MustBeSound(rouge, hypotheses, references, 1);
  Meteor meteor({});
  MustBeSound(meteor, hypotheses, references, 1);
  ExactMatch answers({.tokenize = choice % 2 == 0 ? "squad" : "zh"});
  MustBeSound(answers, hypotheses, references, 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = std::min(bytes.find('\x1E'), bytes.size());
  const std::string_view rest = bytes.substr(std::min(cut + 1, bytes.size()));
  // The texts as they are, whatever they are, also with line feeds in them.
  const std::string_view raw[] = {bytes.substr(0, cut)};
  const std::vector<std::vector<std::string_view>> held = {{rest}};
  Try(raw, held, data[0]);
  try {
    const auto hyp = ParseLineFile(std::string(bytes.substr(0, cut)), "hyp"),
               ref = ParseLineFile(std::string(rest), "ref");
    MustAlign(*hyp, *ref);
    MustSay(*ref);
    const std::vector<std::vector<std::string_view>> references = {ref->lines, hyp->lines};
    Try(hyp->lines, references, data[0]);
    MustBeVaried(hyp->lines, data[0]);
  } catch (const atelier::Error&) {
  }
  return 0;
}
