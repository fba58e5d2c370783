// What a ranker may know of a text without a model: a visible list of named features. Training and serving compute them
// here and nowhere else, so that a feature means the same in both.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "artefact/ranker.h"
#include "base/json.h"
#include "base/note.h"

namespace atelier::rank {

// What the texts are about, as a choice or a record has it: a text, an object of texts, lists and numbers, or null.
struct Described {
  std::string_view text;
  const Json& context;
};

struct Feature {
  std::string_view name;
  double (*measure)(const Described& described);  // finite for every text; not negative
  Note meaning;
};

// In the order in which people read them.
std::span<const Feature> AllFeatures();
const Feature* FindFeature(std::string_view name);  // null where there is none

// The feature of this name of an option: of the list above where it is there, else what the option brings. Throws
// kInvalidInput where it brings none, or no number of up to 1e12.
double FeatureOf(const std::string& name, const artefact::RankOption& option, const Json& context);

// What an encoder reads of a context: a text as it stands; of an object its values, each on a line; "" of what holds
// nothing.
std::string ContextText(const Json& context);

}  // namespace atelier::rank
