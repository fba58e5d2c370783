// One connection and what all of them hang on. Includes Boost: for server.cc and connection.cc only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "net/exchange_state.h"
#include "net/workers.h"

namespace atelier::net {

class Connection;

// The server behind its face. Connections keep it alive; it knows them by plain pointers, which they take back.
struct Core {
  std::shared_ptr<ServerShared> shared;
  Handler handler;
  std::shared_ptr<boost::asio::ssl::context> tls;  // of new connections; null for none; under shared->mutex
  boost::asio::io_context io;
  std::unique_ptr<Workers> workers;      // none: handlers run on the io threads
  std::unordered_set<Connection*> open;  // under shared->mutex, like `closing`
  bool closing = false;                  // connections close as soon as they are idle

  std::shared_ptr<boost::asio::ssl::context> Tls() const {
    std::lock_guard lock(shared->mutex);
    return tls;
  }
  void Dispatch(const std::shared_ptr<ExchangeState>& state);
};

// Everything but the constructor, the destructor, Start, CloseWhenIdle and Kill runs on the connection's strand.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Clock = std::chrono::steady_clock;

  Connection(std::shared_ptr<Core> core, Tcp::socket socket, bool refuse);
  ~Connection();
  void Start();
  void CloseWhenIdle();  // from any thread, like Kill
  void Kill();

 private:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;
  using ReadOrWritten = std::tuple<boost::system::error_code, size_t>;

  Awaitable<void> Run();
  Awaitable<void> ReadLoop();
  Awaitable<void> WriteLoop();
  Awaitable<bool> ServeOne();  // false: the connection ends
  Awaitable<bool> ReadRequest(RequestReader* reader, std::optional<HttpError>* fault, std::optional<Response>* refusal);
  Awaitable<bool> ReadBody(RequestReader* reader, std::optional<HttpError>* fault);
  Awaitable<void> ShutDown();
  Awaitable<void> EndTls();
  void Spawn(Awaitable<void> (Connection::*loop)());
  Awaitable<ReadOrWritten> ReadSome(boost::asio::mutable_buffer buffer);
  Awaitable<ReadOrWritten> WriteSome(boost::asio::const_buffer buffer);
  Awaitable<void> Wait(boost::asio::steady_timer* timer, Clock::time_point deadline);
  void TakeLimits();
  void Feed(RequestReader* reader);
  void Wake();
  int64_t TakenByPeer();
  void WatchWrites();
  void Die(bool reset);
  bool PeerClosed();
  std::function<void()> Waker();

  const std::shared_ptr<Core> core_;            // destroyed last
  std::shared_ptr<const ServerLimits> limits_;  // of the request under way
  Tcp::socket socket_;
  const std::shared_ptr<boost::asio::ssl::context> tls_context_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
  boost::asio::steady_timer session_, reader_, writer_, watch_;  // as condition variables of the three loops; the watch
  const bool refuse_;
  std::string peer_;
  std::string input_;                        // read, not yet taken by a request
  std::string raw_;                          // to be sent beside an exchange: 100 Continue, a refusal
  std::shared_ptr<ExchangeState> exchange_;  // the one under way
  bool exchange_done_ = false;
  bool eof_ = false;      // the client sends no more
  bool dead_ = false;     // nothing is read or sent any more
  bool discard_ = false;  // what comes is thrown away: the connection is closing
  bool closing_ = false;  // ends as soon as it is idle
  bool cut_ = false;      // the answer under way ends before its end
  bool idle_ = false;     // ended between two requests
  bool tls_down_ = false;
  bool writing_ = false, watching_ = false;
  int requests_ = 0;
  size_t read_ahead_ = 0;
  int64_t sent_ = 0, mark_ = 0;  // bytes; how many the peer had taken when the watch last saw enough progress
  Clock::time_point progress_;
};

}  // namespace atelier::net
