// Where commands find recipes by name.
#pragma once

#include "recipe/catalogue.h"
#include "store/studio.h"

namespace atelier::app {

// The studio's own recipes, then the program's catalogue: where it is installed, or beside the source tree.
recipe::Catalogue RecipesOf(const store::Studio& studio);

}  // namespace atelier::app
