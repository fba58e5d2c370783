#include "recipe/replay.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::recipe {
namespace {

template <typename T>
void Compare(std::string_view what, const T& was, const T& is, std::vector<std::string>* differences) {
  if (was != is) differences->push_back(Cat(what, ": was ", was, ", is ", is));
}

}  // namespace

Replayed Replay(feedback::Generations& generations, const std::string& id, const std::string& folder,
                RunOptions options, const std::string& build, bool force) {
  std::optional<feedback::GenerationRow> stored = generations.Get(id);
  if (!stored)
    throw Error(Code::kNotFound, Cat("no generation ", Quote(id), " in this studio"),
                "ids stand on the page and in copy.jsonl");
  std::optional<feedback::RunRow> run = generations.GetRun(stored->run_id);
  if (!run) throw Error(Code::kCorrupt, Cat("the run of generation ", id, " is missing"));
  Replayed out;
  out.stored = std::move(*stored);
  const feedback::GenerationRow& row = out.stored;

  Recipe recipe = LoadRecipe(folder, row.variant);
  Compare("recipe", row.recipe, recipe.name, &out.differences);
  Compare("recipe's files (config hash)", row.config_hash, recipe.hash, &out.differences);
  options.seed = run->seed;
  options.out.clear();
  options.keep = nullptr;
  Engine engine(std::move(recipe), std::move(options));
  if (row.model.empty()) {
    Compare("program", row.engine_build, build, &out.differences);
  } else {
    const std::shared_ptr<artefact::Generator> model = engine.Model(row.model);
    const artefact::EngineInfo now = model->engine();
    Compare("model's hash", row.model_hash, model->info().hash, &out.differences);
    Compare("engine's build", row.engine_build, now.build, &out.differences);
    Compare("instruction set", row.isa, now.isa, &out.differences);
    Compare("threads", row.threads, now.threads, &out.differences);
  }
  if (!out.differences.empty() && !force) {
    throw Error(Code::kConflict, Cat("this is not what made generation ", id, ": ", Join(out.differences, "; ")),
                "--force makes it again all the same");
  }
  Record record;
  record.index = static_cast<size_t>(row.record);
  record.input = row.input;
  record.lang = row.lang;
  engine.ExecuteStep(row.writer, {record}, row.attempt);
  for (const Candidate& candidate : engine.records()[0].candidates) {
    if (candidate.attempt == row.attempt && candidate.sample == row.sample) out.output = candidate.output;
  }
  out.same = ToText(out.output) == ToText(row.output);
  return out;
}

}  // namespace atelier::recipe
