// Runs a recipe on inputs one by one, several at once: each is a run of its own, so that an output depends on its input
// and never on what stood beside it, and can be kept.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "artefact/generator.h"
#include "artefact/ranker.h"
#include "artefact/searcher.h"
#include "experiment/measure.h"
#include "experiment/output_cache.h"
#include "experiment/suite.h"
#include "recipe/run.h"

namespace atelier::experiment {

struct RunnerOptions {
  std::span<const recipe::OperatorEntry> operators;
  artefact::ModelProvider models;  // one caller at a time is enough
  std::function<std::string(const std::string&)>
      model_hash;                              // of the weights; "" for one that is not here; one caller at a time
  std::shared_ptr<artefact::Searcher> search;  // null: there are no indexes
  artefact::RankerProvider rankers;            // null: there are none; one caller at a time
  FindRecipe find;                             // for judges
  std::string build;                           // what else decides outputs: engine, ISA, threads
  std::string cache;                           // its folder; "": nothing is kept
  int jobs = 4;                                // inputs at once
  bool quiet = true;                           // no progress on standard error
  std::function<bool()> cancelled;             // asked often; true ends it with Error(kCancelled)
};

class CaseRunner : public Services {
 public:
  explicit CaseRunner(RunnerOptions options);

  struct Work {
    std::string label;      // for the progress bar
    recipe::Recipe recipe;  // as LoadRecipe gives it
    std::string model;      // in the place of all that it names; "": none
    uint64_t seed = 1;
    std::vector<Json> inputs;
    std::vector<std::string> where;  // names of the inputs in messages
  };
  // One output per input. What fails for one input is in its `error`; what fails for all is thrown.
  std::vector<Output> Run(const Work& work);

  std::vector<Output> Make(const recipe::Recipe& recipe, const std::vector<Json>& inputs) override;
  recipe::Recipe Load(const std::string& recipe, const std::string& variant) override;
  void set_seed(uint64_t seed) { seed_ = seed; }  // of what Make draws

  const OutputCache& cache() const { return cache_; }
  void Tell(const std::string& note) override;
  // Of the measures and the runs, each once; of the runs only the first so many, and that there are more.
  std::vector<std::string> notes() const;

 private:
  class Watch;
  std::string Folder(const std::string& recipe) const;
  // Asked once for each name: a model that is loaded stays what it is, and who knows the hashes may not be for threads.
  std::string HashOfModel(const std::string& name);
  Output MakeOne(const Work& work, const std::string& text, size_t i);

  RunnerOptions options_;
  std::mutex mutex_;  // of models, hashes and notes
  std::map<std::string, std::string> hashes_;
  uint64_t seed_ = 1;
  std::atomic<bool> kept_ = true;  // the cache could be written so far
  OutputCache cache_;
  std::vector<std::string> notes_;
  size_t of_runs_ = 0;     // notes
  bool left_out_ = false;  // some of them
};

}  // namespace atelier::experiment
