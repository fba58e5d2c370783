// The recipes that can be had by name: folders that each hold some, the first that has a name wins. A name is a name
// here and never a path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::recipe {

class Catalogue {
 public:
  // Folders that are not there count as empty.
  explicit Catalogue(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  std::vector<std::string> Names() const;  // sorted
  // The recipe's folder. Throws kNotFound, naming the nearest or those that are there.
  std::string Folder(std::string_view name) const;

 private:
  std::vector<std::string> folders_;
};

// 1 to 64 of a-z A-Z 0-9 _ -, not beginning with a dash.
bool IsRecipeName(std::string_view name);

}  // namespace atelier::recipe
