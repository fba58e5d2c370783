// The step engine: makes all steps of a recipe before any runs, runs them over the records, stores every generation.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/recipe.h"
#include "recipe/run.h"

namespace atelier::recipe {

// Where a run is: `done` of `total` records of the step that is running.
struct StepProgress {
  std::string_view step, use;
  size_t number = 0, steps = 0;  // of the step, from 1
  uint64_t done = 0, total = 0;
  std::string_view note;
};

struct RunOptions {
  std::string out;  // folder for `render`; "" : nothing is written
  uint64_t seed = 1;
  bool quiet = true;  // no progress on standard error
  artefact::ModelProvider models;
  std::shared_ptr<artefact::Searcher> search;  // the studio's indexes; null: there are none
  artefact::RankerProvider rankers;            // null: there are none
  std::span<const OperatorEntry> operators;
  std::function<bool()> cancelled;  // asked often; true ends the run with Error(kCancelled)
  // Called when a step begins and as it goes on, up to once per token, perhaps on a model's thread: quick.
  std::function<void(const StepProgress& at)> progress;
  // Called in the run's thread after each step and at the end, to keep what there is so far. See recipe/keep.h.
  std::function<void(Run& run, bool finished)> keep;
};

// What every step of a recipe is told, but for its own id and the steps before it.
StepContext ContextOf(const Recipe& recipe);

class Engine : public Run {
 public:
  // Makes every step. Throws Error(kInvalidInput) with file:line for an unknown operator or a step that is wrong.
  Engine(Recipe recipe, RunOptions options);
  ~Engine() override;

  // Runs all steps. REQUIRES: called once.
  void Execute(std::vector<Record> records);
  // Runs one writer step alone on these records, as attempt `attempt` of it: how a stored generation is made again.
  void ExecuteStep(const std::string& id, std::vector<Record> records, int attempt);

  const Recipe& recipe() const { return recipe_; }
  const std::vector<std::string>& step_ids() const { return ids_; }
  // The engine behind the models used so far; empty fields when no model was used.
  const artefact::EngineInfo& engine() const { return engine_; }
  double seconds() const;

  std::vector<Record>& records() override { return records_; }
  uint64_t seed() const override { return options_.seed; }
  const std::string& folder() const override { return recipe_.folder; }
  const std::string& out() const override { return options_.out; }
  const std::string& recipe_name() const override { return recipe_.name; }
  const std::string& variant() const override { return recipe_.variant; }
  const std::string& config_hash() const override { return recipe_.hash; }
  std::shared_ptr<artefact::Generator> Model(const std::string& name) override;
  artefact::Searcher& Search() override;
  std::shared_ptr<artefact::Ranker> Ranker(const std::string& name) override;
  void Rerun(const std::string& id, std::span<const size_t> records, int attempt) override;
  void Report(uint64_t done, uint64_t total, std::string_view note) override;
  void Note(std::string_view note) override;
  std::vector<std::string> notes() const override { return notes_; }
  Json facts() const override;

 private:
  struct Step {
    std::string id, use;
    bool skip = false;
    std::unique_ptr<Operator> work;
  };
  void CheckCancelled() const;
  void Tell(uint64_t done, uint64_t total, std::string_view note) const;
  void NameCandidates();

  Recipe recipe_;
  RunOptions options_;
  std::vector<Step> steps_;
  std::vector<std::string> ids_, notes_;
  std::vector<Record> records_;
  artefact::EngineInfo engine_;
  std::unique_ptr<Progress> progress_;
  size_t running_ = 0;  // index of the step
  double started_;
};

}  // namespace atelier::recipe
