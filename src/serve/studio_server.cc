#include "serve/studio_server.h"

#include <atomic>
#include <condition_variable>
#include <thread>

#include "base/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/str.h"
#include "runtime/local_generator.h"
#include "serve/fields.h"

namespace atelier::serve {
namespace {

std::string_view TypeOf(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 429: return "rate_limit_error";
    default: return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

// What a request shows of its sender. REQUIRES: the request outlives it.
guard::Credentials CredentialsOf(const net::Request& request) {
  return {.authorization = request.Header("authorization").value_or(""),
          .peer = request.peer,
          .header = [&request](std::string_view name) { return request.Header(name); }};
}

std::vector<artefact::ModelEntry> RegisteredModels(store::Studio* studio) {
  std::vector<artefact::ModelEntry> models = artefact::Registry(studio).List();
  std::erase_if(models, [](const artefact::ModelEntry& entry) { return !entry.registered; });
  return models;
}

}  // namespace

net::Response ErrorResponse(int status, std::string_view message, std::string_view code, const Json& param) {
  const Json body = {{"error", {{"message", message}, {"type", TypeOf(status)}, {"param", param}, {"code", code}}}};
  return {.status = status, .content_type = "application/json", .body = ToText(body) + "\n"};
}

net::Response ErrorResponse(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const FieldError& e) {
    return ErrorResponse(Info(e.code()).http_status, e.Line(), Info(e.code()).name, Json(e.field()));
  } catch (const Error& e) {
    const CodeInfo& info = Info(e.code());
    net::Response response = info.http_status == 500
                                 ? ErrorResponse(500, "something went wrong inside; the log has more", info.name)
                                 : ErrorResponse(info.http_status, e.Line(), info.name);
    if (info.http_status == 500) Log(LogLevel::kError, "internal", {{"message", e.Line()}});
    if (info.http_status == 429 || info.http_status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
  } catch (const std::exception& e) {
    Log(LogLevel::kError, "internal", {{"message", e.what()}});
  } catch (...) {
    Log(LogLevel::kError, "internal", {{"message", "unknown"}});
  }
  return ErrorResponse(500, "something went wrong inside; the log has more", "internal");
}

net::Response OverLimit(const guard::KeyLimits::Verdict& verdict) {
  net::Response response =
      ErrorResponse(429, verdict.quota ? "this key's tokens of the day are used up" : "this key asks too often",
                    verdict.quota ? "insufficient_quota" : "rate_limit_exceeded");
  response.headers.emplace_back("Retry-After", Cat(static_cast<int64_t>(verdict.retry_after + 0.999)));
  return response;
}

bool RespondJson(net::Exchange& exchange, const Json& body, int status) {
  return exchange.Respond({.status = status, .content_type = "application/json", .body = ToText(body) + "\n"});
}

std::optional<guard::KeyInfo> WhoAsks(Context& context, net::Exchange& exchange) {
  auto who = context.keys.Authenticate(CredentialsOf(exchange.request()));
  if (who) exchange.SetKeyId(who->id);
  return who;
}

Listen ParseListen(std::string_view text) {
  const auto refuse = [&] {
    return Error(Code::kUsage, Cat("--listen: ", Quote(text), " is no address"), "127.0.0.1:8080, [::1]:8080 or :8080");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) throw refuse();
  std::string address(text.substr(0, colon));
  const auto port = ParseInt(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) throw refuse();
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (address.empty()) address = "127.0.0.1";
  if (address == "localhost") address = "127.0.0.1";
  return {address, static_cast<int>(*port), address.starts_with("127.") || address == "::1"};
}

struct StudioServer::Impl {
  Impl(store::Studio* studio, ModelLoader load, ServeOptions wanted)
      : options(std::move(wanted)),
        context{.studio = *studio,
                .database = {},
                .keys = guard::KeyRing(guard::StudioSecret(studio->Path("keys.secret")), studio->tenant()),
                .limits = guard::KeyLimits(),
                .keys_required = options.require_keys,
                .router = {},
                .version = runtime::EngineBuild(),
                .stats = {},
                .draining = {},
                .recipes = options.recipes,
                .operators = options.operators,
                .ledger = Ledger(studio->db().path()),
                .models = ModelHost(RegisteredModels(studio), std::move(load)),
                .runs = RunQueue(options.recipe_runs, static_cast<size_t>(options.recipe_queue))} {
    context.keys.Load(studio->db());
    context.limits.Load(studio->db(), studio->tenant());
    context.draining = [this] { return draining.load(); };
    AddOperationRoutes(context);
    AddModelRoutes(context);
    AddCompletionRoutes(context);
    AddRecipeRoutes(context);
    AddGenerationRoutes(context);
    AddMcpRoutes(context);
    AddPageRoutes(context);
    options.http.admit = [this](const net::Request& head) { return Admit(head); };
    options.http.error_response = [](const net::HttpError& error, const net::Request*) {
      net::Response response = ErrorResponse(error.status, error.message, error.code);
      response.headers = error.headers;
      return response;
    };
    options.http.access_log = [](const net::AccessRecord& record) {
      Log(LogLevel::kInfo, "request",
          {{"method", record.method},
           {"path", record.path},
           {"status", Cat(record.status)},
           {"seconds", Cat(record.seconds)},
           {"bytes", Cat(record.bytes_out)},
           {"id", record.id},
           {"traceparent", record.traceparent},
           {"peer", record.peer},
           {"key", record.key_id}});
    };
    server = std::make_unique<net::Server>(
        options.http, [this](std::shared_ptr<net::Exchange> exchange) { Handle(std::move(exchange)); });
    context.stats = [this] { return server->stats(); };
    housekeeping = std::thread([this] { Keep(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
    }
    wake.notify_one();
    housekeeping.join();
    server->Stop();  // running answers see their clients gone, and end
    Flush();
  }

  // Before a body is read: no key, no right.
  std::optional<net::Response> Admit(const net::Request& head) {
    const net::RouteMatch match = context.router.Find(head);
    if (match.route != nullptr && match.route->scope == net::kOpen) return std::nullopt;
    const bool sent = head.Header("authorization").has_value();
    if (!context.keys_required && (!sent || context.keys.size() == 0)) return std::nullopt;
    guard::Denial why = guard::Denial::kNone;
    const auto who = context.keys.Authenticate(CredentialsOf(head), &why);
    if (!who) {
      context.keys.NoteDenied(why, head.peer);
      net::Response response =
          ErrorResponse(401, "this needs a valid API key: Authorization: Bearer atl_...", "invalid_api_key");
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      return response;
    }
    if (match.route != nullptr && !who->Allows(match.route->scope)) {
      return ErrorResponse(403, Cat("this key may not do that: it lacks the scope ", Quote(match.route->scope)),
                           "insufficient_scope");
    }
    return std::nullopt;
  }

  void Handle(std::shared_ptr<net::Exchange> exchange) {
    const net::RouteMatch match = context.router.Find(exchange->request());
    if (match.status == 204) {
      exchange->Respond({.status = 204, .headers = {{"Allow", match.allow}}});
    } else if (match.status == 405) {
      net::Response response = ErrorResponse(405, "this path does not take that method", "method_not_allowed");
      response.headers.emplace_back("Allow", match.allow);
      exchange->Respond(std::move(response));
    } else if (match.route == nullptr) {
      exchange->Respond(ErrorResponse(404, "there is nothing at this path", "not_found"));
    } else {
      try {
        // A parameter that means nothing here would be a field that is ignored. Pages and probes may have their own.
        const net::Request& request = exchange->request();
        if (!request.query.empty() && match.route->media == "application/json")
          throw FieldError(request.query[0].first, "is not supported here", "there are no query parameters",
                           Code::kUnsupported);
        match.route->handler(exchange, match.params);
      } catch (...) {
        exchange->Respond(ErrorResponse(std::current_exception()));
      }
    }
  }

  // Carries what is counted in memory into the database, now and then.
  void Keep() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, std::chrono::seconds(30), [&] { return ending; })) {
      lock.unlock();
      Flush();
      context.models.Sweep();
      lock.lock();
    }
  }

  void Flush() {
    try {
      const std::lock_guard lock(context.database);
      context.keys.Flush(context.studio.db());
      context.limits.Flush(context.studio.db());
    } catch (const Error& error) {  // the counts stay in memory for the next time
      Log(LogLevel::kWarn, "usage not written", {{"message", error.Line()}});
    }
  }

  ServeOptions options;
  Context context;
  std::atomic<bool> draining{false};
  std::unique_ptr<net::Server> server;
  std::mutex mutex;
  std::condition_variable wake;
  bool ending = false;
  std::thread housekeeping;
};

StudioServer::StudioServer(store::Studio* studio, ModelLoader load, ServeOptions options)
    : impl_(std::make_unique<Impl>(studio, std::move(load), std::move(options))) {}
StudioServer::~StudioServer() = default;

void StudioServer::Start() { impl_->server->Start(); }
int StudioServer::port() const { return impl_->server->port(); }
bool StudioServer::keys_required() const { return impl_->context.keys_required; }
const net::Router& StudioServer::router() const { return impl_->context.router; }

void StudioServer::Reload() {
  const std::lock_guard lock(impl_->context.database);
  impl_->context.keys.Load(impl_->context.studio.db());
  impl_->context.models.Replace(RegisteredModels(&impl_->context.studio));
}

bool StudioServer::Drain() {
  impl_->draining = true;
  return impl_->server->Drain(impl_->options.drain_seconds);
}

}  // namespace atelier::serve
