#include "app/learn/options.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::learn {
namespace {

template <typename T, typename Parse>
T InRange(const Options& options, const std::string& name, T otherwise, T least, T most, const char* kind,
          Parse parse) {
  const auto it = options.find(name);
  if (it == options.end()) return otherwise;
  const auto value = parse(it->second);
  if (!value || !(*value >= least && *value <= most)) {
    throw Error(Code::kUsage,
                Cat("--", name, " is a ", kind, " from ", least, " to ", most, ", not ", Quote(it->second)));
  }
  return *value;
}

}  // namespace

std::string Given(const Options& options, const std::string& name, std::string otherwise) {
  const auto it = options.find(name);
  return it == options.end() ? otherwise : it->second;
}

int64_t Whole(const Options& options, const std::string& name, int64_t otherwise, int64_t least, int64_t most) {
  return InRange(options, name, otherwise, least, most, "whole number", &ParseInt);
}

double Number(const Options& options, const std::string& name, double otherwise, double least, double most) {
  return InRange(options, name, otherwise, least, most, "number", &ParseDouble);
}

}  // namespace atelier::learn
