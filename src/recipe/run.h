// A recipe at work: the records on their way through its steps, and what an operator may see and do.
//
// A run goes step by step over all records at once (not record by record), so that a model is loaded once, a check can
// compare across records, and progress means something. Everything that an operator draws at random comes from a stream
// named by (run seed, step id, record index, attempt): one record's result never depends on the others.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/generator.h"
#include "artefact/ranker.h"
#include "artefact/searcher.h"
#include "base/config.h"
#include "base/json.h"
#include "base/progress.h"

namespace atelier::recipe {

// One check's word on one candidate. `reason` is for people, in the record's language.
struct CheckResult {
  std::string check;
  bool passed = true;
  std::string reason;
  double margin = 1;  // how far from failing, 0 to 1; 1 where a check knows only yes and no
};

struct Candidate {
  Json output;         // the recipe's output fields, e.g. {"headline": "...", "body": "...", "tags": [...]}
  std::string writer;  // id of the step that wrote it
  int attempt = 0;     // 0 first, then one more per retry
  int sample = 0;      // its number within (record, step, attempt)
  Json choices;        // what made it: pattern ids and slot fillers, or the sampling settings; what the loop learns on
  std::string model;   // registered name, "" where no model wrote it
  std::string model_hash;
  uint64_t seed = 0;
  int prompt_tokens = 0, output_tokens = 0;
  double seconds = 0;
  std::vector<CheckResult> checks;
  std::map<std::string, double> scores;  // by name: "likelihood", "diversity" ... and their weighted "total"
  std::string generation_id;             // once stored

  bool passed() const {
    for (const CheckResult& result : checks) {
      if (!result.passed) return false;
    }
    return true;
  }
};

// One input record and what became of it.
struct Record {
  size_t index = 0;                   // place in the input file, from 0
  size_t line = 0;                    // line in the input file, for messages
  Json input;                         // an object of strings and arrays of strings
  std::string lang;                   // "zh" or "en"
  std::vector<Candidate> candidates;  // alive: not dropped yet
  std::vector<Candidate> dropped;     // failed a check on the last attempt; reasons inside
  std::vector<size_t> ranking;        // indices into candidates, best first; filled by `select`
  size_t offered = 0;                 // so many of them, from the front, are for people to choose from
  std::string needs_person;           // not empty: why no copy is offered for this record

  // What is offered first; null where nothing is. Without `select` the candidates stand in the order they were made in.
  const Candidate* Best() const {
    const size_t best = ranking.empty() ? 0 : ranking[0];
    return needs_person.empty() && best < candidates.size() ? &candidates[best] : nullptr;
  }
};

class Run {
 public:
  virtual ~Run() = default;

  virtual std::vector<Record>& records() = 0;
  virtual uint64_t seed() const = 0;
  // The recipe's folder. Files in it are read through base/file.h JoinInside.
  virtual const std::string& folder() const = 0;
  // Where `render` writes; "" when nothing is to be written.
  virtual const std::string& out() const = 0;
  virtual const std::string& recipe_name() const = 0;
  virtual const std::string& variant() const = 0;
  virtual const std::string& config_hash() const = 0;

  virtual std::shared_ptr<artefact::Generator> Model(const std::string& name) = 0;
  // The studio's indexes. Throws Error(kUnsupported) where the run has none.
  virtual artefact::Searcher& Search() { throw Error(Code::kUnsupported, "this run has no indexes to search"); }
  // Throws Error(kNotFound) where no ranker has this name, and kUnsupported where the run has none at all.
  virtual std::shared_ptr<artefact::Ranker> Ranker(const std::string&) {
    throw Error(Code::kUnsupported, "this run has no rankers");
  }
  // Runs step `id` again for these records with `attempt` >= 1; new candidates are appended. How `check` retries.
  virtual void Rerun(const std::string& id, std::span<const size_t> records, int attempt) = 0;
  // Progress of the step that is running, drawn for people. Throws Error(kCancelled) once the user said stop: call it
  // at least once a second.
  virtual void Report(uint64_t done, uint64_t total, std::string_view note) = 0;
  // Something the reader of the result should know ("the model ... is not here: ..."); shown at the end and by
  // `render`.
  virtual void Note(std::string_view) {}
  virtual std::vector<std::string> notes() const { return {}; }
  // Facts about the run for `render`: recipe's version and summary, engine, time, labels of the input's fields.
  virtual Json facts() const { return Json::object(); }
};

// What one step does. Made once per run from the step's table, then asked to work on records.
class Operator {
 public:
  virtual ~Operator() = default;
  // Works on the records whose indices are given (all on the first pass). Records with needs_person set are skipped
  // by writers and checks. `attempt` is 0 but for reruns.
  virtual void Apply(Run& run, std::span<const size_t> records, int attempt) = 0;
};

// What an operator needs to know of its step when it is made.
struct StepContext {
  std::string id = {};                                // the step's id, unique in the recipe
  std::string folder = {};                            // the recipe's folder
  std::vector<std::string> earlier = {};              // ids of the steps before this one
  std::map<std::string, std::string> uses = {};       // their operators, by id
  std::vector<std::string> inputs = {};               // names of the recipe's input fields
  std::vector<std::string> outputs = {};              // names of the recipe's output fields
  std::vector<std::string> lists = {}, numbers = {};  // those of them that are lists, and numbers; the others are texts
};

// One line per operator in operators/operators.cc; no static initialisers.
struct OperatorEntry {
  std::string_view name;     // "compose", "generate.text" ...
  std::string_view summary;  // one line for `atelier recipe operators` and the docs
  // Reads the step's keys strictly (all but `id`, `use` and `skip`, which are the engine's; it also calls Done()).
  std::unique_ptr<Operator> (*make)(Table& step, const StepContext& context);
};

}  // namespace atelier::recipe
