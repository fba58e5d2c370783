#include "app/atelier/recipe_run.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include "app/atelier/embedders.h"
#include "app/atelier/models.h"
#include "app/atelier/rankers.h"
#include "app/atelier/recipes.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"
#include "operators/operators.h"
#include "recipe/keep.h"
#include "runtime/local_generator.h"

namespace atelier::app {
namespace {

std::atomic<bool> stopped{false};

// The first Ctrl-C asks the run to stop where nothing is half done; a second one ends the program at once.
void OnInterrupt(int) {
  if (stopped.exchange(true)) ::_exit(130);
  constexpr std::string_view kSaid = "\nstopping; what was made so far is kept. Ctrl-C again ends it at once.\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kSaid.data(), kSaid.size());
}

}  // namespace

store::Studio StudioForRuns(const std::string& named) {
  if (auto studio = store::Studio::Find(named)) return std::move(*studio);
  const std::string own = Cat(AtelierHome(), "/studio");
  if (FileExists(Cat(own, "/studio.toml"))) return store::Studio::Open(own);
  MakeFolders(own);
  std::fprintf(stderr, "atelier: no studio here; made one of your own in %s\n", own.c_str());
  return store::Studio::Init(own);
}

std::string RecipeFolder(const store::Studio& studio, const std::string& recipe) {
  const bool folder = FileExists(Cat(recipe, "/recipe.toml")) || recipe.find('/') != std::string::npos;
  return folder ? recipe : RecipesOf(studio).Folder(recipe);
}

recipe::RunOptions OptionsForRuns(store::Studio& studio, bool quiet) {
  recipe::RunOptions options;
  options.quiet = quiet;
  options.operators = operators::AllOperators();
  options.models = ModelsOf(studio);
  options.search = SearchOf(studio.folder());
  options.rankers = RankersOf(studio.folder());
  options.cancelled = [] { return stopped.load(); };
  std::signal(SIGINT, &OnInterrupt);
  return options;
}

KeptRun RunAndKeep(store::Studio& studio, recipe::Recipe recipe, std::vector<recipe::Record> records,
                   feedback::RunRow row, recipe::RunOptions options) {
  row.recipe = recipe.name;
  row.variant = recipe.variant;
  row.config_hash = recipe.hash;
  row.seed = options.seed;
  row.traceparent = NewTraceparent();
  row.engine_build = runtime::EngineBuild();
  std::unique_ptr<recipe::Keeper> keeper;
  options.keep = [&](recipe::Run& run, bool finished) { (*keeper)(run, finished); };
  KeptRun kept;
  kept.engine = std::make_unique<recipe::Engine>(std::move(recipe), std::move(options));
  feedback::Generations generations(studio.db(), studio.tenant());
  keeper = std::make_unique<recipe::Keeper>(
      [&](const std::function<void(feedback::Generations&)>& write, size_t) { write(generations); }, std::move(row));
  kept.engine->Execute(std::move(records));
  kept.id = keeper->run_id();
  return kept;
}

}  // namespace atelier::app
