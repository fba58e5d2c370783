// How a model that was taught rewards (`tune reward`) tells what it thinks of a reply: behind it, how much likelier is
// the one word than the other.
#pragma once

#include <string_view>

namespace atelier::artefact {

// One token each, in any vocabulary that has ASCII. Persistent: models are trained on them.
inline constexpr std::string_view kGood = "+", kBad = "-";

}  // namespace atelier::artefact
