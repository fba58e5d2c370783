#include "serve/studio_server.h"

#include <malloc.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

#include "artefact/ranker_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/str.h"
#include "guard/audit.h"
#include "runtime/arch/arch.h"
#include "runtime/local_generator.h"
#include "serve/fields.h"

namespace atelier::serve {
namespace {

constexpr int kFlushWaitMillis = 100;
constexpr int kLastFlushes = 15;    // of a fifth of a second
constexpr size_t kMostEvents = 64;  // that wait for the database
constexpr const char* kNotStored = "requests are served; what they use is counted in memory and stored once it can be";

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

// A page in a browser can ask a server on its reader's machine, in the name of its own site, or under a name that its
// owner lets point here. Programs of this machine call it by its own name, and have no origin or that one.
bool IsFromHere(const net::Request& request) {
  const std::string_view host = request.Header("host").value_or("");
  std::string_view name = host.substr(0, host.find(':', host.starts_with('[') ? host.find(']') : 0));
  const bool local = name == "localhost" || name == "[::1]" ||
                     (name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string_view::npos);
  const auto origin = request.Header("origin");
  return local && (!origin || *origin == Cat("http://", host) || *origin == Cat("https://", host));
}

std::vector<artefact::ModelEntry> RegisteredModels(store::Studio* studio) {
  std::vector<artefact::ModelEntry> models = artefact::Registry(studio).List();
  std::erase_if(models, [](const artefact::ModelEntry& entry) {  // rankers are for recipes: nobody talks with them
    return !entry.registered || entry.manifest.architecture == artefact::kRankerArchitecture;
  });
  return artefact::WithAdapters(std::move(models));
}

// On a disk that cannot be written there may be no secret, and then there are no keys either.
std::string Secret(const store::Studio& studio) {
  const std::string path = studio.SecretPath();
  if (studio.read_only() && !FileExists(path)) return RandomHex(32);
  return guard::StudioSecret(path);
}

std::string Why(const std::exception& failure) {
  const auto* error = dynamic_cast<const Error*>(&failure);
  return error != nullptr ? error->Line() : failure.what();
}

// Which models came, went or are other weights.
Json Differences(const std::vector<artefact::ModelEntry>& before, const std::vector<artefact::ModelEntry>& after) {
  Json out = Json::object();
  const auto find = [](const std::vector<artefact::ModelEntry>& in, const std::string& name) {
    return std::find_if(in.begin(), in.end(), [&](const auto& entry) { return entry.name == name; });
  };
  for (const artefact::ModelEntry& entry : after) {
    const auto old = find(before, entry.name);
    if (old == before.end()) {
      out["added"].push_back(entry.name);
    } else if (old->manifest.sha256 != entry.manifest.sha256) {
      out["replaced"].push_back(entry.name);
    }
  }
  for (const artefact::ModelEntry& entry : before) {
    if (find(after, entry.name) == after.end()) out["removed"].push_back(entry.name);
  }
  return out;
}

}  // namespace

NotRecognised::NotRecognised()
    : Error(Code::kPermissionDenied, "this needs a valid API key: Authorization: Bearer atl_...") {}

net::Response ErrorResponse(int status, std::string_view message, std::string_view code, const Json& param) {
  const Json body = {{"error", {{"message", message}, {"type", TypeOf(status)}, {"param", param}, {"code", code}}}};
  return {.status = status, .content_type = "application/json", .body = ToText(body) + "\n"};
}

net::Response ErrorResponse(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const FieldError& e) {
    return ErrorResponse(Info(e.code()).http_status, e.Line(), Info(e.code()).name, Json(e.field()));
  } catch (const NotRecognised& e) {
    net::Response response = ErrorResponse(401, e.Line(), "invalid_api_key");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
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

std::optional<artefact::ModelEntry> FindModel(const Context& context, const std::string& name) {
  for (artefact::ModelEntry& entry : context.models.List()) {
    if (entry.name == name) return std::move(entry);
  }
  return std::nullopt;
}

bool MakesEmbeddings(const artefact::ModelEntry& entry) { return runtime::IsEncoder(entry.manifest.architecture); }

bool RespondJson(net::Exchange& exchange, const Json& body, int status) {
  return exchange.Respond({.status = status, .content_type = "application/json", .body = ToText(body) + "\n"});
}

std::optional<guard::KeyInfo> WhoAsks(Context& context, net::Exchange& exchange) {
  auto who = context.keys.Authenticate(CredentialsOf(exchange.request()));
  if (who) exchange.SetKeyId(who->id);
  const bool sent = exchange.request().Header("authorization").has_value();
  if (!who && (context.keys_required || (sent && context.keys.size() > 0))) throw NotRecognised();
  return who;
}

Json ReadBody(const Context& context, const net::Request& request) {
  return ParseJson(request.body, "the body", context.json_depth);
}

struct StudioServer::Impl {
  Impl(store::Studio* studio, ModelLoader load, EmbedderHost::Loader embedders, ServeOptions wanted)
      : options(std::move(wanted)),
        context{.studio = *studio,
                .database = {},
                .keys = guard::KeyRing(Secret(*studio), studio->tenant()),
                .limits = guard::KeyLimits(),
                .keys_required = {KeysRequired(options)},
                .log_prompts = {options.log_prompts},
                .json_depth = {options.json_depth},
                .router = {},
                .version = runtime::EngineBuild(),
                .stats = {},
                .draining = {},
                .recipes = options.recipes,
                .operators = options.operators,
                .search = options.search,
                .rankers = options.rankers,
                .foreground = store::Foreground(store::ForegroundPath()),
                .ledger = Ledger(studio->db().path()),
                .models = ModelHost(RegisteredModels(studio), std::move(load)),
                .replies = net::Workers(2, 4096),
                .embedders = EmbedderHost(std::move(embedders), static_cast<size_t>(options.model_queue)),
                .runs = RunQueue(options.recipe_runs, static_cast<size_t>(options.recipe_queue))} {
    context.keys.Load(studio->db());
    context.limits.Load(studio->db(), studio->tenant());
    SetLogLevel(options.Level());
    context.draining = [this] { return draining.load(); };
    AddOperationRoutes(context);
    AddModelRoutes(context);
    AddCompletionRoutes(context);
    AddEmbeddingRoutes(context);
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
    context.runs.Stop();
    context.models.Clear();
    context.embedders.Clear();
    context.replies.Stop();
    for (int tries = 0; !Flush() && tries < kLastFlushes; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }

  // Before a body is read: no key, no right.
  std::optional<net::Response> Admit(const net::Request& head) {
    const net::RouteMatch match = context.router.Find(head);
    if (match.route != nullptr && match.route->scope == net::kOpen) return std::nullopt;
    const bool sent = head.Header("authorization").has_value();
    if (!context.keys_required && (!sent || context.keys.size() == 0)) {
      if (IsFromHere(head)) return std::nullopt;
      return ErrorResponse(403, "without a key only this machine's own programs may ask, by its own name",
                           "foreign_origin");
    }
    guard::Denial why = guard::Denial::kNone;
    const auto who = context.keys.Authenticate(CredentialsOf(head), &why);
    if (!who) {
      context.keys.NoteDenied(why, head.peer);
      return ErrorResponse(std::make_exception_ptr(NotRecognised()));
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
    while (true) {
      wake.wait_for(lock, std::chrono::seconds(30), [&] { return ending || due; });
      if (ending) return;
      due = false;
      lock.unlock();
      Flush();
      context.models.Sweep();
#ifdef __GLIBC__
      ::malloc_trim(0);  // what large requests left free in the middle of heaps goes back to the system
#endif
      lock.lock();
    }
  }

  // The store may be unwritable, full or locked: what is to be written waits in memory, and requests go on.
  // False when there was trouble.
  bool Flush() {
    std::string trouble;
    try {
      const std::lock_guard lock(context.database);
      if (context.studio.read_only()) context.studio.Reopen(store::Access::kReadIfMust);
      store::Database& db = context.studio.db();
      if (context.studio.read_only()) {
        trouble = Cat(db.path(), ": cannot be written");
      } else {
        db.WaitForWriters(kFlushWaitMillis);  // readers wait for us meanwhile
        context.keys.Flush(db);
        context.limits.Flush(db);
        WriteEvents(db);
      }
    } catch (const std::exception& failure) {
      trouble = Why(failure);
    }
    if (trouble == last_trouble) return trouble.empty();  // said once
    last_trouble = trouble;
    if (trouble.empty()) {
      Log(LogLevel::kWarn, "serve.stored_again");
    } else {
      Log(LogLevel::kWarn, "serve.not_stored", {{"message", trouble}, {"meaning", kNotStored}});
    }
    return trouble.empty();
  }

  // An event for the audit trail, written by the housekeeping thread.
  void Note(std::string_view event, const Json& details) {
    {
      const std::lock_guard lock(mutex);
      if (events.size() < kMostEvents) events.push_back({std::string(event), details});
      due = true;
    }
    wake.notify_one();
  }

  void WriteEvents(store::Database& db) {
    std::vector<std::pair<std::string, Json>> writing;
    {
      const std::lock_guard lock(mutex);
      writing = events;
    }
    if (writing.empty()) return;
    store::Transaction transaction(db);
    for (const auto& [event, details] : writing)
      guard::Audit(db, context.studio.tenant(), actor, event, address, details);
    transaction.Commit();
    const std::lock_guard lock(mutex);
    events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(writing.size()));
  }

  // Keys and models. Not part of the settings: a revoked key must not live on because of a slip in studio.toml.
  void ReloadStudio(Json* details) {
    const std::lock_guard lock(context.database);
    if (context.studio.read_only()) context.studio.Reopen(store::Access::kReadIfMust);
    std::vector<artefact::ModelEntry> models = RegisteredModels(&context.studio);
    context.keys.Load(context.studio.db());
    const Json differences = Differences(context.models.List(), models);
    context.embedders.Keep(models);
    context.models.Replace(std::move(models));
    if (!differences.empty()) (*details)["models"] = differences;
    (*details)["keys"] = context.keys.size();
  }

  void ReloadSettings(const std::function<ServeOptions()>& read, Json* details) {
    ServeOptions fresh = read();
    const ServeChange change = Compare(options, &fresh);
    if (!fresh.http.tls_certificate.empty()) server->SetTls(fresh.http.tls_certificate, fresh.http.tls_key);
    server->SetLimits(fresh.http);  // from here on nothing fails
    context.keys_required = KeysRequired(fresh);
    context.log_prompts = fresh.log_prompts;
    context.json_depth = fresh.json_depth;
    SetLogLevel(fresh.Level());
    options = std::move(fresh);
    (*details)["changed"] = change.now;
    if (change.at_restart.empty()) return;
    (*details)["at_restart"] = change.at_restart;
    Log(LogLevel::kWarn, "serve.restart_needed", {{"keys", Join(change.at_restart, ", ")}});
  }

  static bool KeysRequired(const ServeOptions& options) {
    return options.require_keys || !ParseListen(options.listen).loopback;
  }

  ServeOptions options;  // the thread's that calls Reload
  const std::string address = options.listen;
  Context context;
  std::atomic<bool> draining{false};
  std::unique_ptr<net::Server> server;
  std::mutex mutex;
  std::condition_variable wake;
  bool ending = false, due = false;                  // under `mutex`, like `events`
  std::vector<std::pair<std::string, Json>> events;  // not written yet
  std::string last_trouble;                          // the housekeeping thread's
  const std::string actor = guard::LocalActor();
  std::thread housekeeping;  // last
};

StudioServer::StudioServer(store::Studio* studio, ModelLoader load, EmbedderHost::Loader embedders,
                           ServeOptions options)
    : impl_(std::make_unique<Impl>(studio, std::move(load), std::move(embedders), std::move(options))) {}
StudioServer::~StudioServer() = default;

void StudioServer::Start() {
  impl_->server->Start();
  const ServeOptions& options = impl_->options;
  const bool tls = !options.http.tls_certificate.empty();
  Log(LogLevel::kInfo, "serve.started",
      {{"address", options.http.address},
       {"port", Cat(port())},
       {"tls", Cat(tls)},
       {"keys_required", Cat(keys_required())},
       {"version", impl_->context.version}});
  impl_->Note(
      "serve.started",
      {{"port", port()}, {"tls", tls}, {"keys_required", keys_required()}, {"version", impl_->context.version}});
}
int StudioServer::port() const { return impl_->server->port(); }
bool StudioServer::keys_required() const { return impl_->context.keys_required; }
const net::Router& StudioServer::router() const { return impl_->context.router; }

const ServeOptions& StudioServer::Reload(const std::function<ServeOptions()>& read) {
  Json details = Json::object(), failed = Json::array();
  const auto part = [&](std::string_view what, const std::function<void()>& reload) {
    try {
      reload();
    } catch (const std::exception& failure) {
      failed.push_back(what);
      Log(LogLevel::kError, "serve.reload_failed",
          {{"part", std::string(what)}, {"message", Why(failure)}, {"meaning", "what ran before goes on"}});
    }
  };
  part("keys and models", [&] { impl_->ReloadStudio(&details); });
  part("settings", [&] { impl_->ReloadSettings(read, &details); });
  if (!failed.empty()) details["failed"] = failed;
  Log(LogLevel::kInfo, "serve.reloaded", {{"details", ToText(details)}});
  impl_->Note("serve.reloaded", details);
  return impl_->options;
}

bool StudioServer::Drain() {
  impl_->draining = true;
  const bool whole = impl_->server->Drain(impl_->options.drain_seconds);
  Log(LogLevel::kInfo, "serve.stopped", {{"whole", Cat(whole)}});
  impl_->Note("serve.stopped", {{"whole", whole}, {"requests", impl_->server->stats().requests}});
  return whole;
}

}  // namespace atelier::serve
