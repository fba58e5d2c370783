// Which keys of a training configuration are searched, over which values, and the configurations that come of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/json.h"
#include "base/rng.h"

namespace atelier::track {

// One key, in [search.space]:
//   "optimiser.rate" = { log = [1e-5, 1e-2] }     uniform in the logarithm
//   "model.dropout"  = { uniform = [0.0, 0.3] }
//   "model.layers"   = { int = [2, 8] }           both ends too; { log_int = [32, 1024] } for sizes
//   "optimiser.name" = { choice = ["adamw", "lion"] }
// A grid takes `points` values of a range (default 3; int: all, where `points` is not said), spread evenly.
// Numbers that are no whole ones are rounded to four digits, so that they can be read and are the same everywhere.
struct SearchKey {
  enum class Kind { kUniform, kLog, kInt, kLogInt, kChoice };
  std::string name;  // dotted
  Kind kind = Kind::kUniform;
  double low = 0, high = 0;
  int64_t points = 0;         // 0: not said
  std::vector<Json> choices;  // scalars
};

// Values of a trial, in the order of the keys.
using TrialValues = std::vector<Json>;

class SearchSpace {
 public:
  // Reads [search.space] out of `text`, the search's file, against the configuration that is varied. Throws
  // kInvalidInput with file and line: a key that `base` does not have (naming the nearest), a range or choice that does
  // not fit the type of its value there, an empty range.
  SearchSpace(std::string_view text, const std::string& file, std::string_view base, const std::string& base_file);

  const std::vector<SearchKey>& keys() const { return keys_; }
  TrialValues Draw(uint64_t seed, int64_t trial, int64_t attempt) const;
  // All combinations, the last key fastest. Throws kInvalidInput beyond `most`.
  std::vector<TrialValues> Grid(int64_t most) const;
  // The configuration with these values: TOML, keys by name.
  std::string Config(const TrialValues& values) const;

 private:
  SearchKey ReadKey(const std::string& name, Table* table, const std::string& where) const;

  std::string base_, base_file_;
  std::vector<SearchKey> keys_;
};

}  // namespace atelier::track
