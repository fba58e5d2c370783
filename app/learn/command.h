// The commands of atelier-learn. A new one is a file and a line in main.cc.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::learn {

// Options as they were given: --run DIR, --resume. Values by name, without the dashes; flags are "".
using Options = std::map<std::string, std::string>;

struct Command {
  std::string_view name;
  std::vector<std::string_view> required, optional;  // options
  int (*run)(const Options& options, const std::atomic<bool>& stop);
};

int Train(const Options& options, const std::atomic<bool>& stop);      // train.cc
int Export(const Options& options, const std::atomic<bool>& stop);     // export.cc
int Generate(const Options& options, const std::atomic<bool>& stop);   // generate.cc
int Translate(const Options& options, const std::atomic<bool>& stop);  // translate.cc
int Classify(const Options& options, const std::atomic<bool>& stop);   // classify.cc
int Pictures(const Options& options, const std::atomic<bool>& stop);   // pictures.cc
int Score(const Options& options, const std::atomic<bool>& stop);      // score.cc

}  // namespace atelier::learn
