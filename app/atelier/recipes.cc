#include "app/atelier/recipes.h"

#include <unistd.h>

#include <climits>

#include "base/str.h"

namespace atelier::app {

recipe::Catalogue RecipesOf(const store::Studio& studio) {
  std::vector<std::string> folders = {studio.Path("recipes")};
  char self[PATH_MAX];
  if (const ssize_t n = ::readlink("/proc/self/exe", self, sizeof(self)); n > 0) {
    const std::string program(self, static_cast<size_t>(n));
    const std::string folder = program.substr(0, program.rfind('/'));
    folders.push_back(Cat(folder, "/../share/atelier/recipes"));
    folders.push_back(Cat(folder, "/../../recipes"));
  }
  return recipe::Catalogue(std::move(folders));
}

}  // namespace atelier::app
