#include "net/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "net/connection.h"

namespace atelier::net {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int64_t kRefusals = 64;  // connections that are told 429 at a time; beyond them they are just closed

std::shared_ptr<asio::ssl::context> MakeTls(const std::string& certificate, const std::string& key) {
  auto made = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  asio::ssl::context& context = *made;
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A key under a passphrase is refused; OpenSSL would ask for it at the terminal.
  context.set_password_callback([](size_t, asio::ssl::context::password_purpose) { return std::string(); });
  error_code error;
  context.use_certificate_chain_file(certificate, error);
  if (error) throw Error(Code::kInvalidInput, Cat(certificate, ": is no PEM certificate: ", error.message()));
  context.use_private_key_file(key, asio::ssl::context::pem, error);
  if (error) throw Error(Code::kInvalidInput, Cat(key, ": is no PEM key of ", certificate, ": ", error.message()));
  return made;
}

}  // namespace

struct Server::Impl {
  std::shared_ptr<Core> core = std::make_shared<Core>();
  std::optional<tcp::acceptor> acceptor;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::vector<std::thread> threads;
  std::mutex stopping;
  int port = 0;
  bool started = false, stopped = false;

  asio::awaitable<void> Accept() {
    while (acceptor->is_open()) {
      auto [error, socket] =
          co_await acceptor->async_accept(asio::make_strand(core->io), asio::as_tuple(asio::use_awaitable));
      if (!acceptor->is_open()) co_return;
      if (error) {  // out of files, or a client that left at once
        asio::steady_timer pause(acceptor->get_executor(), std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      core->shared->connections++;
      const int64_t open = core->shared->connections_open.load();
      const int64_t most = core->shared->Limits()->max_connections;
      const bool refuse = open >= most;
      if (refuse) core->shared->connections_refused++;
      if (open >= most + (core->Tls() != nullptr ? 0 : kRefusals)) continue;
      std::make_shared<Connection>(core, std::move(socket), refuse)->Start();
    }
  }

  void CloseAcceptor() {
    asio::post(acceptor->get_executor(), [this] {
      error_code ignored;
      acceptor->close(ignored);
    });
  }

  template <typename F>
  void ForAll(F&& what) {
    std::vector<std::shared_ptr<Connection>> all;
    {
      std::lock_guard lock(core->shared->mutex);
      core->closing = true;
      for (Connection* connection : core->open) {
        if (auto alive = connection->weak_from_this().lock()) all.push_back(std::move(alive));
      }
    }
    for (const auto& connection : all) what(*connection);
  }

  template <typename F>
  bool WaitFor(double seconds, F&& until) {
    std::unique_lock lock(core->shared->mutex);
    return core->shared->changed.wait_for(lock, std::chrono::duration<double>(seconds), until);
  }
};

Server::Server(ServerOptions options, Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->core->shared = std::make_shared<ServerShared>(std::move(options));
  impl_->core->handler = std::move(handler);
}

Server::~Server() { Stop(); }

void Server::Start() {
  Core& core = *impl_->core;
  const ServerOptions& options = core.shared->options;
  if (impl_->started) throw Error(Code::kInternal, "the server was started before");
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    throw Error(Code::kInvalidInput, "TLS needs both a certificate and a key");
  }
  if (!options.tls_certificate.empty()) SetTls(options.tls_certificate, options.tls_key);
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error || options.port < 0 || options.port > 65535) {
    throw Error(Code::kInvalidInput, Cat(options.address, ":", options.port, ": is no address and port to listen on"));
  }
  const tcp::endpoint endpoint(address, static_cast<unsigned short>(options.port));
  impl_->acceptor.emplace(asio::make_strand(core.io));
  tcp::acceptor& acceptor = *impl_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    throw Error(error == asio::error::access_denied ? Code::kPermissionDenied : Code::kUnavailable,
                Cat("cannot listen on ", options.address, ":", options.port, ": ", error.message()));
  }
  impl_->port = acceptor.local_endpoint(error).port();
  impl_->started = true;
  if (options.worker_threads > 0) {
    core.workers = std::make_unique<Workers>(options.worker_threads, options.worker_queue);
  }
  impl_->work.emplace(core.io.get_executor());
  asio::co_spawn(
      acceptor.get_executor(), [impl = impl_.get()] { return impl->Accept(); }, asio::detached);
  for (int i = 0; i < std::max(options.io_threads, 1); ++i) {
    impl_->threads.emplace_back([&core] {
      while (true) {
        try {
          core.io.run();
          return;
        } catch (const std::exception& failure) {
          Log(LogLevel::kError, "http.io_failed", {{"error", failure.what()}});
        }
      }
    });
  }
}

int Server::port() const { return impl_->port; }

void Server::SetLimits(const ServerLimits& limits) { impl_->core->shared->SetLimits(limits); }

void Server::SetTls(const std::string& certificate, const std::string& key) {
  auto fresh = MakeTls(certificate, key);
  std::lock_guard lock(impl_->core->shared->mutex);
  impl_->core->tls.swap(fresh);
}

bool Server::Drain(double seconds) {
  ServerShared& shared = *impl_->core->shared;
  shared.draining = true;
  if (!impl_->started) return true;
  impl_->CloseAcceptor();
  const bool ended = impl_->WaitFor(seconds, [&] { return shared.exchanges_open == 0; });
  if (ended) {
    impl_->ForAll([](Connection& connection) { connection.CloseWhenIdle(); });
    impl_->WaitFor(2.5, [&] { return impl_->core->open.empty(); });
  }
  Stop();
  return ended;
}

void Server::Stop() {
  std::lock_guard once(impl_->stopping);
  if (!impl_->started || impl_->stopped) return;
  impl_->stopped = true;
  Core& core = *impl_->core;
  core.shared->draining = true;
  impl_->CloseAcceptor();
  while (true) {  // a connection may have been accepted meanwhile
    impl_->ForAll([](Connection& connection) { connection.Kill(); });
    if (impl_->WaitFor(0.2, [&] { return core.open.empty(); })) break;
  }
  if (core.workers != nullptr) core.workers->Stop();
  impl_->work.reset();
  core.io.stop();
  for (std::thread& thread : impl_->threads) thread.join();
}

ServerStats Server::stats() const {
  const ServerShared& shared = *impl_->core->shared;
  ServerStats stats;
  stats.connections_open = shared.connections_open;
  stats.connections = shared.connections;
  stats.connections_refused = shared.connections_refused;
  stats.requests = shared.requests;
  stats.clients_gone = shared.clients_gone;
  stats.readers_dropped = shared.readers_dropped;
  stats.reads_timed_out = shared.reads_timed_out;
  stats.bytes_in = shared.bytes_in;
  stats.bytes_out = shared.bytes_out;
  std::lock_guard lock(shared.mutex);
  stats.exchanges_open = shared.exchanges_open;
  stats.by_status = shared.by_status;
  return stats;
}

}  // namespace atelier::net
