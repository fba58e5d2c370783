// The shared half of an exchange: handlers fill it from any thread, the connection empties it on its own. No Boost.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "net/exchange.h"
#include "net/server.h"

namespace atelier::net {

// What all connections of a server share: its options and what it counts. Outlives the server while exchanges are held.
struct ServerShared {
  explicit ServerShared(ServerOptions wanted)
      : options(std::move(wanted)), limits_(std::make_shared<const ServerLimits>(options)) {}

  const ServerOptions options;  // as at the start; the limits that hold now are Limits()
  std::atomic<bool> draining = false;
  std::atomic<int64_t> connections_open = 0;
  std::atomic<uint64_t> connections = 0, connections_refused = 0, requests = 0, clients_gone = 0, readers_dropped = 0,
                        reads_timed_out = 0, bytes_in = 0, bytes_out = 0;
  mutable std::mutex mutex;  // of what follows
  std::condition_variable changed;
  int64_t exchanges_open = 0;
  std::map<int, uint64_t> by_status;

  std::shared_ptr<const ServerLimits> Limits() const {
    std::lock_guard lock(mutex);
    return limits_;
  }
  void SetLimits(const ServerLimits& limits) {
    auto fresh = std::make_shared<const ServerLimits>(limits);
    std::lock_guard lock(mutex);
    limits_.swap(fresh);
  }
  Response ErrorResponse(const HttpError& error, const Request* request) const;

 private:
  std::shared_ptr<const ServerLimits> limits_;
};

class ExchangeState {
 public:
  // `wake` tells the connection that there is something to send; it may be called from any thread.
  ExchangeState(std::shared_ptr<ServerShared> shared, Request request, const Framing& framing,
                std::function<void()> wake);
  ~ExchangeState();

  // For handlers, from any thread: see Exchange.
  const Request& request() const { return request_; }
  bool Respond(Response response);
  bool BeginStream(Response head);
  bool Write(std::string_view bytes);
  void Finish();
  void Abort();
  void Abandon();  // the last pointer to the Exchange went
  size_t buffered() const;
  bool WaitForRoom(size_t bytes, double seconds);
  bool gone() const;
  void OnGone(std::function<void()> callback);
  void SetKeyId(std::string key_id);
  ServerShared& shared() { return *shared_; }

  // For the connection.
  void ForbidKeepAlive();
  enum class Next { kWait, kSend, kDone, kCut, kDrop };  // cut: close after what was sent; drop: at once
  Next Take(std::string* batch);                         // kSend: bytes to be sent; each of them goes to Sent later
  void Sent(size_t bytes);
  void ClientGone(bool reset);             // reset: nothing can be sent either
  bool overrun() const;                    // more was written than a client may cost
  bool keep_alive() const;                 // decided once the answer began
  void Close(bool whole, double seconds);  // counts and logs; once

 private:
  bool BeginLocked(const Response& response, bool stream);  // writes the head
  bool Wake(bool result);

  const std::shared_ptr<ServerShared> shared_;
  const size_t most_buffered_;
  const Request request_;
  const bool http_1_0_, head_only_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::string out_;       // queued, not yet taken
  size_t in_flight_ = 0;  // taken, not yet sent
  uint64_t bytes_out_ = 0;
  bool keep_alive_;
  bool begun_ = false, stream_ = false, chunked_ = false, no_body_ = false, ended_ = false;
  bool cut_ = false, overrun_ = false, gone_ = false, reset_ = false;
  int status_ = 0;
  std::string key_id_;
  std::vector<std::function<void()>> on_gone_;
};

// The handler's pointer: its end is the state's Abandon.
std::shared_ptr<Exchange> MakeExchange(std::shared_ptr<ExchangeState> state);

}  // namespace atelier::net
