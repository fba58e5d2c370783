#include "app/atelier/suite_here.h"

#include <filesystem>

#include "app/atelier/embedders.h"
#include "app/atelier/recipe_run.h"
#include "app/atelier/recipes.h"
#include "artefact/file_lock.h"
#include "artefact/registry.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "kernel/select.h"
#include "runtime/local_generator.h"

namespace atelier::app {
namespace {

constexpr int kKeepDays = 90;  // of outputs that nobody asked for again

// What stands for a model's weights. Those that were never registered have no hash: their file's size and time do.
std::string WeightsOf(const artefact::Registry& registry, const std::string& name) {
  try {
    const artefact::ModelEntry model = registry.ResolveAdapted(name);
    if (!model.manifest.sha256.empty()) return model.manifest.sha256;
    const auto one = [](const std::string& path) {
      const auto time = std::filesystem::last_write_time(path).time_since_epoch().count();
      return Cat(std::filesystem::canonical(path).string(), " ", FileSize(path), " ", time);
    };
    return model.adapter ? Cat(one(model.path), " ", one(model.adapter->path)) : one(model.path);
  } catch (const Error&) {
    return "";
  } catch (const std::filesystem::filesystem_error&) {
    return "";
  }
}

experiment::FindRecipe RecipesHere(const store::Studio& studio) {
  return [recipes = RecipesOf(studio)](const std::string& name) { return recipes.Folder(name); };
}

}  // namespace

experiment::Suite LoadSuiteHere(const store::Studio& studio, const std::string& file, SegmenterOption* segmenter,
                                const Globals& globals) {
  return experiment::LoadSuite(file, RecipesHere(studio),
                               {[segmenter, globals] { return segmenter->LoadWords(globals); },
                                [globals](const std::string& name) { return EmbedderHere(globals, name); }});
}

experiment::SuiteResult RunSuiteHere(store::Studio& studio, experiment::Suite* suite, const SuiteRunOptions& how,
                                     const Globals& globals) {
  const recipe::RunOptions here = OptionsForRuns(studio, globals.quiet || globals.json);
  experiment::RunnerOptions options;
  options.operators = here.operators;
  options.models = here.models;
  options.search = here.search;
  options.rankers = here.rankers;
  options.quiet = here.quiet;
  options.cancelled = here.cancelled;
  options.model_hash = [registry = artefact::Registry(&studio)](const std::string& name) {
    return WeightsOf(registry, name);
  };
  options.find = RecipesHere(studio);
  options.build = Cat(runtime::EngineBuild(), " ", kernel::BestTable().name, " ", ThreadPool::DefaultThreads());
  if (how.cache) options.cache = studio.Path("cache/outputs");
  options.jobs = static_cast<int>(how.jobs.value_or(2 * ThreadPool::DefaultThreads()));
  experiment::CaseRunner runner(std::move(options));
  experiment::SuiteResult result = experiment::RunSuite(*suite, runner, how.baseline);
  runner.cache().Prune(kKeepDays);
  return result;
}

std::vector<experiment::Trend> WriteSuite(const std::string& folder, const experiment::SuiteResult& result,
                                          const experiment::Suite& suite, const Json& json, bool whole, bool chinese) {
  const std::string history = Cat(folder, "/history.jsonl");
  const artefact::FileLock lock(Cat(folder, "/.lock"));  // another run may be at the same place
  std::string lines = FileExists(history) ? ReadFile(history) : "";
  if (!lines.empty() && lines.back() != '\n') lines += "\n";
  WriteFileAtomic(history, lines + experiment::HistoryLine(result, suite));
  WriteFileAtomic(Cat(folder, "/junit.xml"), experiment::JUnit(result, suite));
  std::vector<experiment::Trend> trends = experiment::ReadHistory(history);
  WriteFileAtomic(Cat(folder, "/index.html"), experiment::SuitePage(result, suite, trends, chinese));
  const std::string results = ToText(json) + "\n";
  WriteFileAtomic(Cat(folder, "/results.json"), results);
  if (result.passed && whole) WriteFileAtomic(Cat(folder, "/passed.json"), results);  // last
  return trends;
}

}  // namespace atelier::app
