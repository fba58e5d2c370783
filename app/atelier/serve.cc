// atelier serve: the studio's models and pages on the network, until it is told to stop.
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/rankers.h"
#include "app/atelier/recipes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "operators/operators.h"
#include "runtime/local_generator.h"
#include "serve/studio_server.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

// Each connection is an open file, and the usual soft limit is 1024.
void AllowFiles(rlim_t connections) {
  constexpr rlim_t kOthers = 256;  // models, the database, the log, refused connections
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = connections + kOthers;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    Log(LogLevel::kWarn, "few open files allowed", {{"allowed", Cat(limit.rlim_cur)}, {"wanted", Cat(wanted)}});
  }
}

class ServeCommand final : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--listen", &listen_, "ADDRESS:PORT (default 127.0.0.1:8080); beyond loopback every request needs a key");
    cli.Flag("--require-keys", &require_keys_, "ask for keys on loopback too");
    cli.Text("--tls-certificate", &certificate_, "PEM file; with --tls-key, TLS alone is spoken");
    cli.Text("--tls-key", &key_, "PEM file");
    cli.Int("-t,--threads", &threads_, "threads of each model; 0: as many as there are processors", 0, 256);
    cli.Int("--drain", &drain_, "seconds that running answers get when it is told to stop (default 30)", 0, 3600);
  }

  int Run(const Globals& globals) override {
#ifdef __GLIBC__
    ::mallopt(M_MMAP_THRESHOLD,
              256 << 10);  // larger blocks (pages of caches) go back to the system when they are freed
#endif
    if (certificate_.empty() != key_.empty()) throw Error(Code::kUsage, "--tls-certificate and --tls-key go together");
    store::Studio studio = store::Studio::Require(globals.studio, ".", store::Access::kReadIfMust);
    serve::ServeOptions options = Options(studio);
    const std::string scheme = options.http.tls_certificate.empty() ? "http" : "https";
    const std::string host = options.http.address.find(':') == std::string::npos ? options.http.address
                                                                                 : Cat("[", options.http.address, "]");

    // Blocked before any thread starts, so that all of them inherit it and only this one hears the signals.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, one);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);

    // Models that are loaded later wait in queues as long as the file then says.
    std::atomic<size_t> queue = static_cast<size_t>(options.model_queue);
    const int threads = options.threads;
    embedders_ = std::make_shared<EmbedderPool>(threads);
    options.search = SearchOf(studio.folder(), embedders_);
    options.rankers = RankersOf(studio.folder(), embedders_);
    const auto batch = static_cast<size_t>(options.model_batch);
    serve::StudioServer server(
        &studio,
        [&queue, threads, batch](const artefact::ModelEntry& entry) {
          return runtime::LoadGenerator(entry.path, entry.name, entry.manifest.sha256,
                                        {.threads = threads, .limits = {.queue = queue, .batch = batch}});
        },
        [pool = embedders_](const artefact::ModelEntry& entry) { return pool->Get(entry); }, std::move(options));
    server.Start();
    const std::string url = Cat(scheme, "://", host, ":", server.port());
    if (globals.json) {
      std::cout << ToText({{"url", url}, {"studio", studio.folder()}, {"keys_required", server.keys_required()}})
                << "\n"
                << std::flush;
    } else {
      std::cout << "Serving " << studio.name() << " at " << url << (server.keys_required() ? " (keys required)" : "")
                << "\nStop it with Ctrl-C; kill -HUP reads keys, models and studio.toml again.\n"
                << std::flush;
    }
    while (true) {
      int signal = 0;
      if (sigwait(&signals, &signal) != 0) continue;
      if (signal != SIGHUP) break;
      queue = static_cast<size_t>(server.Reload([&] { return Options(studio); }).model_queue);
    }
    if (!globals.quiet && !globals.json && ::isatty(STDERR_FILENO) != 0) {
      std::cerr << "stopping: running answers may end\n";
    }
    return server.Drain() ? 0 : 1;
  }

 private:
  // The studio's file, and over it what the command line says.
  serve::ServeOptions Options(const store::Studio& studio) const {
    serve::ServeOptions options = serve::ReadServeOptions(studio);
    if (!listen_.empty()) serve::SetListen(listen_, &options);
    if (!certificate_.empty()) {
      options.http.tls_certificate = certificate_;
      options.http.tls_key = key_;
    }
    options.require_keys = options.require_keys || require_keys_;
    if (threads_) options.threads = static_cast<int>(*threads_);
    if (drain_) options.drain_seconds = static_cast<double>(*drain_);
    AllowFiles(static_cast<rlim_t>(options.http.max_connections));
    options.recipes = RecipesOf(studio);
    options.operators = operators::AllOperators();
    return options;
  }

  std::string listen_, certificate_, key_;
  bool require_keys_ = false;
  std::optional<int64_t> threads_, drain_;
  std::shared_ptr<EmbedderPool> embedders_;  // of the search and of /v1/embeddings
};

}  // namespace

std::unique_ptr<Command> MakeServe() { return Make<ServeCommand>(); }

}  // namespace atelier::app
