// Search for good settings of a training: grid, random, successive halving, Hyperband.
//
// A search is one TOML file (docs/formats/search.md) and one folder that holds its state. What it tries is settled by
// the file alone, seed included; what was finished is never done again; a search that was killed goes on where it was.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "track/search_space.h"

namespace atelier::track {

enum class SearchMethod {
  kGrid,       // every combination
  kRandom,     // Bergstra & Bengio 2012
  kHalving,    // Jamieson & Talwalkar 2016: many for a short time, the best 1/eta of them eta times as long, and so on
  kHyperband,  // Li et al. 2018: brackets of halving, from many short trials to few long ones
};

struct SearchSettings {
  std::string file;             // of the search
  std::string base;             // path of the configuration that is varied
  std::string text, base_text;  // both, as they were read
  std::string metric;
  bool maximise = false;
  SearchMethod method = SearchMethod::kRandom;
  int64_t trials = 20;  // random; halving: of the first rung
  uint64_t seed = 1;
  int64_t steps = 0;        // of a whole trial
  int64_t first_steps = 0;  // halving, hyperband: of the first rung
  int64_t eta = 3;          // halving, hyperband
};
// Reads the file and its base, which is named relative to it. Throws kInvalidInput with file and line.
SearchSettings LoadSearch(const std::string& path);
SearchSettings ParseSearch(std::string_view text, const std::string& file, std::string base_text);

struct Rung {
  int64_t trials = 0, steps = 0;  // how many of the bracket's trials are trained up to how many steps in all
};
struct Bracket {
  std::vector<TrialValues> trials;  // numbered on from the bracket before
  std::vector<Rung> rungs;
};
// Everything that will be tried. A space with fewer combinations than asked for makes fewer trials. Throws
// kInvalidInput for more than 10,000 trials.
std::vector<Bracket> PlanSearch(const SearchSettings& settings, const SearchSpace& space);
// Steps of training in all, where trials go on from their checkpoints and none fails.
int64_t PlannedSteps(const std::vector<Bracket>& plan);

struct Trial {
  int64_t number = 0;
  std::string folder;  // its own, made already: checkpoints lie there
  std::string config;  // TOML
};

// What trains. Run is called for one trial at a time, and again for the same trial with more steps.
class TrialRunner {
 public:
  virtual ~TrialRunner() = default;
  // Whether it is a configuration at all. Throws kInvalidInput; called for the first trial, before any is run.
  virtual void Check(const std::string& /*config*/) {}
  // Trains up to `steps` steps in all, from the checkpoint in the folder where there is one, and returns the metric.
  // kCancelled ends the search, to be resumed; any other Error is the trial's failure.
  virtual double Run(const Trial& trial, int64_t steps) = 0;
};

struct TrialResult {
  int64_t steps = 0;
  double value = 0;
};
struct TrialState {
  int64_t number = 0;
  int64_t bracket = 0;
  TrialValues values;
  std::vector<TrialResult> results;  // one for each rung that it finished
  std::string failure;               // why it goes no further; "" otherwise
};

struct SearchState {
  SearchSettings settings;
  std::vector<std::string> keys;
  std::vector<TrialState> trials;  // by number
  bool finished = false;

  // By value at the most steps that any trial reached, ties by number. None when no trial has a result.
  std::optional<int64_t> Best() const;
  // All trials, those that got further first, then the better ones; failures last.
  std::vector<int64_t> Ranked() const;
};

struct SearchProgress {
  int64_t runs = 0, planned = 0;  // of the runner
  const TrialState* trial = nullptr;
};

// Runs or resumes the search in `folder`: search.json after every run of the runner, trials/NUMBER/, and at the end
// best.toml. Throws kConflict when another process searches there, or when the search or its base are not those that
// the folder was begun with; kCorrupt for a broken search.json; kResourceExhausted when every trial of a rung failed.
SearchState RunSearch(const SearchSettings& settings, const std::string& folder, TrialRunner* runner,
                      const std::function<void(const SearchProgress&)>& progress = {});
// What a folder holds, whether finished or not. Throws kNotFound, kCorrupt.
SearchState LoadSearchState(const std::string& folder);
SearchState ParseSearchState(std::string_view json, const std::string& file);

}  // namespace atelier::track
