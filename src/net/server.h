// An HTTP/1.1 server: keep-alive, pipelining, chunked bodies, TLS, streams; strict about what it reads and bounded in
// everything that a client can make it hold. Boost stays inside connection.cc, server.cc and request_reader.cc.
//
//   ServerOptions options;
//   Server server(options, [](std::shared_ptr<Exchange> exchange) { exchange->Respond({.body = "hello\n"}); });
//   server.Start();                       // listens; server.port() says where
//   ...
//   server.Drain(30);                     // or Stop()
//
// Threads. `io_threads` threads move bytes. Handlers run on `worker_threads` others and may block there; while all are
// busy, up to `worker_queue` requests wait, and further ones are answered 429 with Retry-After. What takes long should
// keep its Exchange and return.
//
// Clients. An end of file or a reset counts as gone, also while a handler computes (a client that half-closes its side
// still gets an answer that comes by Respond; a stream it does not get). Requests of one connection are answered one
// after the other; what a client sends ahead waits in a bounded buffer, then in the network.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "net/exchange.h"
#include "net/request_reader.h"

namespace atelier::net {

// One line of the access log: no query, no headers, no bodies. Requests that were refused have what was read of them.
struct AccessRecord {
  std::string method, path;
  int status = 0;          // 499 when the client went before an answer began
  uint64_t bytes_in = 0;   // of the body, decoded
  uint64_t bytes_out = 0;  // as sent, before TLS
  double seconds = 0;      // from the whole request to the answer's last byte
  bool cut = false;        // the answer was not sent whole
  std::string id, traceparent, peer, key_id;
};

// Seconds and bytes; what breaks one is answered (408, 413, 414, 431) where an answer can still be read. A running
// server takes new ones (Server::SetLimits).
struct ServerLimits {
  ReadLimits read;
  double header_seconds = 10;  // for a request's head, from its first byte (or TLS's, from the connection's)
  double body_seconds = 30;    // for a body, and beyond it a second for every min_rate bytes that came
  double idle_seconds = 60;    // between two requests (before the first: header_seconds)
  double write_seconds = 20;   // a client that takes less than min_rate bytes/s for so long is dropped
  double min_rate = 4096;      // bytes/s
  size_t stream_buffer_bytes = 256 << 10;  // queued per stream; with copies and the system's own buffer under 1 MiB
  int send_buffer_bytes = 64 << 10;        // the system's (SO_SNDBUF; Linux doubles it)
  size_t read_ahead_bytes = 32 << 10;      // of pipelined requests while one is answered
  int max_connections = 4096;              // further ones get 429 and are closed
  int max_requests = 10'000;               // per connection, then Connection: close
  int retry_after_seconds = 2;             // said with every 429 and 503 of the server's own
};

struct ServerOptions : ServerLimits {
  std::string address = "127.0.0.1";  // IPv4 or IPv6
  int port = 8080;                    // 0: any that is free, see Server::port
  std::string tls_certificate;        // PEM files; both set: TLS 1.2 or later is spoken, and nothing else
  std::string tls_key;

  // Performance
  int io_threads = 1;
  int worker_threads = 4;  // 0: handlers run on the io threads and must return quickly
  int worker_queue = 256;

  // Hooks; all may be called from several threads at once.
  // Looks at the head before the body is read: an answer refuses the request (without a key, too large for its route).
  // On an io thread: quick.
  std::function<std::optional<Response>(const Request& head)> admit;
  // The answer that tells a failure; `request` may be null. Without one: {"error":{"code","message"}}.
  std::function<Response(const HttpError& error, const Request* request)> error_response;
  std::function<void(const AccessRecord& record)> access_log;  // on an io thread
};

struct ServerStats {
  int64_t connections_open = 0, exchanges_open = 0;
  uint64_t connections = 0, connections_refused = 0, requests = 0;
  uint64_t clients_gone = 0;     // vanished before their answer was whole
  uint64_t readers_dropped = 0;  // too slow, or more than their buffer
  uint64_t reads_timed_out = 0;  // heads and bodies
  uint64_t bytes_in = 0, bytes_out = 0;
  std::map<int, uint64_t> by_status;
};

using Handler = std::function<void(std::shared_ptr<Exchange> exchange)>;

class Server {
 public:
  // What a handler throws is answered: an Error with its status and message, anything else with a 500 that says
  // nothing.
  Server(ServerOptions options, Handler handler);
  ~Server();  // Stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and listens. Throws kUnavailable (address in use, not ours), kPermissionDenied, kInvalidInput (certificate).
  void Start();
  int port() const;  // the bound one, after Start

  // From any thread, while it runs. New limits hold for requests whose first byte comes later; a body or a stream that
  // is under way keeps those that it began with.
  void SetLimits(const ServerLimits& limits);
  // Another certificate for connections that come later. Throws kInvalidInput, and then the old one stays.
  // REQUIRES: the server was started with one.
  void SetTls(const std::string& certificate, const std::string& key);

  // Takes no more connections, answers new requests on open ones 503 with Retry-After and Connection: close, waits for
  // the running exchanges to end, at most `seconds`, then stops. True when all of them ended by themselves.
  bool Drain(double seconds);
  // Closes everything; running exchanges see their clients gone. Exchanges that are still held elsewhere stay valid.
  // Waits for handlers that are running on workers. Not from a handler.
  void Stop();

  ServerStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::net
