// Whether a text says what its source says: numbers and names that the source does not have, and how near each sentence
// is in meaning to what the source says.
//
// The first two are by rule (quantities.h, names.h) and say exactly what is not supported. The third is the entailment
// of poor people: the cosine of an encoder's vectors sees that a sentence is about something else, not that it denies
// or mixes up; it is shown, and decides nothing unless a least value is asked for.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/embedder.h"
#include "base/progress.h"

namespace atelier::evaluate {

struct Unsupported {
  std::string kind;  // "number" or "name"
  std::string what;  // of numbers "mass", "price", "count" ... (quantities.h), of names "place", "person" ... (names.h)
  std::string text;
  size_t begin = 0, end = 0;  // bytes
};

// In the order of the text. A quantity is supported by one that says the same in any writing (一百克, 100 g), a name by
// its letters in any case. An empty source supports nothing. Any bytes.
std::vector<Unsupported> FindUnsupported(std::string_view text, std::string_view source);

// The sentence of a text that has least support.
struct Support {
  double least = 1;           // cosine to the nearest of the source's sentences and the source as a whole
  size_t begin = 0, end = 0;  // bytes of that sentence
  std::string nearest;        // what it is nearest to
};
// By line; nothing for a text or a source without a word. REQUIRES: as many sources as texts.
std::vector<std::optional<Support>> MeasureSupport(artefact::Embedder& embedder,
                                                   std::span<const std::string_view> texts,
                                                   std::span<const std::string_view> sources,
                                                   const ProgressFn& progress = nullptr, size_t* cut = nullptr);

// Wilson's interval (1927) of a share, 95 %. REQUIRES: 0 <= hits <= total, total > 0.
struct ShareInterval {
  double low = 0, high = 1;
};
ShareInterval WilsonInterval(int64_t hits, int64_t total);

}  // namespace atelier::evaluate
