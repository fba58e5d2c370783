#include "model/zoo.h"

#include "base/str.h"

namespace atelier::model {

std::shared_ptr<Model> MakeGpt(Table& config, const DataShape& shape);  // gpt.cc

std::span<const Architecture> AllArchitectures() {
  static const std::vector<Architecture> list = {
      {"gpt", "Transformer language model (Llama's or GPT-2's form)", DataKind::kTokens, &MakeGpt},
  };
  return list;
}

const Architecture& FindArchitecture(std::string_view name, const Table& where) {
  std::vector<std::string> names;
  for (const Architecture& one : AllArchitectures()) {
    if (one.name == name) return one;
    names.emplace_back(one.name);
  }
  where.Refuse("architecture", Cat(Quote(name), " is not an architecture"), Cat("it is one of ", Join(names, ", ")));
}

}  // namespace atelier::model
