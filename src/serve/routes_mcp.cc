// /mcp: the recipes as tools, for assistants that speak the Model Context Protocol (modelcontextprotocol.io, revisions
// 2025-06-18 and 2025-11-25, Streamable HTTP without sessions). A tool takes one record and answers with what was
// chosen for it; a client that sent a progress token hears how far the run is.
#include <algorithm>
#include <array>
#include <mutex>

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

constexpr std::array<std::string_view, 2> kVersions = {"2025-11-25", "2025-06-18"};  // newest first
constexpr int kParseError = -32700, kInvalidRequest = -32600, kNoMethod = -32601, kInvalidParams = -32602,
              kInternalError = -32603;

Json Reply(const Json& id, Json result) { return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}}; }
Json Failure(const Json& id, int code, std::string_view message) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

Json Initialize(const Context& context, const Json& params) {
  const auto asked = params.find("protocolVersion");
  std::string_view version = kVersions[0];
  if (asked != params.end() && asked->is_string()) {
    for (const std::string_view known : kVersions) {
      if (*asked == known) version = known;
    }
  }
  return {{"protocolVersion", version},
          {"capabilities", {{"tools", Json::object()}}},
          {"serverInfo", {{"name", "atelier"}, {"title", "Atelier"}, {"version", context.version}}},
          {"instructions",
           "Each tool is a recipe: it takes one record and returns text that passed the recipe's checks, or says why a "
           "person is needed. / 每个工具是一份配方：给一条记录，得到通过检查的文案，或者为什么要人来写。"}};
}

Json TextSchema() { return {{"type", "string"}}; }

Json OutputSchema(const recipe::Recipe& recipe) {
  Json fields = Json::object();
  for (const recipe::OutputField& field : recipe.output) {
    fields[field.name] = TextSchema();
    if (field.type == recipe::FieldType::kNumber) fields[field.name] = {{"type", "number"}};
    if (field.type == recipe::FieldType::kList) fields[field.name] = {{"type", "array"}, {"items", TextSchema()}};
  }
  const Json output = {{"type", "object"}, {"properties", std::move(fields)}};
  return {{"type", "object"},
          {"properties",
           {{"state", {{"enum", {"ready", "needs_person"}}}},
            {"reason", TextSchema()},
            {"generation", TextSchema()},
            {"output", output},
            {"others", {{"type", "array"}, {"items", output}}}}},
          {"required", {"state"}}};
}

Json ListTools(const Context& context) {
  Json tools = Json::array();
  for (const std::string& name : context.recipes.Names()) {
    try {
      const recipe::Recipe recipe = FindRecipe(context, name);
      tools.push_back({{"name", name},
                       {"title", recipe.name},
                       {"description", recipe.summary},
                       {"inputSchema", recipe::InputSchema(recipe)},
                       {"outputSchema", OutputSchema(recipe)}});
    } catch (const Error&) {  // broken: it is in the log, and no tool
    }
  }
  return {{"tools", std::move(tools)}};
}

Json ToolError(const std::string& why) {
  return {{"content", Json::array({{{"type", "text"}, {"text", why}}})}, {"isError", true}};
}

Json ToolResult(const Json& run) {
  const Json& record = run["records"][0];
  Json said = {{"state", record["state"]}};
  if (record.contains("reason")) said["reason"] = record["reason"];
  if (record.contains("chosen")) {
    said["generation"] = record["chosen"]["id"];
    said["output"] = record["chosen"]["output"];
    said["others"] = Json::array();
    for (const Json& other : record["runners_up"]) said["others"].push_back(other["output"]);
  }
  return {{"content", Json::array({{{"type", "text"}, {"text", ToText(said)}}})},
          {"structuredContent", std::move(said)},
          {"isError", false}};
}

// The run of a tool's call, as a plain answer or as events with its progress before it.
void RunTool(const std::shared_ptr<net::Exchange>& exchange, RecipeRun& run, const Json& id, const Json& token) {
  const auto made = [&](RecipeRun::Hooks hooks) {
    try {
      return Reply(id, ToolResult(run.Execute(std::move(hooks))));
    } catch (const Error& error) {
      if (Info(error.code()).http_status == 500) throw;
      return Reply(id, ToolError(error.Line()));
    }
  };
  if (token.is_null()) {
    RespondJson(*exchange, made({}));
    return;
  }
  EventStream events(exchange);
  if (!events.Begin()) return;
  std::mutex mutex;
  double last = -1;
  try {
    events.End(
        "message", made({.progress = [&](const recipe::StepProgress& at) {
          const double part = at.total > 0 ? static_cast<double>(at.done) / static_cast<double>(at.total) : 0;
          const double now = static_cast<double>(at.number - 1) + std::min(part, 1.0);
          const std::lock_guard lock(mutex);
          if (now <= last) return;
          last = now;
          const Json params = {{"progressToken", token},
                               {"progress", now},
                               {"total", at.steps},
                               {"message", Cat(at.step, " (", at.use, ")")}};
          events.Offer("message", {{"jsonrpc", "2.0"}, {"method", "notifications/progress"}, {"params", params}});
        }}));
  } catch (...) {
    ErrorResponse(std::current_exception());  // logs it
    events.End("message", Failure(id, kInternalError, "something went wrong inside; the log has more"));
  }
}

void CallTool(Context& context, const std::shared_ptr<net::Exchange>& exchange, const Json& id, const Json& params) {
  const auto name = params.find("name");
  const auto arguments = params.find("arguments");
  const auto meta = params.find("_meta");
  if (name == params.end() || !name->is_string()) {
    RespondJson(*exchange, Failure(id, kInvalidParams, "params.name is not the name of a tool"));
    return;
  }
  Json token;
  const bool streams =
      exchange->request().Header("accept").value_or("").find("text/event-stream") != std::string_view::npos;
  if (streams && meta != params.end() && meta->is_object() && meta->contains("progressToken"))
    token = (*meta)["progressToken"];
  if (!token.is_null() && !token.is_string() && !token.is_number_integer()) {
    RespondJson(*exchange,
                Failure(id, kInvalidParams, "params._meta.progressToken is neither a text nor a whole number"));
    return;
  }
  RunRequest request;
  request.recipe = name->get<std::string>();
  request.records = Json::array({arguments == params.end() ? Json::object() : *arguments});
  request.paths = {"arguments"};
  try {
    StartRun(context, exchange, request, [exchange, id, token](RecipeRun& run) { RunTool(exchange, run, id, token); });
  } catch (const FieldError& error) {
    RespondJson(*exchange, Reply(id, ToolError(error.Line())));
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    RespondJson(*exchange, Failure(id, kInvalidParams, error.Line()));
  }
}

void Answer(Context& context, const std::shared_ptr<net::Exchange>& exchange) {
  const net::Request& http = exchange->request();
  if (const auto version = http.Header("mcp-protocol-version");
      version && std::find(kVersions.begin(), kVersions.end(), *version) == kVersions.end()) {
    exchange->Respond(ErrorResponse(400,
                                    Cat("the protocol version ", Quote(*version), " is not spoken here; ", kVersions[1],
                                        " and ", kVersions[0], " are"),
                                    "unsupported"));
    return;
  }
  Json message;
  try {
    message = ReadBody(context, http);
  } catch (const Error& error) {
    RespondJson(*exchange, Failure(nullptr, kParseError, error.Line()), 400);
    return;
  }
  const auto bad = [&](std::string_view why) { RespondJson(*exchange, Failure(nullptr, kInvalidRequest, why), 400); };
  if (!message.is_object()) return bad("the message is not a JSON object; batches are not taken");
  if (message.value("jsonrpc", Json()) != "2.0") return bad("jsonrpc is not \"2.0\"");
  const Json method = message.value("method", Json()), params = message.value("params", Json::object());
  const bool has_id = message.contains("id");
  if (!has_id || (method.is_null() && (message.contains("result") || message.contains("error")))) {
    if (!has_id && !method.is_string()) return bad("method is not a text");
    exchange->Respond({.status = 202});  // a notification, or an answer to nothing that we ask
    return;
  }
  const Json& id = message["id"];
  if (!id.is_string() && !id.is_number_integer()) return bad("id is neither a text nor a whole number");
  if (!method.is_string()) return bad("method is not a text");
  if (!params.is_object()) {
    RespondJson(*exchange, Failure(id, kInvalidParams, "params is not an object"));
    return;
  }
  if (method == "tools/call") return CallTool(context, exchange, id, params);
  if (method == "initialize") {
    RespondJson(*exchange, Reply(id, Initialize(context, params)));
  } else if (method == "ping") {
    RespondJson(*exchange, Reply(id, Json::object()));
  } else if (method == "tools/list") {
    RespondJson(*exchange, Reply(id, ListTools(context)));
  } else {
    RespondJson(*exchange, Failure(id, kNoMethod, Cat("there is no method ", Quote(method.get<std::string>()))));
  }
}

}  // namespace

void AddMcpRoutes(Context& context) {
  context.router.Add({.method = "POST",
                      .pattern = "/mcp",
                      .scope = "recipes",
                      .summary = "The recipes as tools: Model Context Protocol",
                      .handler = [&context](std::shared_ptr<net::Exchange> exchange,
                                            const net::Params&) { Answer(context, exchange); },
                      .request = McpRequestSchema(),
                      .reply = {{"type", "object"}},
                      .failure = {{"type", "object"}, {"required", {"jsonrpc", "id", "error"}}},
                      .streams = true,
                      .notifies = true});
}

}  // namespace atelier::serve
