#include "recipe/catalogue.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::recipe {

bool IsRecipeName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::vector<std::string> Catalogue::Names() const {
  std::set<std::string> names;
  for (const std::string& folder : folders_) {
    if (!FolderExists(folder)) continue;
    for (const std::string& name : ListFolder(folder)) {
      if (IsRecipeName(name) && FileExists(Cat(folder, "/", name, "/recipe.toml"))) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

std::string Catalogue::Folder(std::string_view name) const {
  if (IsRecipeName(name)) {
    for (const std::string& folder : folders_) {
      std::string place = Cat(folder, "/", name);
      if (FileExists(Cat(place, "/recipe.toml"))) return place;
    }
  }
  const std::vector<std::string> names = Names();
  const std::string near = Nearest(name, names);
  throw Error(Code::kNotFound, Cat("there is no recipe ", Quote(name)),
              !near.empty()   ? Cat("did you mean ", Quote(near), "?")
              : names.empty() ? "none is here"
                              : Cat("there are: ", Join(names, ", ")));
}

}  // namespace atelier::recipe
