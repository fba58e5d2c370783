#include "evaluate/meteor.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unordered_map>

#include "base/str.h"
#include "evaluate/units.h"
#include "text/porter.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kFree = static_cast<size_t>(-1);
constexpr double kAlpha = 0.9, kBeta = 3, kGamma = 0.5;

std::vector<std::string> Stems(std::span<const std::string> words) {
  std::vector<std::string> stems;
  for (const std::string& word : words) {
    const bool ascii =
        std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
    stems.push_back(ascii ? text::NltkPorterStem(word) : word);
  }
  return stems;
}

// Matches what is equal and free on both sides; `match` is [hypothesis word], a reference word or kFree.
void MatchFree(std::span<const std::string> reference, std::span<const std::string> hypothesis,
               std::vector<size_t>* match, std::vector<bool>* taken) {
  std::unordered_map<std::string_view, std::vector<size_t>> places;
  for (size_t j = 0; j < reference.size(); ++j) {
    if (!(*taken)[j]) places[reference[j]].push_back(j);
  }
  for (size_t i = hypothesis.size(); i-- > 0;) {
    if ((*match)[i] != kFree) continue;
    const auto at = places.find(hypothesis[i]);
    if (at == places.end() || at->second.empty()) continue;
    (*match)[i] = at->second.back();
    (*taken)[at->second.back()] = true;
    at->second.pop_back();
  }
}

}  // namespace

double MeteorScore(std::span<const std::string> reference, std::span<const std::string> hypothesis,
                   const MeteorOptions& options) {
  const double alpha = options.alpha.value_or(kAlpha);
  std::vector<size_t> match(hypothesis.size(), kFree);
  std::vector<bool> taken(reference.size());
  MatchFree(reference, hypothesis, &match, &taken);
  MatchFree(Stems(reference), Stems(hypothesis), &match, &taken);
  double matches = 0, chunks = 0;
  for (size_t i = 0; i < match.size(); ++i) {
    if (match[i] == kFree) continue;
    ++matches;
    const bool follows = i > 0 && match[i - 1] != kFree && match[i] == match[i - 1] + 1;
    if (!follows) ++chunks;
  }
  if (matches == 0) return 0;
  const double precision = matches / static_cast<double>(hypothesis.size());
  const double recall = matches / static_cast<double>(reference.size());
  const double mean = precision * recall / (alpha * precision + (1 - alpha) * recall);
  return (1 - options.gamma.value_or(kGamma) * std::pow(chunks / matches, options.beta.value_or(kBeta))) * mean;
}

void MeteorOptions::Declare(MetricSettings& settings) {
  settings.Number("alpha", &alpha, "the weight of recall (0.9 when not given)", 0, 1);
  settings.Number("beta", &beta, "how the penalty for scattered matches grows (3 when not given)", 0, 100);
  settings.Number("gamma", &gamma, "the largest penalty for scattered matches (0.5 when not given)", 0, 1);
}

void Meteor::Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) {
  const std::vector<std::string> units = Units(hypothesis);
  double best = 0;
  for (const std::string_view reference : references) {
    best = std::max(best, MeteorScore(Units(reference), units, options_));
  }
  counts[0] = ScoreUnits(best);
  counts[1] = 1;
}

double Meteor::Score(std::span<const int64_t> sum, size_t) const { return MeanOfUnits(sum[0], sum[1]); }

std::string Meteor::Fields(bool) const {
  return Cat("case:lc|tok:units|match:exact+stem|alpha:", options_.alpha.value_or(kAlpha),
             "|beta:", options_.beta.value_or(kBeta), "|gamma:", options_.gamma.value_or(kGamma));
}

}  // namespace atelier::evaluate
