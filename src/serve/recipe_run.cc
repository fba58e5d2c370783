#include "serve/recipe_run.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/str.h"
#include "recipe/input.h"
#include "recipe/keep.h"
#include "serve/fields.h"

namespace atelier::serve {
namespace {

constexpr double kStoreSeconds = 5;       // that an answer waits for the database
constexpr int64_t kTokensOfRecord = 500;  // reserved of a key's day until the run has ended

void CheckRoom(const Ledger& ledger) {
  if (ledger.HasRoom()) return;
  throw Error(Code::kUnavailable, "the studio's database takes no writes, and enough waits for it already",
              "try again later");
}

// What a client sees of one offered output; /api/generations/{id} has the rest.
Json Offer(const recipe::Candidate& candidate, size_t rank) {
  Json offer = {{"id", candidate.generation_id},
                {"rank", rank},
                {"output", candidate.output},
                {"writer", candidate.writer},
                {"model", candidate.model.empty() ? Json() : Json(candidate.model)}};
  offer["scores"] = Json::object();
  for (const auto& [name, value] : candidate.scores) offer["scores"][name] = value;
  return offer;
}

// "writing", then "ready" or "needs_person" with the reason. `finished`: nothing more will come.
Json RecordJson(const recipe::Record& record, bool finished) {
  const bool ready = record.needs_person.empty() && !record.ranking.empty();
  const std::string reason = !record.needs_person.empty() ? record.needs_person
                             : record.lang == "zh"        ? "没有合格的文案"
                                                          : "nothing passed";
  Json json = {{"index", record.index}, {"lang", record.lang}};
  const bool waits = !record.needs_person.empty() || (finished && !ready);
  json["state"] = ready ? "ready" : waits ? "needs_person" : "writing";
  if (waits) json["reason"] = reason;
  json["candidates"] = record.candidates.size();
  json["dropped"] = record.dropped.size();
  if (!ready) return json;
  Json offered = Json::array();
  const size_t most = std::max<size_t>(1, std::min(record.offered, record.ranking.size()));
  for (size_t place = 0; place < most; ++place)
    offered.push_back(Offer(record.candidates[record.ranking[place]], place));
  json["chosen"] = offered[0];
  offered.erase(0);
  json["runners_up"] = std::move(offered);
  return json;
}

// What is wrong with a recipe is the studio's business: the log has it, with its path.
Error Broken(const std::string& name, const Error& error) {
  Log(LogLevel::kError, "broken recipe", {{"recipe", name}, {"why", error.Line()}});
  return Error(Code::kCorrupt, Cat("the recipe ", Quote(name), " is broken"), "the server's log says how");
}

}  // namespace

recipe::Recipe FindRecipe(const Context& context, const std::string& name, const std::string& variant) {
  const std::string folder = context.recipes.Folder(name);
  try {
    return recipe::LoadRecipe(folder, variant);
  } catch (const Error& error) {
    if (variant.empty() || error.code() != Code::kNotFound) throw Broken(name, error);
  }
  const std::vector<std::string> variants = FindRecipe(context, name).variants;
  throw FieldError("variant", Cat("there is no variant ", Quote(variant)),
                   variants.empty() ? "the recipe has none" : Cat("there are: ", Join(variants, ", ")));
}

RecipeRun::RecipeRun(Context& context, const RunRequest& request, const std::optional<guard::KeyInfo>& who,
                     std::string traceparent)
    : context_(context),
      id_(NewUuid()),
      recipe_(FindRecipe(context, request.recipe, request.variant)),
      owner_(who ? who->id : "") {
  for (size_t i = 0; i < request.records.size(); ++i) {
    const std::string& path = request.paths.at(i);
    Fields fields(request.records[i], path);
    for (const recipe::Field& field : recipe_.input.fields) fields.Any(field.name);
    fields.Done();
    try {
      records_.push_back(recipe::MakeRecord(recipe_, request.records[i], path, i));
    } catch (const Error& error) {
      throw FieldError(path, error.what(), error.hint());
    }
  }
  row_.id = id_;
  row_.recipe = recipe_.name;
  row_.variant = recipe_.variant;
  row_.config_hash = recipe_.hash;
  row_.input_path = "api";
  row_.input_hash = Sha256Hex(ToText(request.records));
  row_.seed = request.seed;
  row_.options = {{"records", records_.size()}};
  row_.key_id = owner_;
  row_.traceparent = std::move(traceparent);
  row_.engine_build = context.version;
}

Json RecipeRun::Execute(Hooks hooks) {
  if (cancelled()) throw Error(Code::kCancelled, "stopped");
  CheckRoom(context_.ledger);
  const std::shared_ptr<void> foreground = context_.foreground.Hold();
  recipe::RunOptions options;
  options.seed = row_.seed;
  options.operators = context_.operators;
  options.search = context_.search;
  options.rankers = context_.rankers;
  options.cancelled = [this] { return run_->tickets.cancelled(); };
  options.progress = hooks.progress;
  std::map<std::string, std::shared_ptr<artefact::Generator>> models;
  options.models = [&](const std::string& name) {
    std::shared_ptr<artefact::Generator>& model = models[name];
    if (model == nullptr) model = ForClient(context_.models.Get(name), owner_, run_);
    return model;
  };
  std::unique_ptr<recipe::Keeper> keeper;
  std::vector<Json> told(records_.size());
  options.keep = [&](recipe::Run& run, bool finished) {
    CheckRoom(context_.ledger);
    (*keeper)(run, finished);
    if (!hooks.record) return;
    for (size_t i = 0; i < run.records().size(); ++i) {
      Json now = RecordJson(run.records()[i], finished);
      if (now == told[i]) continue;
      hooks.record(now);
      told[i] = std::move(now);
    }
  };
  const auto engine = [&] {
    try {
      return std::make_unique<recipe::Engine>(std::move(recipe_), std::move(options));
    } catch (const Error& error) {
      throw Broken(row_.recipe, error);
    }
  }();
  const auto kept = std::make_shared<Ledger::Group>();
  keeper = std::make_unique<recipe::Keeper>(
      [this, kept](std::function<void(feedback::Generations&)> write, size_t bytes) {
        context_.ledger.Keep(
            [tenant = context_.studio.tenant(), write = std::move(write)](store::Database& db) {
              feedback::Generations generations(db, tenant);
              write(generations);
            },
            bytes, kept);
      },
      row_);
  engine->Execute(std::move(records_));
  return Result(*engine, context_.ledger.WaitFor(*kept, kStoreSeconds));
}

Json RecipeRun::Result(recipe::Engine& engine, bool stored) const {
  Json list = Json::array();
  size_t ready = 0;
  for (const recipe::Record& record : engine.records()) {
    list.push_back(RecordJson(record, true));
    ready += list.back()["state"] == "ready";
  }
  const size_t all = list.size();
  return {{"id", id_},
          {"object", "recipe.run"},
          {"recipe", row_.recipe},
          {"variant", row_.variant},
          {"config_hash", row_.config_hash},
          {"seed", row_.seed},
          {"stored", stored},
          {"ready", ready},
          {"needs_person", all - ready},
          {"records", std::move(list)},
          {"notes", engine.notes()},
          {"usage",
           {{"prompt_tokens", run_->prompt_tokens()},
            {"completion_tokens", run_->output_tokens()},
            {"total_tokens", tokens()}}},
          {"seconds", engine.seconds()}};
}

void StartRun(Context& context, const std::shared_ptr<net::Exchange>& exchange, const RunRequest& request,
              std::function<void(RecipeRun& run)> job) {
  const std::optional<guard::KeyInfo> who = WhoAsks(context, *exchange);
  const std::string owner = who ? who->id : "";
  const auto full = [] {
    return Error(Code::kResourceExhausted, "too many runs wait already", "try again in a moment");
  };
  if (!context.runs.HasRoom(owner)) throw full();  // before any work
  const auto reserved = kTokensOfRecord * static_cast<int64_t>(request.records.size());
  if (who) {
    const guard::KeyLimits::Verdict verdict = context.limits.Admit(*who, reserved);
    if (!verdict.allowed) {
      exchange->Respond(OverLimit(verdict));
      return;
    }
  }
  // Settled when the last who holds the run lets go of it: after its job, or where the queue gives it up.
  std::shared_ptr<RecipeRun> run;
  try {
    run = {new RecipeRun(context, request, who, exchange->request().traceparent),
           [&context, who, reserved](RecipeRun* ended) {
             if (who) context.limits.Settle(*who, reserved, ended->tokens());
             delete ended;
           }};
  } catch (...) {
    if (who) context.limits.Settle(*who, reserved, 0);
    throw;
  }
  exchange->OnGone([&context, weak = std::weak_ptr(run)] {
    if (const auto alive = weak.lock()) alive->Cancel();
    context.runs.DropUnwanted();
  });
  const bool taken = context.runs.Add(
      owner,
      [exchange, run, job = std::move(job)] {
        try {
          job(*run);
        } catch (...) {
          exchange->Respond(ErrorResponse(std::current_exception()));
        }
      },
      [run] { return !run->cancelled(); });
  if (!taken) throw full();
  if (run->cancelled()) context.runs.DropUnwanted();  // gone before it was in the queue
}

}  // namespace atelier::serve
