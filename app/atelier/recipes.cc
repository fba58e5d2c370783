#include "app/atelier/recipes.h"

#include "base/process.h"
#include "base/str.h"

namespace atelier::app {

recipe::Catalogue RecipesOf(const store::Studio& studio) {
  std::vector<std::string> folders = {studio.Path("recipes")};
  const std::string program = OwnProgram(), folder = program.substr(0, program.rfind('/'));
  folders.push_back(Cat(folder, "/../share/atelier/recipes"));
  folders.push_back(Cat(folder, "/../../recipes"));
  return recipe::Catalogue(std::move(folders));
}

}  // namespace atelier::app
