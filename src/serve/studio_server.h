// A studio on the network: its models behind the OpenAI API, its last page, its health. One object per process.
//
// Threads: io threads move bytes, workers parse, template and wait for models to load, each model's engine thread
// writes tokens straight into the exchanges. The studio's database is used by one thread at a time (Context::database).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "guard/key_limits.h"
#include "guard/keys.h"
#include "net/router.h"
#include "net/server.h"
#include "net/workers.h"
#include "recipe/catalogue.h"
#include "recipe/run.h"
#include "serve/embedder_host.h"
#include "serve/ledger.h"
#include "serve/model_host.h"
#include "serve/run_queue.h"
#include "serve/serve_config.h"
#include "store/foreground.h"
#include "store/studio.h"

namespace atelier::serve {

// What routes work with.
struct Context {
  store::Studio& studio;
  std::mutex database;  // held while the studio's database is used
  guard::KeyRing keys;
  guard::KeyLimits limits;
  std::atomic<bool> keys_required;  // this and the next two change when the studio's file is read again
  std::atomic<bool> log_prompts;
  std::atomic<int> json_depth;
  net::Router router;
  std::string version;
  std::function<net::ServerStats()> stats;
  std::function<bool()> draining;
  const recipe::Catalogue recipes;
  const std::span<const recipe::OperatorEntry> operators;
  const std::shared_ptr<artefact::Searcher> search;
  const artefact::RankerProvider rankers;
  store::Foreground foreground;  // held while there is work for somebody
  Ledger ledger;
  ModelHost models;      // what its engines still write uses what stands above
  net::Workers replies;  // put whole answers together
  EmbedderHost embedders;
  RunQueue runs;  // last: what still runs uses all of it
};

class StudioServer {
 public:
  // The loaders are asked from any thread, once per model that is wanted.
  StudioServer(store::Studio* studio, ModelLoader load, EmbedderHost::Loader embedders, ServeOptions options);
  ~StudioServer();

  void Start();
  int port() const;
  bool keys_required() const;
  // Keys and models as the studio has them now, and what `read` says: limits and the certificate. Each of the two that
  // fails stays as it is, and one line of the log says why. `read` is called once, and the options that hold are given
  // back.
  const ServeOptions& Reload(const std::function<ServeOptions()>& read);
  // Waits for running answers, at most drain_seconds; true when all of them ended by themselves.
  bool Drain();
  const net::Router& router() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The routes, one file each; StudioServer adds them in this order.
void AddOperationRoutes(Context& context);   // routes_operations.cc: /healthz /readyz /metrics /openapi.json
void AddModelRoutes(Context& context);       // routes_models.cc: /v1/models
void AddCompletionRoutes(Context& context);  // routes_completions.cc: /v1/chat/completions /v1/completions
void AddEmbeddingRoutes(Context& context);   // routes_embeddings.cc: /v1/embeddings
void AddRecipeRoutes(Context& context);      // routes_recipes.cc: /api/recipes
void AddGenerationRoutes(Context& context);  // routes_generations.cc: /api/generations/{id} /api/feedback
void AddMcpRoutes(Context& context);         // routes_mcp.cc: /mcp
void AddPageRoutes(Context& context);        // routes_page.cc: /

// 401.
class NotRecognised : public Error {
 public:
  NotRecognised();
};

// An error as the OpenAI API tells it: {"error": {message, type, param, code}}.
net::Response ErrorResponse(int status, std::string_view message, std::string_view code, const Json& param = nullptr);
// The same from what was caught. Internal failures say nothing of their insides.
net::Response ErrorResponse(std::exception_ptr error);

// 429 to a key that asked for more than it may.
net::Response OverLimit(const guard::KeyLimits::Verdict& verdict);

// A registered model by its name; nothing where there is none.
std::optional<artefact::ModelEntry> FindModel(const Context& context, const std::string& name);
bool MakesEmbeddings(const artefact::ModelEntry& entry);

// A document as the answer.
bool RespondJson(net::Exchange& exchange, const Json& body, int status = 200);

// The body as JSON, no deeper than this server reads. Throws kInvalidInput.
Json ReadBody(const Context& context, const net::Request& request);

// Who asks; the key's id is noted for the access log. Nothing where no key is needed and none was sent. Throws
// NotRecognised for a key that held when the request's head came, and by now holds no more.
std::optional<guard::KeyInfo> WhoAsks(Context& context, net::Exchange& exchange);

}  // namespace atelier::serve
