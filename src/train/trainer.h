// The one loop that trains every model.
//
//   rows of the step -> micro-batches -> for each part: loss, backward, norm, clip, optimiser
//
// Everything a step does follows from the configuration, the seed, the step's number and the state that a checkpoint
// holds: on one thread a resumed run computes the same losses to the bit.
#pragma once

#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "train/arena.h"
#include "train/best.h"
#include "train/checkpoint.h"
#include "train/collective.h"
#include "train/examples.h"
#include "train/exchange.h"
#include "train/optimiser.h"
#include "train/schedule.h"
#include "train/settings.h"

namespace atelier::train {

// One line of the log: means over the steps since the line before.
struct StepReport {
  int64_t step = 0, steps = 0;  // done, of all
  double epoch = 0;
  std::map<std::string, double> values;  // "loss" (or "discriminator.loss"), "rate", "norm", details
  double rows_per_second = 0, seconds_left = 0;
};

struct ValidationReport {
  int64_t step = 0;
  double loss = 0;                       // the first part's
  std::map<std::string, double> values;  // all
  bool best = false;
  int64_t without_improvement = 0;  // validations
};

// Hears of what goes on. Called on the trainer's thread.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void Stepped(const StepReport& report) = 0;
  virtual void Validated(const ValidationReport& report) = 0;
  // Time to show samples; the model is in evaluation mode, with the averaged parameters where there are some.
  virtual void Sample(int64_t step) = 0;
  virtual void Saved(int64_t step, const std::string& path) = 0;
};

enum class Ending { kFinished, kStoppedEarly, kInterrupted };

struct Outcome {
  Ending ending = Ending::kFinished;
  int64_t steps = 0;
  // Of validation where there is one, else of training; not a number where no step was left to take.
  double last_loss = 0;
  // The best validation by `metric`; where none was, the end and its loss.
  std::string metric = "loss";
  double best = 0;
  int64_t best_step = 0;
};

class Trainer {
 public:
  // `folder` gets last.safetensors and best.safetensors; `about` is kept in them. Of several processes, which share
  // every batch, the first alone writes and tells. All references outlive the trainer.
  Trainer(const TrainSettings& settings, model::Model& model, const Examples& train, const Examples* validation,
          std::string folder, model::About about, Listener& listener, Collective& collective);

  // Goes on from a checkpoint of the same configuration. Throws kConflict where its shape is another.
  void Resume(const Checkpoint& checkpoint);

  // To the end, or to step `until`, or until `stop` is set, which is looked at between steps; what was done is saved in
  // any case. Throws
  // kInvalidInput where a loss or a gradient is not a number: nothing is saved after that, so that the last checkpoint
  // is sound.
  Outcome Run(const std::atomic<bool>& stop, int64_t until);
  Outcome Run(const std::atomic<bool>& stop) { return Run(stop, steps_); }

  int64_t step() const { return step_; }
  int64_t steps() const { return steps_; }
  Arena& arena(size_t part) { return *parts_[part].arena; }

 private:
  struct PartState {
    std::unique_ptr<Arena> arena;
    std::unique_ptr<Exchange> exchange;
    std::unique_ptr<Optimiser> optimiser;
    double rate;
    torch::Tensor average;  // undefined without
  };

  void Step(std::map<std::string, double>* sums);
  // What all processes' figures add up to.
  void SumOverProcesses(std::map<std::string, double>* sums);
  bool First() const { return collective_.rank() == 0; }
  void StepPart(size_t part, const std::vector<model::Batch>& batches, bool idle, std::map<std::string, double>* sums);
  void SeedOthers();
  ValidationReport Validate(int64_t batches);  // at most; 0: all
  void CheckMetric();                          // throws kInvalidInput where a validation has no such figure
  void Save(const std::string& name);
  void SwapAverages();
  std::string Label(size_t part, const std::string& name) const;
  [[noreturn]] void RefuseNumber(const std::string& what, double value, std::span<const int64_t> rows) const;

  TrainSettings s_;
  model::Model& model_;
  const Examples& train_;
  const Examples* validation_;
  std::string folder_;
  model::About about_;
  Listener& listener_;
  Collective& collective_;
  Sampler sampler_;
  int64_t steps_, step_ = 0;
  Schedule schedule_;
  std::vector<PartState> parts_;
  Best best_;
  double last_loss_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace atelier::train
