// atelier serve: the studio's models and pages on the network, until it is told to stop.
#include <csignal>
#include <ctime>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/recipes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "operators/operators.h"
#include "runtime/local_generator.h"
#include "serve/studio_server.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class ServeCommand final : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--listen", &listen_, "ADDRESS:PORT; beyond loopback every request needs a key");
    cli.Flag("--require-keys", &require_keys_, "ask for keys on loopback too");
    cli.Text("--tls-certificate", &certificate_, "PEM file; with --tls-key, TLS alone is spoken");
    cli.Text("--tls-key", &key_, "PEM file");
    cli.Int("-t,--threads", &threads_, "threads of each model; 0: as many as there are processors", 0, 256);
    cli.Int("--drain", &drain_, "seconds that running answers get when it is told to stop", 0, 3600);
  }

  int Run(const Globals& globals) override {
    if (certificate_.empty() != key_.empty()) throw Error(Code::kUsage, "--tls-certificate and --tls-key go together");
    const serve::Listen listen = serve::ParseListen(listen_);
    store::Studio studio = store::Studio::Require(globals.studio);
    serve::ServeOptions options;
    options.http.address = listen.address;
    options.http.port = listen.port;
    options.http.tls_certificate = certificate_;
    options.http.tls_key = key_;
    options.require_keys = require_keys_ || !listen.loopback;
    options.drain_seconds = static_cast<double>(drain_);
    options.recipes = RecipesOf(studio);
    options.operators = operators::AllOperators();

    // Blocked before any thread starts, so that all of them inherit it and only this one hears the signals.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, one);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);

    serve::StudioServer server(
        &studio,
        [this](const artefact::ModelEntry& entry) {
          return runtime::LoadGenerator(entry.path, entry.name, entry.manifest.sha256,
                                        {.threads = static_cast<int>(threads_)});
        },
        std::move(options));
    server.Start();
    const std::string url =
        Cat(certificate_.empty() ? "http" : "https", "://",
            listen.address.find(':') == std::string::npos ? listen.address : Cat("[", listen.address, "]"), ":",
            server.port());
    if (globals.json) {
      std::cout << ToText({{"url", url}, {"studio", studio.folder()}, {"keys_required", server.keys_required()}})
                << "\n"
                << std::flush;
    } else {
      std::cout << "Serving " << studio.name() << " at " << url << (server.keys_required() ? " (keys required)" : "")
                << "\nStop it with Ctrl-C; kill -HUP reads keys and models again.\n"
                << std::flush;
    }
    while (true) {
      int signal = 0;
      if (sigwait(&signals, &signal) != 0) continue;
      if (signal != SIGHUP) break;
      server.Reload();
    }
    if (!globals.quiet && !globals.json) std::cerr << "stopping: running answers may end\n";
    return server.Drain() ? 0 : 1;
  }

 private:
  std::string listen_ = "127.0.0.1:8080", certificate_, key_;
  bool require_keys_ = false;
  int64_t threads_ = 0, drain_ = 30;
};

}  // namespace

std::unique_ptr<Command> MakeServe() { return Make<ServeCommand>(); }

}  // namespace atelier::app
