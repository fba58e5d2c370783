#include "experiment/case_runner.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/progress.h"
#include "base/str.h"
#include "recipe/engine.h"
#include "recipe/input.h"

namespace atelier::experiment {

namespace {
constexpr size_t kMostNotes = 50;  // of runs
}

// The indexes as one run sees them; notes which it asked.
class CaseRunner::Watch : public artefact::Searcher {
 public:
  Watch(artefact::Searcher& search, Dependencies* on) : search_(search), on_(on) {}
  std::vector<artefact::Passage> Search(const artefact::SearchRequest& request) override {
    Version(request.index);
    return search_.Search(request);
  }
  std::vector<artefact::Match> Compare(const std::string& index, const std::string& question,
                                       const std::vector<std::string>& texts) override {
    Version(index);
    return search_.Compare(index, question, texts);
  }
  std::string Version(const std::string& index) override { return on_->indexes[index] = search_.Version(index); }

 private:
  artefact::Searcher& search_;
  Dependencies* on_;
};

CaseRunner::CaseRunner(RunnerOptions options)
    : options_(std::move(options)),
      cache_(
          options_.cache, [this](const std::string& model) { return HashOfModel(model); },
          [this](const std::string& index) {
            return options_.search == nullptr ? "" : options_.search->Version(index);
          }) {}

std::string CaseRunner::HashOfModel(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto at = hashes_.find(name);
  return at != hashes_.end() ? at->second : hashes_[name] = options_.model_hash(name);
}

std::string CaseRunner::Folder(const std::string& recipe) const {
  return recipe.find('/') == std::string::npos ? options_.find(recipe) : recipe;
}

recipe::Recipe CaseRunner::Load(const std::string& recipe, const std::string& variant) {
  return recipe::LoadRecipe(Folder(recipe), variant);
}

void CaseRunner::Tell(const std::string& note) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
}

std::vector<std::string> CaseRunner::notes() const {
  std::vector<std::string> notes = notes_;
  if (left_out_) notes.emplace_back("further notes of the cases' runs are left out");
  return notes;
}

std::vector<Output> CaseRunner::Make(const recipe::Recipe& recipe, const std::vector<Json>& inputs) {
  Work work;
  work.label = Cat("judge ", recipe.folder.substr(recipe.folder.rfind('/') + 1));
  work.recipe = recipe;
  work.seed = seed_;
  work.inputs = inputs;
  for (size_t i = 0; i < inputs.size(); ++i) work.where.push_back("judged output " + std::to_string(i + 1));
  return Run(work);
}

Output CaseRunner::MakeOne(const Work& work, const std::string& text, size_t i) {
  recipe::Record record = recipe::MakeRecord(work.recipe, work.inputs[i], work.where[i], 0);
  const Json what = {{"recipe", work.recipe.hash}, {"model", work.model}, {"seed", work.seed},
                     {"build", options_.build},    {"lang", record.lang}, {"input", record.input}};
  const std::string key = OutputCache::Key(what);
  if (std::optional<Output> kept = cache_.Get(key)) return *std::move(kept);

  const double started = MonotonicSeconds();
  Dependencies on;
  recipe::RunOptions options;
  options.seed = work.seed;
  options.operators = options_.operators;
  options.cancelled = options_.cancelled;
  options.models = [&](const std::string& named) {
    const std::string& name = work.model.empty() ? named : work.model;
    on.models[name] = HashOfModel(name);
    const std::lock_guard<std::mutex> lock(mutex_);  // loading is not for two at once
    return options_.models(name);
  };
  if (options_.rankers) {
    options.rankers = [&](const std::string& name) {
      on.models[name] = HashOfModel(name);
      const std::lock_guard<std::mutex> lock(mutex_);
      return options_.rankers(name);
    };
  }
  if (options_.search != nullptr) options.search = std::make_shared<Watch>(*options_.search, &on);
  // Tables remember what was read of them: each run has its own.
  recipe::Engine engine(
      recipe::ParseRecipe(text, work.recipe.folder + "/recipe.toml", work.recipe.folder, work.recipe.variant),
      std::move(options));
  std::vector<recipe::Record> records;
  records.push_back(std::move(record));
  engine.Execute(std::move(records));
  Output output = OutputOf(engine.records()[0]);
  output.notes = engine.notes();
  output.seconds = MonotonicSeconds() - started;
  try {
    cache_.Put(key, output, on);
  } catch (const Error& e) {  // what was made is not lost because it cannot be kept
    if (kept_.exchange(false)) Tell(Cat("outputs are not kept for the next run: ", e.Line()));
  }
  return output;
}

std::vector<Output> CaseRunner::Run(const Work& work) {
  const std::string text = ReadFile(work.recipe.folder + "/recipe.toml");
  const size_t all = work.inputs.size();
  std::vector<Output> outputs(all);
  std::vector<std::exception_ptr> faults(all);
  std::atomic<size_t> next = 0, done = 0;
  std::atomic<bool> stop = false;
  Progress progress(work.label, ProgressUnit::kItems, options_.quiet);
  const auto take = [&] {
    for (size_t i = next++; i < all && !stop; i = next++) {
      try {
        outputs[i] = MakeOne(work, text, i);
      } catch (const Error& e) {
        if (e.code() == Code::kCancelled) stop = true;
        outputs[i].error = e.Line();
        faults[i] = std::current_exception();
      } catch (...) {
        stop = true;
        faults[i] = std::current_exception();
      }
      const size_t count = ++done;
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const std::string& note : outputs[i].notes) {
        if (std::find(notes_.begin(), notes_.end(), note) != notes_.end()) continue;
        if (of_runs_ == kMostNotes) {
          left_out_ = true;
          break;
        }
        ++of_runs_;
        notes_.push_back(note);
      }
      progress.Update(count, all);
    }
  };
  std::vector<std::thread> threads;
  for (size_t t = 1; t < std::min(all, static_cast<size_t>(std::max(options_.jobs, 1))); ++t)
    threads.emplace_back(take);
  take();
  for (std::thread& thread : threads) thread.join();

  const auto fault = std::find_if(faults.begin(), faults.end(), [](const auto& one) { return one != nullptr; });
  const bool none = std::all_of(faults.begin(), faults.end(), [](const auto& one) { return one != nullptr; });
  if (stop) {  // the one that stopped it, not a case that merely failed before
    for (const std::exception_ptr& one : faults) {
      if (one == nullptr) continue;
      try {
        std::rethrow_exception(one);
      } catch (const Error& e) {
        if (e.code() == Code::kCancelled) throw;
      }
    }
  }
  if (fault != faults.end() && none) std::rethrow_exception(*fault);
  return outputs;
}

}  // namespace atelier::experiment
