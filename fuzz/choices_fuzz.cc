// Lines of choices: only Error may leave the parser; what it takes has texts, finite numbers and features that can be
// measured.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "rank/choices.h"
#include "rank/features.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;  // NOLINT: a fuzz target
  const auto must = [](bool holds) {
    if (!holds) std::abort();
  };
  try {
    const rank::Choices choices =
        rank::ParseChoices({reinterpret_cast<const char*>(data), size}, "fuzz", rank::PairFields());
    for (const rank::Choice& choice : choices.list) {
      must(choice.options.size() > 1 && choice.options.size() == choice.gains.size());
      must(!choice.group.empty() && std::isfinite(choice.weight) && choice.weight > 0);
      for (size_t i = 0; i < choice.options.size(); ++i) {
        must(!choice.options[i].text.empty() && std::isfinite(choice.gains[i]) && choice.gains[i] >= 0);
        for (const auto& [name, value] : choice.options[i].features) must(std::isfinite(value));
        for (const rank::Feature& feature : rank::AllFeatures())
          must(std::isfinite(rank::FeatureOf(std::string(feature.name), choice.options[i], choice.context)));
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
