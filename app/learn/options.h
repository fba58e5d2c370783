// The values of options, read strictly. What is not given is `otherwise`; nonsense is kUsage that names the option.
#pragma once

#include <cstdint>
#include <string>

#include "app/learn/command.h"

namespace atelier::learn {

std::string Given(const Options& options, const std::string& name, std::string otherwise = "");
int64_t Whole(const Options& options, const std::string& name, int64_t otherwise, int64_t least, int64_t most);
double Number(const Options& options, const std::string& name, double otherwise, double least, double most);

}  // namespace atelier::learn
