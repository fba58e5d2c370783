#include "evaluate/faithful.h"

#include <algorithm>
#include <cmath>

#include "base/str.h"
#include "evaluate/embed_texts.h"
#include "evaluate/names.h"
#include "evaluate/quantities.h"
#include "evaluate/units.h"
#include "text/sentences.h"

namespace atelier::evaluate {
namespace {

struct Sentence {
  std::string_view text;  // without the white space around it
  size_t begin;
};

std::vector<Sentence> SentencesWithWords(std::string_view text) {
  std::vector<Sentence> out;
  size_t at = 0;
  for (const std::string_view piece : text::Sentences(text)) {
    const size_t blank = piece.find_first_not_of(" \t\r\n");
    if (blank != std::string_view::npos && !Units(piece).empty()) {
      const size_t last = piece.find_last_not_of(" \t\r\n");
      out.push_back({piece.substr(blank, last + 1 - blank), at + blank});
    }
    at += piece.size();
  }
  return out;
}

// The quantities of a source, to be looked up.
class KnownQuantities {
 public:
  explicit KnownQuantities(std::string_view source) : all_(FindQuantities(source)) {
    std::erase_if(all_, [](const Quantity& q) { return std::isnan(q.value); });
    std::sort(all_.begin(), all_.end(), Before);
  }
  bool Has(const Quantity& said) const {
    if (std::isnan(said.value)) return false;
    Quantity least = said;
    least.value -= 2e-6 * std::abs(said.value);
    for (auto at = std::lower_bound(all_.begin(), all_.end(), least, Before); at != all_.end(); ++at) {
      if (SameQuantity(said, *at)) return true;
      if (at->kind != said.kind || at->value > said.value + 2e-6 * std::abs(said.value)) break;
    }
    return false;
  }

 private:
  static bool Before(const Quantity& a, const Quantity& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.value < b.value;
  }
  std::vector<Quantity> all_;
};

}  // namespace

std::vector<Unsupported> FindUnsupported(std::string_view text, std::string_view source) {
  std::vector<Unsupported> out;
  const KnownQuantities known(source);
  for (const Quantity& said : FindQuantities(text)) {
    if (known.Has(said)) continue;
    out.push_back({"number", said.kind, said.text, said.begin, said.end});
  }
  const NameSource names(source);
  for (const Name& name : FindNames(text)) {
    if (!names.Has(name)) out.push_back({"name", name.kind, name.text, name.begin, name.end});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Unsupported& a, const Unsupported& b) { return a.begin < b.begin; });
  return out;
}

std::vector<std::optional<Support>> MeasureSupport(artefact::Embedder& embedder,
                                                   std::span<const std::string_view> texts,
                                                   std::span<const std::string_view> sources,
                                                   const ProgressFn& progress, size_t* cut) {
  const auto dims = static_cast<size_t>(embedder.dims());
  constexpr size_t kLinesTogether = 1024;
  std::vector<std::optional<Support>> out(texts.size());
  for (size_t from = 0; from < texts.size(); from += kLinesTogether) {
    const size_t to = std::min(texts.size(), from + kLinesTogether);
    std::vector<std::string_view> all;
    std::vector<std::vector<Sentence>> ours, theirs;
    for (size_t line = from; line < to; ++line) {
      ours.push_back(SentencesWithWords(texts[line]));
      theirs.push_back(SentencesWithWords(sources[line]));
      if (theirs.back().size() > 1) theirs.back().push_back({sources[line], 0});
      for (const auto* side : {&ours.back(), &theirs.back()}) {
        for (const Sentence& sentence : *side) all.push_back(sentence.text);
      }
    }
    const std::vector<float> vectors = EmbedTexts(
        embedder, all,
        [&](uint64_t done, uint64_t total, std::string_view) {
          if (progress) progress(from + (to - from) * done / std::max<uint64_t>(total, 1), texts.size(), "");
        },
        cut);
    const float* at = vectors.data();
    for (size_t line = from; line < to; ++line) {
      const std::vector<Sentence>& said = ours[line - from];
      const std::vector<Sentence>& source = theirs[line - from];
      const float* held = at + said.size() * dims;
      for (size_t i = 0; i < said.size() && !source.empty(); ++i) {
        size_t nearest = 0;
        double best = -2;
        for (size_t j = 0; j < source.size(); ++j) {
          const double cosine = Dot(at + i * dims, held + j * dims, dims);
          if (cosine > best) best = cosine, nearest = j;
        }
        if (out[line] && out[line]->least <= best) continue;
        out[line] =
            Support{best, said[i].begin, said[i].begin + said[i].text.size(), std::string(source[nearest].text)};
      }
      at += (said.size() + source.size()) * dims;
    }
  }
  return out;
}

ShareInterval WilsonInterval(int64_t hits, int64_t total) {
  const double z = 1.959963984540054, n = static_cast<double>(total), p = static_cast<double>(hits) / n;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {hits == 0 ? 0 : middle - half, hits == total ? 1 : middle + half};
}

}  // namespace atelier::evaluate
