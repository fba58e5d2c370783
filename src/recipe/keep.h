// Keeps what a run makes: every generation goes into the studio's database with what made it.
//
// A generation is stored once, when nothing more will change about it: what a check dropped, after that step; the rest
// as soon as it is ranked, and before anything is rendered. One transaction per step: a killed run leaves all of a step
// or none of it, and its row in `runs` without an end.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "feedback/generations.h"
#include "recipe/engine.h"

namespace atelier::recipe {

// Does one write with the studio's generations, now or as soon as their database takes it, in the order of the calls.
// `bytes`: about how much memory it holds until then.
using StoreFn = std::function<void(std::function<void(feedback::Generations&)> write, size_t bytes)>;

class Keeper {
 public:
  // Stores the run's row. `row` brings what the engine does not know: input, options, program's build.
  Keeper(StoreFn store, feedback::RunRow row);

  // For RunOptions::keep.
  void operator()(Run& run, bool finished);

  const std::string& run_id() const { return row_.id; }
  size_t stored() const { return stored_; }

 private:
  StoreFn store_;
  feedback::RunRow row_;
  size_t stored_ = 0;
  std::set<std::string> done_;  // ids stored already
};

// What a candidate is as a row. `rank` -1: not ranked.
feedback::GenerationRow ToRow(const Run& run, const Record& record, const Candidate& candidate);

}  // namespace atelier::recipe
