// An option that takes a list: given once, its parts between commas; repeated, each value as it stands.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/str.h"

namespace atelier::app {

// Throws Error(kUsage) for a member that is empty or there twice.
inline std::vector<std::string> ReadList(const std::string& name, std::vector<std::string> values) {
  if (values.size() == 1) {
    values = Split(values[0], ',');
    for (std::string& value : values) value = Trim(value);
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].empty()) throw Error(Code::kUsage, Cat(name, " has an empty member"), "for example a,b,c");
    for (size_t j = 0; j < i; ++j) {
      if (values[i] == values[j]) {
        throw Error(Code::kUsage, Cat(name, " names ", Quote(values[i]), " twice"), "name each once");
      }
    }
  }
  return values;
}

}  // namespace atelier::app
