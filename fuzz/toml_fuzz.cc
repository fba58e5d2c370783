// Bytes of a recipe.toml: strict TOML, then the recipe in it with its first variant. Only Error may come out.
#include <cstdlib>

#include "base/config.h"
#include "base/error.h"
#include "recipe/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    Table table = Table::Parse(text, "fuzz.toml");
    Table over = Table::Parse("a = 1\n[b]\nc = 2\n", "over.toml");
    table.Overlay(over);
    for (const std::string& key : table.Keys()) {
      if (table.Where(key).empty()) std::abort();
    }
  } catch (const Error&) {
  }
  try {
    const recipe::Recipe plain = recipe::ParseRecipe(text, "recipe.toml", "/nowhere", "");
    if (plain.steps.empty() || plain.input.fields.empty()) std::abort();
    if (!plain.variants.empty()) recipe::ParseRecipe(text, "recipe.toml", "/nowhere", plain.variants[0]);
  } catch (const Error&) {
  }
  return 0;
}
