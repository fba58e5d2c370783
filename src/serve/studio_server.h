// A studio on the network: its models behind the OpenAI API, its last page, its health. One object per process.
//
// Threads: io threads move bytes, workers parse, template and wait for models to load, each model's engine thread
// writes tokens straight into the exchanges. The studio's database is used by one thread at a time (Context::database).
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "guard/key_limits.h"
#include "guard/keys.h"
#include "net/router.h"
#include "net/server.h"
#include "recipe/catalogue.h"
#include "recipe/run.h"
#include "serve/ledger.h"
#include "serve/model_host.h"
#include "serve/run_queue.h"
#include "store/studio.h"

namespace atelier::serve {

struct ServeOptions {
  net::ServerOptions http;    // its hooks are set here
  bool require_keys = false;  // beyond loopback they always are
  double drain_seconds = 30;  // for running answers, when it stops
  recipe::Catalogue recipes{{}};
  std::span<const recipe::OperatorEntry> operators;  // that recipes may use
  int recipe_runs = 2;                               // at a time
  int recipe_queue = 64;                             // runs that may wait
};

// What routes work with.
struct Context {
  store::Studio& studio;
  std::mutex database;  // held while the studio's database is used
  guard::KeyRing keys;
  guard::KeyLimits limits;
  bool keys_required;
  net::Router router;
  std::string version;
  std::function<net::ServerStats()> stats;
  std::function<bool()> draining;
  const recipe::Catalogue recipes;
  const std::span<const recipe::OperatorEntry> operators;
  Ledger ledger;
  ModelHost models;  // what its engines still write uses what stands above
  RunQueue runs;     // last: what still runs uses all of it
};

class StudioServer {
 public:
  StudioServer(store::Studio* studio, ModelLoader load, ServeOptions options);
  ~StudioServer();

  void Start();
  int port() const;
  bool keys_required() const;
  // Keys and models as the studio has them now.
  void Reload();
  // Waits for running answers, at most drain_seconds; true when all of them ended by themselves.
  bool Drain();
  const net::Router& router() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "127.0.0.1:8080", ":8080" (loopback), "0.0.0.0:80", "[::1]:8080". Throws kUsage.
struct Listen {
  std::string address;
  int port;
  bool loopback;
};
Listen ParseListen(std::string_view text);

// The routes, one file each; StudioServer adds them in this order.
void AddOperationRoutes(Context& context);   // routes_operations.cc: /healthz /readyz /metrics /openapi.json
void AddModelRoutes(Context& context);       // routes_models.cc: /v1/models
void AddCompletionRoutes(Context& context);  // routes_completions.cc: /v1/chat/completions /v1/completions
void AddRecipeRoutes(Context& context);      // routes_recipes.cc: /api/recipes
void AddGenerationRoutes(Context& context);  // routes_generations.cc: /api/generations/{id} /api/feedback
void AddMcpRoutes(Context& context);         // routes_mcp.cc: /mcp
void AddPageRoutes(Context& context);        // routes_page.cc: /

// An error as the OpenAI API tells it: {"error": {message, type, param, code}}.
net::Response ErrorResponse(int status, std::string_view message, std::string_view code, const Json& param = nullptr);
// The same from what was caught. Internal failures say nothing of their insides.
net::Response ErrorResponse(std::exception_ptr error);

// 429 to a key that asked for more than it may.
net::Response OverLimit(const guard::KeyLimits::Verdict& verdict);

// A document as the answer.
bool RespondJson(net::Exchange& exchange, const Json& body, int status = 200);

// Who asks; the key's id is noted for the access log. Nothing where no key is needed and none was sent.
std::optional<guard::KeyInfo> WhoAsks(Context& context, net::Exchange& exchange);

}  // namespace atelier::serve
