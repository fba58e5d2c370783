// /api/recipes: what can be made here, and the making of it, answered whole or as a stream with its progress.
#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/str.h"
#include "recipe/input.h"
#include "serve/api_schemas.h"
#include "serve/fields.h"
#include "serve/recipe_run.h"
#include "serve/studio_server.h"

namespace atelier::serve {
namespace {

constexpr size_t kMostRecords = 500;
constexpr double kRoomSeconds = 20;  // that a stream waits for a slow reader

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

// Events of a stream, from the run's thread and from models' threads.
class RunStream {
 public:
  RunStream(std::shared_ptr<net::Exchange> exchange, std::function<void()> gone)
      : exchange_(std::move(exchange)), gone_(std::move(gone)) {}

  bool Begin() {
    return exchange_->BeginStream({.content_type = "text/event-stream",
                                   .body = "",
                                   .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}});
  }
  // From the run's thread, which may wait for the reader.
  void Send(std::string_view event, const Json& data) {
    const std::string bytes = net::SseEvent(ToText(data), event);
    if (!exchange_->WaitForRoom(bytes.size(), kRoomSeconds) || !exchange_->Write(bytes)) gone_();
  }
  // Left out where nothing moved, and where the reader is behind: the next one says more.
  void Progress(const recipe::StepProgress& at) {
    {
      const std::lock_guard lock(mutex_);
      if (at.number == number_ && at.done == done_) return;
      number_ = at.number;
      done_ = at.done;
    }
    const std::string bytes = net::SseEvent(ToText({{"step", at.step},
                                                    {"use", at.use},
                                                    {"number", at.number},
                                                    {"steps", at.steps},
                                                    {"done", at.done},
                                                    {"total", at.total}}),
                                            "progress");
    if (exchange_->buffered() < kMostBehind) exchange_->Write(bytes);
  }
  void End(std::string_view event, const Json& data) {
    Send(event, data);
    exchange_->Finish();
  }

 private:
  static constexpr size_t kMostBehind = 64 << 10;
  const std::shared_ptr<net::Exchange> exchange_;
  const std::function<void()> gone_;
  std::mutex mutex_;
  size_t number_ = 0;
  uint64_t done_ = 0;
};

void Run(const std::shared_ptr<net::Exchange>& exchange, const std::shared_ptr<RecipeRun>& run, bool stream) {
  if (!stream) {
    RespondJson(*exchange, run->Execute({}));
    return;
  }
  RunStream events(exchange, [&run] { run->Cancel(); });
  if (!events.Begin()) return;
  events.Send("started", {{"id", run->id()}, {"records", run->records()}});
  try {
    events.End("done", run->Execute({.progress = [&](const recipe::StepProgress& at) { events.Progress(at); },
                                     .record = [&](const Json& record) { events.Send("record", record); }}));
  } catch (...) {
    events.End("error", ParseJson(ErrorResponse(std::current_exception()).body, "error"));
  }
}

void Generate(Context& context, const std::shared_ptr<net::Exchange>& exchange, std::string_view recipe) {
  const net::Request& http = exchange->request();
  const GenerationsRequest request = ReadRequest(ReadBody(context, http), recipe);
  const std::optional<guard::KeyInfo> who = WhoAsks(context, *exchange);
  const auto run = std::make_shared<RecipeRun>(context, request.run, who, http.traceparent);
  StartRun(context, exchange, who, run, [exchange, run, stream = request.stream] { Run(exchange, run, stream); });
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
