// For whoever runs it: is it up, is it ready, how busy is it, what does it answer to.
#include "base/str.h"
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
  each("model_prompt_tokens_total", "counter", "Prompt tokens.", [](const Load& load) { return load.prompt_tokens; });
  each("model_cached_tokens_total", "counter", "Prompt tokens that were cached.",
       [](const Load& load) { return load.cached_tokens; });
  each("model_output_tokens_total", "counter", "Tokens written.", [](const Load& load) { return load.output_tokens; });
  return out;
}

Json OpenApi(const Context& context) {
  Json paths = Json::object();
  for (const net::Route& route : context.router.routes()) {
    Json operation = {{"summary", route.summary}};
    Json parameters = Json::array();
    for (size_t open = route.pattern.find('{'); open != std::string::npos; open = route.pattern.find('{', open + 1)) {
      const std::string name = route.pattern.substr(open + 1, route.pattern.find('}', open) - open - 1);
      parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    }
    if (!parameters.empty()) operation["parameters"] = parameters;
    if (route.method == "POST") {
      operation["requestBody"] = {{"required", true},
                                  {"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}};
    }
    const Json failure = {{"description", "A failure; error.message says what is wrong"}};
    operation["responses"] = {{"200", {{"description", "Done"}}}, {"4XX", failure}, {"5XX", failure}};
    if (route.scope != net::kOpen) operation["security"] = Json::array({{{"key", Json::array()}}});
    operation["x-scope"] = route.scope;
    paths[route.pattern][ToLowerAscii(route.method)] = std::move(operation);
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "Atelier"}, {"version", context.version}}},
          {"paths", paths},
          {"components", {{"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace

void AddOperationRoutes(Context& context) {
  context.router.Add({"GET", "/healthz", std::string(net::kOpen), "Whether the process is alive",
                      [](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                        exchange->Respond({.content_type = "text/plain", .body = "ok\n"});
                      }});
  context.router.Add({"GET", "/readyz", std::string(net::kOpen), "Whether it takes requests",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                        const bool ready = !context.draining();
                        exchange->Respond({.status = ready ? 200 : 503,
                                           .content_type = "text/plain",
                                           .body = ready ? "ready\n" : "stopping\n"});
                      }});
  context.router.Add({"GET", "/metrics", "metrics", "Counters in Prometheus' text format",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                        exchange->Respond({.content_type = "text/plain; version=0.0.4", .body = Metrics(context)});
                      }});
  context.router.Add({"GET", "/openapi.json", std::string(net::kOpen), "What this server answers to",
                      [&context](std::shared_ptr<net::Exchange> exchange, const net::Params&) {
                        exchange->Respond(
                            {.content_type = "application/json", .body = ToText(OpenApi(context)) + "\n"});
                      }});
}

}  // namespace atelier::serve
