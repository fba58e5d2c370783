// What a suite measures of each case under each arm. An assertion holds for a case or says why not; its score is the
// share of cases for which it holds. A metric is a number. Both come as integers per case whose sum is scored
// (evaluate/reference_metric.h), so that every score has an interval and every difference a paired test.
//
// A new measure is one file with a maker, and one line in measures.cc.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/embedder.h"
#include "base/config.h"
#include "evaluate/reference_metric.h"
#include "experiment/case.h"
#include "experiment/output.h"

namespace atelier::experiment {

struct Subject {
  const Case* item;
  const Output* output;
};

// What a measure says of one case.
struct Value {
  bool counted = true;  // false: there is nothing to measure, `reason` says why; it is told, never taken as 0
  bool held = true;     // of an assertion
  double value = 0;     // of this case alone
  Note reason;          // for people; empty where an assertion holds
};

// What measures may ask for beside the texts.
class Services {
 public:
  virtual ~Services() = default;
  // Runs the recipe on each input, in parallel, from the cache where it can.
  virtual std::vector<Output> Make(const recipe::Recipe& recipe, const std::vector<Json>& inputs) = 0;
  // The recipe NAME (or a folder) as it is, or Error.
  virtual recipe::Recipe Load(const std::string& recipe, const std::string& variant) = 0;
  // Tells the suite's reader something.
  virtual void Tell(const std::string& note) = 0;
};

class Measure {
 public:
  virtual ~Measure() = default;
  virtual const evaluate::SumScore& score() const = 0;
  virtual bool assertion() const { return false; }
  // Which of score().names() is the score.
  virtual size_t which() const { return 0; }
  // Everything that values depend on, known once Look is done: runs are compared only where it is equal.
  virtual std::string signature() const = 0;
  // Throws for what can be known to be amiss before anything is made: a field that a case does not have, a recipe that
  // is not there. `cases`: those that it is for.
  virtual void Foresee(std::span<const Case* const> /*cases*/, Services& /*services*/) const {}
  // One value per subject, one row of counts per counted one.
  virtual std::vector<Value> Look(std::span<const Subject> subjects, Services& services,
                                  evaluate::LineCounts* counts) = 0;
};

// What measures are made with beside their keys. Empty functions: there is none.
struct Tools {
  evaluate::WordSourceFn words;  // for metrics over Chinese words
  // An encoder by its name, for measures by meaning. Throws Error(kNotFound).
  std::function<std::shared_ptr<artefact::Embedder>(const std::string& name)> embedder;
};

struct MeasureContext {
  std::string folder;                // the suite's
  std::vector<std::string> outputs;  // names of the recipe's output fields
  Tools tools;
};

struct MeasureEntry {
  std::string_view name, summary;
  bool assertion;
  // Reads the measure's own keys strictly; the caller reads the common ones before and calls Done().
  std::unique_ptr<Measure> (*make)(Table& table, const MeasureContext& context);
};
// The visible list.
std::span<const MeasureEntry> AllMeasures();

// --- what measures are made of

// The mean of numbers: counts are the number's whole part, ScoreUnits of the rest, and 1.
class MeanScore : public evaluate::SumScore {
 public:
  explicit MeanScore(bool lower_is_better = false) : lower_(lower_is_better) {}
  bool lower_is_better() const override { return lower_; }
  size_t width() const override { return 3; }
  size_t scores() const override { return 1; }
  double Score(std::span<const int64_t> sum, size_t which) const override;
  // REQUIRES: CanCount(value).
  static void Count(double value, int64_t* counts);
  // False for what is no number, and for one too large to be summed exactly.
  static bool CanCount(double value);

 private:
  bool lower_;
};

// An assertion that looks at one case by itself.
class Assertion : public Measure {
 public:
  explicit Assertion(std::string signature) : signature_(std::move(signature)) {}
  const evaluate::SumScore& score() const override { return mean_; }
  bool assertion() const override { return true; }
  std::string signature() const override { return signature_; }
  std::vector<Value> Look(std::span<const Subject> subjects, Services& services, evaluate::LineCounts* counts) override;

 protected:
  // Why it does not hold; empty where it does.
  virtual Note Check(const Case& item, const Output& output) const = 0;

 private:
  std::string signature_;
  MeanScore mean_;
};

// A metric that is the mean of one number per case.
class Number : public Measure {
 public:
  Number(std::string signature, bool lower_is_better) : signature_(std::move(signature)), mean_(lower_is_better) {}
  const evaluate::SumScore& score() const override { return mean_; }
  std::string signature() const override { return signature_; }
  std::vector<Value> Look(std::span<const Subject> subjects, Services& services, evaluate::LineCounts* counts) override;

 protected:
  // Nothing, with a reason, where the case has no such number.
  virtual std::optional<double> Of(const Case& item, const Output& output, Note* reason) const = 0;

 private:
  std::string signature_;
  MeanScore mean_;
};

// Refuses the key unless `name` is an output field of the recipe; says the nearest.
void RequireOutput(const Table& table, const std::string& key, const std::string& name, const MeasureContext& context);
// `of`: output fields that the recipe has, one or a list. Refuses others with the nearest.
std::vector<std::string> ReadOf(Table& table, const MeasureContext& context);

// The encoder that `model` names, "e5-small" by default.
std::shared_ptr<artefact::Embedder> ReadEmbedder(Table& table, const MeasureContext& context);

// What is looked for: `text`, one or a list, and `field`, fields of the case.
struct Wanted {
  std::vector<std::string> texts, fields;
  bool fold = true;  // case and width do not matter
};
Wanted ReadWanted(Table& table);
// All of it for one case, folded where it is to be.
std::vector<std::string> WantedOf(const Wanted& wanted, const Case& item);
std::string Folded(const Wanted& wanted, std::string_view text);
std::string Describe(const Wanted& wanted);  // for signatures

}  // namespace atelier::experiment
