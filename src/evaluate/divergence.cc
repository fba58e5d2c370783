#include "evaluate/divergence.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kMostKept = size_t{1} << 29;  // probabilities: two gigabytes

// What is kept of one place of a window.
struct Place {
  double divergence = 0;
  float original = 0, copy = 0;  // log-probabilities of the token that stands there
  bool same_top = false;
};

size_t Top(std::span<const float> logprobs) {
  return static_cast<size_t>(std::max_element(logprobs.begin(), logprobs.end()) - logprobs.begin());
}

double Kl(std::span<const float> p, std::span<const float> q) {
  double sum = 0;
  for (size_t t = 0; t < p.size(); ++t) {
    if (!(p[t] <= -80)) sum += std::exp(p[t]) * static_cast<double>(p[t] - q[t]);  // less is nothing in f32
  }
  return sum < 0 ? 0 : sum;  // by rounding; what is no number stays none
}

double At(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

Divergence MeasureDivergence(artefact::Generator& original, artefact::Generator& copy, std::string_view text,
                             int64_t context, const ProgressFn& progress) {
  const TextWindows windows(original, text, context), as_copied(copy, text, context);
  bool same = windows.tokens() == as_copied.tokens() && original.info().vocabulary == copy.info().vocabulary;
  for (int64_t w = 0; same && w < windows.size(); ++w) same = std::ranges::equal(windows[w], as_copied[w]);
  if (!same) {
    throw Error(Code::kInvalidInput,
                Cat("the models ", Quote(original.info().name), " and ", Quote(copy.info().name),
                    " read the text as different tokens"),
                "only a model and its own copy can be compared token by token");
  }
  const size_t first = windows.first_scored(), places = static_cast<size_t>(context) - first;
  const auto words = static_cast<size_t>(original.info().vocabulary);
  if (places * words > kMostKept) {
    throw Error(Code::kInvalidInput,
                Cat("a window of ", context, " tokens over a vocabulary of ", words, " wants ",
                    FormatBytes(places * words * sizeof(float)), " of memory"),
                "give a smaller --ctx");
  }
  std::vector<float> kept(places * words);
  std::vector<Place> found(places);
  std::vector<double> all;
  PerplexitySum of_original, of_copy;
  double sum = 0, squares = 0;
  int64_t same_top = 0;
  for (int64_t w = 0; w < windows.size(); ++w) {
    const std::span<const int32_t> window = windows[w];
    const auto seen = window.first(window.size() - 1);  // what follows the last is not asked
    original.Distributions(seen, first, [&](size_t i, std::span<const float> logprobs) {
      std::copy(logprobs.begin(), logprobs.end(), kept.begin() + static_cast<int64_t>((i - first) * words));
    });
    copy.Distributions(seen, first, [&](size_t i, std::span<const float> q) {
      const std::span<const float> p(kept.data() + (i - first) * words, words);
      const auto token = static_cast<size_t>(window[i]);
      found[i - first] = {Kl(p, q), p[token], q[token], Top(p) == Top(q)};
    });
    for (const Place& place : found) {
      if (!std::isfinite(place.divergence)) {
        throw Error(Code::kInvalidInput, Cat("window ", w + 1, ": the models' probabilities are not numbers"),
                    "one of the two is damaged");
      }
      of_original.Add(place.original);
      of_copy.Add(place.copy);
      sum += place.divergence;
      squares += place.divergence * place.divergence;
      same_top += place.same_top ? 1 : 0;
      all.push_back(place.divergence);
    }
    if (progress) {
      progress(static_cast<uint64_t>(w + 1), static_cast<uint64_t>(windows.size()),
               Cat("divergence ", FormatFixed(sum / static_cast<double>(all.size()), 4)));
    }
  }
  std::sort(all.begin(), all.end());
  const auto n = static_cast<double>(all.size());
  Divergence result;
  result.original = of_original.Result(windows);
  result.copy = of_copy.Result(windows);
  result.mean = sum / n;
  result.standard_error = n > 1 ? std::sqrt(std::max(0.0, squares / n - result.mean * result.mean) / (n - 1)) : 0;
  result.median = At(all, 0.5);
  result.p99 = At(all, 0.99);
  result.greatest = all.back();
  result.same_top = static_cast<double>(same_top) / n;
  return result;
}

}  // namespace atelier::evaluate
