#include "evaluate/embed_texts.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kTogether = 256;

}  // namespace

std::vector<float> EmbedTexts(artefact::Embedder& embedder, std::span<const std::string_view> texts,
                              const ProgressFn& progress, size_t* cut) {
  const auto dims = static_cast<size_t>(embedder.dims());
  std::unordered_map<std::string_view, size_t> place;
  std::vector<std::string_view> once;
  for (const std::string_view text : texts) {
    if (place.emplace(text, once.size()).second) once.push_back(text);
  }
  std::vector<float> vectors;
  vectors.reserve(once.size() * dims);
  for (size_t begin = 0; begin < once.size(); begin += kTogether) {
    const size_t end = std::min(once.size(), begin + kTogether);
    const std::vector<std::string> batch(once.begin() + static_cast<int64_t>(begin),
                                         once.begin() + static_cast<int64_t>(end));
    std::vector<bool> truncated;
    const std::vector<float> some = embedder.Embed(batch, artefact::Embedder::Role::kQuery, &truncated);
    if (cut != nullptr) *cut += static_cast<size_t>(std::count(truncated.begin(), truncated.end(), true));
    for (size_t i = 0; i < batch.size(); ++i) {
      const double square = Dot(some.data() + i * dims, some.data() + i * dims, dims);
      if (!(square > 0.5 && square < 2)) {
        throw Error(
            Code::kCorrupt,
            Cat("the model ", embedder.info().name, " gives ", Quote(once[begin + i].substr(0, 60)), " no direction"),
            "atelier model verify says whether its file is whole");
      }
    }
    vectors.insert(vectors.end(), some.begin(), some.end());
    if (progress) progress(end, once.size(), "");
  }
  std::vector<float> out;
  out.reserve(texts.size() * dims);
  for (const std::string_view text : texts) {
    const float* from = vectors.data() + place.at(text) * dims;
    out.insert(out.end(), from, from + dims);
  }
  return out;
}

// Four sums, so that neighbouring products do not wait for each other.
double Dot(const float* a, const float* b, size_t dims) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= dims; i += 4) {
    for (size_t j = 0; j < 4; ++j) sums[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
  }
  for (; i < dims; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace atelier::evaluate
