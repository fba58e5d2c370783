// How `atelier serve` is set up: the table [serve] of studio.toml, read strictly. docs/formats/studio.md lists the
// keys; the list that is read by is VisitKeys in serve_config.cc.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "net/server.h"
#include "recipe/catalogue.h"
#include "recipe/run.h"
#include "store/studio.h"

namespace atelier::serve {

struct ServeOptions {
  std::string listen = "127.0.0.1:8080";
  net::ServerOptions http;    // address and port are those of `listen`; its hooks are the server's to set
  bool require_keys = false;  // beyond loopback they always are
  double drain_seconds = 30;  // for running answers, when it stops
  int json_depth = kMostJsonDepth;
  int threads = 0;        // of each model; 0: as many as this process may use
  int model_batch = 64;   // requests that one model writes at once
  int model_queue = 256;  // requests that may wait for one model; one more is refused at once
  int recipe_runs = 2;    // at a time
  int recipe_queue = 64;  // runs that may wait
  bool log_prompts = false;
  std::string log_level;  // "": info where standard error is no terminal or prompts are logged, else warn

  // Not of the file.
  recipe::Catalogue recipes{{}};
  std::span<const recipe::OperatorEntry> operators;  // that recipes may use
  std::shared_ptr<artefact::Searcher> search;        // the studio's indexes, for recipes; from any thread
  artefact::RankerProvider rankers;                  // the studio's rankers, for recipes; from any thread

  LogLevel Level() const;
};

// What the studio's file says now; the rest is as above. Throws kInvalidInput with file and line.
ServeOptions ReadServeOptions(const store::Studio& studio);

// What a running server makes of new options.
struct ServeChange {
  Json now = Json::object();            // {"limits.body_bytes": [old, new]}
  std::vector<std::string> at_restart;  // keys that differ and wait for one; `fresh` keeps what runs
};
ServeChange Compare(const ServeOptions& running, ServeOptions* fresh);

// The keys as the documentation has them.
struct ServeKey {
  std::string name, otherwise, range;  // "limits.body_bytes", "8388608", "1024 to 1073741824"
};
std::vector<ServeKey> AllServeKeys();

// "127.0.0.1:8080", ":8080" (loopback), "0.0.0.0:80", "[::1]:8080". Throws kUsage.
struct Listen {
  std::string address;
  int port;
  bool loopback;
};
Listen ParseListen(std::string_view text);
void SetListen(std::string text, ServeOptions* options);  // the same, and keeps it

}  // namespace atelier::serve
