// /api/recipes: what can be made here, and the making of it, answered whole or as a stream with its progress.
#include "base/error.h"
#include "base/str.h"
#include "recipe/input.h"
#include "serve/api_schemas.h"
#include "serve/event_stream.h"
#include "serve/fields.h"
#include "serve/recipe_run.h"
#include "serve/studio_server.h"

namespace atelier::serve {
namespace {

constexpr size_t kMostRecords = 500;

Json FieldsJson(const recipe::Recipe& recipe) {
  Json fields = Json::array();
  for (const recipe::OutputField& field : recipe.output)
    fields.push_back({{"name", field.name}, {"type", field.type == recipe::FieldType::kList ? "list" : "text"}});
  return fields;
}

Json RecipeJson(const recipe::Recipe& recipe) {
  return {{"name", recipe.name},
          {"object", "recipe"},
          {"version", recipe.version},
          {"summary", recipe.summary},
          {"languages", recipe.input.languages},
          {"variants", recipe.variants},
          {"input_schema", recipe::InputSchema(recipe)},
          {"output", FieldsJson(recipe)},
          {"config_hash", recipe.hash}};
}

Json ListRecipes(const Context& context) {
  Json list = Json::array();
  for (const std::string& name : context.recipes.Names()) {
    try {
      list.push_back(RecipeJson(FindRecipe(context, name)));
    } catch (const Error& error) {
      list.push_back({{"name", name}, {"object", "recipe"}, {"error", error.Line()}});
    }
  }
  return {{"object", "list"}, {"data", std::move(list)}};
}

struct GenerationsRequest {
  RunRequest run;
  bool stream = false;
};

GenerationsRequest ReadRequest(const Json& body, std::string_view recipe) {
  GenerationsRequest out;
  out.run.recipe = recipe;
  Fields fields(body, "");
  const Json* one = fields.Any("record");
  const Json* many = fields.Any("records");
  if (one != nullptr && many != nullptr) fields.Refuse("record", "contradicts records", "give one of the two");
  if (one == nullptr && many == nullptr) fields.Refuse("records", "is missing", "an array of objects");
  if (one != nullptr) {
    out.run.records = Json::array({*one});
    out.run.paths = {"record"};
  } else {
    if (!many->is_array() || many->empty()) fields.Refuse("records", "is not an array of at least one record");
    if (many->size() > kMostRecords)
      fields.Refuse("records", Cat("has ", many->size(), " records"), Cat("at most ", kMostRecords, " at a time"));
    out.run.records = *many;
    for (size_t i = 0; i < many->size(); ++i) out.run.paths.push_back(Cat("records[", i, "]"));
  }
  out.run.variant = fields.StringOr("variant").value_or("");
  if (const auto seed = fields.IntOr("seed", 0, INT64_MAX)) out.run.seed = static_cast<uint64_t>(*seed);
  out.stream = fields.BoolOr("stream").value_or(false);
  fields.Done();
  return out;
}

// Tells how far a run is, once for every record.
class Teller {
 public:
  explicit Teller(EventStream* events) : events_(events) {}
  void operator()(const recipe::StepProgress& at) {
    {
      const std::lock_guard lock(mutex_);
      if (at.number == number_ && at.done == done_) return;
      number_ = at.number;
      done_ = at.done;
    }
    events_->Offer("progress", {{"step", at.step},
                                {"use", at.use},
                                {"number", at.number},
                                {"steps", at.steps},
                                {"done", at.done},
                                {"total", at.total}});
  }

 private:
  EventStream* events_;
  std::mutex mutex_;
  size_t number_ = 0;
  uint64_t done_ = 0;
};

void Run(const std::shared_ptr<net::Exchange>& exchange, RecipeRun& run, bool stream) {
  if (!stream) {
    RespondJson(*exchange, run.Execute({}));
    return;
  }
  EventStream events(exchange);
  if (!events.Begin()) return;
  events.Send("started", {{"id", run.id()}, {"records", run.records()}});
  Teller progress(&events);
  try {
    events.End("done", run.Execute({.progress = [&](const recipe::StepProgress& at) { progress(at); },
                                    .record =
                                        [&](const Json& record) {
                                          if (!events.Send("record", record)) run.Cancel();
                                        }}));
  } catch (...) {
    events.End("error", ParseJson(ErrorResponse(std::current_exception()).body, "error"));
  }
}

void Generate(Context& context, const std::shared_ptr<net::Exchange>& exchange, std::string_view recipe) {
  const GenerationsRequest request = ReadRequest(ReadBody(context, exchange->request()), recipe);
  StartRun(context, exchange, request.run,
           [exchange, stream = request.stream](RecipeRun& run) { Run(exchange, run, stream); });
}

}  // namespace

void AddRecipeRoutes(Context& context) {
  context.router.Add({"GET", "/api/recipes", "recipes", "What can be made here",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                        RespondJson(*exchange, ListRecipes(context));
                      }});
  context.router.Add({"GET", "/api/recipes/{recipe}", "recipes", "One recipe, and what its records have to be",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params& params) {
                        RespondJson(*exchange, RecipeJson(FindRecipe(context, std::string(params["recipe"]))));
                      }});
  context.router.Add(
      {.method = "POST",
       .pattern = "/api/recipes/{recipe}/generations",
       .scope = "recipes",
       .summary = "Make a recipe's outputs for records",
       .handler = [&context](std::shared_ptr<net::Exchange> exchange,
                             const net::Params& params) { Generate(context, exchange, params["recipe"]); },
       .request = RunRequestSchema(),
       .reply = RunReplySchema(),
       .streams = true});
}

}  // namespace atelier::serve
