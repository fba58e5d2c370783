// For whoever runs it: is it up, is it ready, how busy is it, what does it answer to.
#include "base/str.h"
#include "serve/api_schemas.h"
#include "serve/studio_server.h"

namespace atelier::serve {
namespace {

void Metric(std::string* out, std::string_view name, std::string_view type, std::string_view help) {
  out->append(Cat("# HELP atelier_", name, " ", help, "\n# TYPE atelier_", name, " ", type, "\n"));
}

// Prometheus' text format.
std::string Metrics(Context& context) {
  std::string out;
  const net::ServerStats stats = context.stats();
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    Metric(&out, name, type, help);
    out.append(Cat("atelier_", name, " ", value, "\n"));
  };
  one("connections", "gauge", "Open connections.", stats.connections_open);
  one("requests_running", "gauge", "Requests that are being answered.", stats.exchanges_open);
  one("clients_gone_total", "counter", "Clients that vanished before their answer was whole.", stats.clients_gone);
  one("readers_dropped_total", "counter", "Clients that took their answer too slowly.", stats.readers_dropped);
  one("received_bytes_total", "counter", "Bytes of bodies received.", stats.bytes_in);
  one("sent_bytes_total", "counter", "Bytes sent.", stats.bytes_out);
  Metric(&out, "requests_total", "counter", "Requests answered, by status.");
  for (const auto& [status, count] : stats.by_status)
    out.append(Cat("atelier_requests_total{status=\"", status, "\"} ", count, "\n"));
  one("recipe_runs_running", "gauge", "Runs of recipes at work.", context.runs.running());
  one("recipe_runs_waiting", "gauge", "Runs of recipes that wait for their turn.", context.runs.waiting());
  const Ledger::State ledger = context.ledger.state();
  one("ledger_waiting", "gauge", "Writes that wait for the database.", ledger.waiting);
  one("ledger_bytes", "gauge", "Memory that they take.", ledger.bytes);
  one("ledger_written_total", "counter", "Writes that are in the database.", ledger.written);
  one("ledger_failed_total", "counter", "Writes that the database refused for good.", ledger.failed);
  const auto models = context.models.Loaded();
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto get) {
    Metric(&out, name, type, help);
    for (const auto& [model, generator] : models)
      out.append(Cat("atelier_", name, "{model=\"", model, "\"} ", get(generator->Load()), "\n"));
  };
  using Load = artefact::EngineLoad;
  each("model_waiting", "gauge", "Requests that wait for the model.", [](const Load& load) { return load.waiting; });
  each("model_running", "gauge", "Requests that the model writes.", [](const Load& load) { return load.running; });
  each("model_free_pages", "gauge", "Pages of keys and values that are free.",
       [](const Load& load) { return load.free_pages; });
  each("model_cached_pages", "gauge", "Pages that hold cached prompts.",
       [](const Load& load) { return load.cached_pages; });
  each("model_passes_total", "counter", "Passes over the weights.", [](const Load& load) { return load.passes; });
  each("model_prompt_tokens_total", "counter", "Prompt tokens.", [](const Load& load) { return load.prompt_tokens; });
  each("model_cached_tokens_total", "counter", "Prompt tokens that were cached.",
       [](const Load& load) { return load.cached_tokens; });
  each("model_output_tokens_total", "counter", "Tokens written.", [](const Load& load) { return load.output_tokens; });
  const auto embedders = context.embedders.Loaded();
  const auto embedder = [&](std::string_view name, std::string_view type, std::string_view help, auto get) {
    Metric(&out, name, type, help);
    for (const auto& [model, queue] : embedders)
      out.append(Cat("atelier_", name, "{model=\"", model, "\"} ", get(queue->load()), "\n"));
  };
  using Queue = EmbeddingQueue::Load;
  embedder("embedding_waiting", "gauge", "Requests that wait for vectors or get them.",
           [](const Queue& load) { return load.waiting; });
  embedder("embedding_rounds_total", "counter", "Rounds in which texts of all clients are computed together.",
           [](const Queue& load) { return load.rounds; });
  embedder("embedding_texts_total", "counter", "Texts turned into vectors.",
           [](const Queue& load) { return load.texts; });
  return out;
}

// Names in paths are those that exist; everything else is any text.
Json PathParameter(const std::string& name) {
  Json schema = {{"type", "string"}, {"minLength", 1}};
  if (name == "model") schema = {{"$ref", "#/components/schemas/Model"}};
  if (name == "id") schema = {{"type", "string"}, {"format", "uuid"}};
  if (name == "recipe") schema = {{"$ref", "#/components/schemas/Recipe"}};
  return {{"name", name}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}};
}

Json ContentOf(const std::string& media, const Json& schema) {
  return {{media, schema.is_null() ? Json::object() : Json{{"schema", schema}}}};
}

Json OperationOf(const net::Route& route, bool keys) {
  Json operation = {{"summary", route.summary}};
  Json parameters = Json::array();
  for (size_t open = route.pattern.find('{'); open != std::string::npos; open = route.pattern.find('{', open + 1))
    parameters.push_back(PathParameter(route.pattern.substr(open + 1, route.pattern.find('}', open) - open - 1)));
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.request.is_null())
    operation["requestBody"] = {{"required", true}, {"content", ContentOf("application/json", route.request)}};
  Json done = ContentOf(route.media, route.reply);
  if (route.streams) done["text/event-stream"] = Json::object();
  Json schema = {{"$ref", "#/components/schemas/Error"}};
  if (!route.failure.is_null()) schema = {{"anyOf", Json::array({schema, route.failure})}};
  const Json failure = {{"description", "A failure; error.message says what is wrong"},
                        {"content", ContentOf("application/json", schema)}};
  operation["responses"] = {
      {"2XX", {{"description", "Done"}, {"content", std::move(done)}}}, {"4XX", failure}, {"5XX", failure}};
  if (route.notifies) operation["responses"]["202"] = {{"description", "Heard; there is nothing to answer"}};
  if (keys && route.scope != net::kOpen) operation["security"] = Json::array({{{"key", Json::array()}}});
  operation["x-scope"] = route.scope;
  return operation;
}

// `names`: whoever asks may know which models and recipes there are.
Json OpenApi(const Context& context, bool names) {
  Json paths = Json::object();
  for (const net::Route& route : context.router.routes())
    paths[route.pattern][ToLowerAscii(route.method)] = OperationOf(route, context.keys_required);
  std::vector<std::string> models, recipes;
  if (names) {
    for (const artefact::ModelEntry& entry : context.models.List()) models.push_back(entry.name);
    recipes = context.recipes.Names();
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "Atelier"}, {"version", context.version}}},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", Components(models, recipes)},
            {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace

void AddOperationRoutes(Context& context) {
  context.router.Add(
      {.method = "GET",
       .pattern = "/healthz",
       .scope = std::string(net::kOpen),
       .summary = "Whether the process is alive",
       .handler = [](std::shared_ptr<net::Exchange> exchange,
                     const net::Params&) { exchange->Respond({.content_type = "text/plain", .body = "ok\n"}); },
       .media = "text/plain"});
  context.router.Add({.method = "GET",
                      .pattern = "/readyz",
                      .scope = std::string(net::kOpen),
                      .summary = "Whether it takes requests",
                      .handler =
                          [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                            const bool ready = !context.draining();
                            exchange->Respond({.status = ready ? 200 : 503,
                                               .content_type = "text/plain",
                                               .body = ready ? "ready\n" : "stopping\n"});
                          },
                      .media = "text/plain"});
  context.router.Add({.method = "GET",
                      .pattern = "/metrics",
                      .scope = "metrics",
                      .summary = "Counters in Prometheus' text format",
                      .handler =
                          [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                            exchange->Respond({.content_type = "text/plain; version=0.0.4", .body = Metrics(context)});
                          },
                      .media = "text/plain"});
  context.router.Add({.method = "GET",
                      .pattern = "/openapi.json",
                      .scope = std::string(net::kOpen),
                      .summary = "What this server answers to",
                      .handler = [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                        const bool names = !context.keys_required ||
                                           (exchange->request().Header("authorization") && WhoAsks(context, *exchange));
                        RespondJson(*exchange, OpenApi(context, names));
                      }});
}

}  // namespace atelier::serve
