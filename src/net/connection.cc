// Three coroutines on one strand: ReadLoop fills `input_` and notices when the client goes, Run takes requests out of
// it one by one, WriteLoop sends what exchanges queue. They wake one another through timers that stand for condition
// variables; nothing is ever cancelled but those.
#include "net/connection.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/str.h"

namespace atelier::net {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 16 << 10;
constexpr double kLingerSeconds = 2;  // for a closing connection's last bytes to be read
constexpr auto kForever = Connection::Clock::time_point::max();

Connection::Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Connection::Clock::duration>(std::chrono::duration<double>(seconds));
}

double Since(Connection::Clock::time_point start) {
  return std::chrono::duration<double>(Connection::Clock::now() - start).count();
}

}  // namespace

void Core::Dispatch(const std::shared_ptr<ExchangeState>& state) {
  auto run = [this, exchange = MakeExchange(state)]() mutable {
    const std::shared_ptr<Exchange> mine = std::move(exchange);
    try {
      handler(mine);
    } catch (const Error& error) {
      const CodeInfo& info = Info(error.code());
      if (info.http_status >= 500) {
        Log(LogLevel::kError, "http.handler_failed", {{"request", mine->request().id}, {"error", error.Line()}});
      }
      mine->RespondError({info.http_status, std::string(info.name), error.Line(), {}});
      mine->Abort();
    } catch (const std::exception& error) {
      Log(LogLevel::kError, "http.handler_failed", {{"request", mine->request().id}, {"error", error.what()}});
      mine->RespondError({500, "internal", "the server failed", {}});
      mine->Abort();
    }
  };
  if (workers == nullptr) return run();
  if (workers->Submit(run)) return;
  const std::string after = Cat(shared->Limits()->retry_after_seconds);
  state->Respond(shared->ErrorResponse(
      {429, "overloaded", "the server is busy; try again later", {{"Retry-After", after}}}, &state->request()));
}

Connection::Connection(std::shared_ptr<Core> core, Tcp::socket socket, bool refuse)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      tls_context_(core_->Tls()),
      session_(socket_.get_executor()),
      reader_(socket_.get_executor()),
      writer_(socket_.get_executor()),
      watch_(socket_.get_executor()),
      refuse_(refuse) {
  TakeLimits();
  error_code ignored;
  peer_ = socket_.remote_endpoint(ignored).address().to_string();
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::send_buffer_size(limits_->send_buffer_bytes), ignored);
  if (tls_context_ != nullptr) tls_.emplace(socket_, *tls_context_);
  core_->shared->connections_open++;
  std::lock_guard lock(core_->shared->mutex);
  core_->open.insert(this);
  closing_ = core_->closing;
}

Connection::~Connection() {
  core_->shared->connections_open--;
  {
    std::lock_guard lock(core_->shared->mutex);
    core_->open.erase(this);
  }
  core_->shared->changed.notify_all();
}

// A coroutine of this connection; what it throws (memory, for the most part) ends the connection.
void Connection::Spawn(Awaitable<void> (Connection::*loop)()) {
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this(), loop] { return ((*self).*loop)(); },
      [self = shared_from_this()](const std::exception_ptr& failure) {
        if (failure) self->Die(false);
      });
}

void Connection::Start() { Spawn(&Connection::Run); }

// Holds no executor: an exchange may outlive the server, and its io_context with it.
std::function<void()> Connection::Waker() {
  return [weak = weak_from_this()] {
    const auto self = weak.lock();  // while it lives, so does the io_context
    if (self == nullptr) return;
    asio::post(self->socket_.get_executor(), [weak] {
      if (const auto here = weak.lock()) here->Wake();
    });
  };
}

void Connection::Wake() {
  writer_.cancel();
  // WriteLoop may be stuck in a write that the client does not take.
  if (dead_ || exchange_ == nullptr || !exchange_->overrun()) return;
  core_->shared->readers_dropped++;
  Die(true);
}

void Connection::Kill() {
  asio::post(socket_.get_executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Die(false);
  });
}

void Connection::CloseWhenIdle() {
  asio::post(socket_.get_executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->closing_ = true;
      self->session_.cancel();
    }
  });
}

// `reset` sends a reset instead of an end, which also frees what the system still holds for the client.
void Connection::Die(bool reset) {
  if (dead_) return;
  dead_ = eof_ = true;
  error_code ignored;
  if (reset) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  for (asio::steady_timer* timer : {&session_, &reader_, &writer_, &watch_}) timer->cancel();
  if (exchange_ != nullptr) exchange_->ClientGone(true);
}

bool Connection::PeerClosed() {
  pollfd at{socket_.native_handle(), POLLRDHUP, 0};
  return ::poll(&at, 1, 0) > 0 && (at.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

Connection::Awaitable<Connection::ReadOrWritten> Connection::ReadSome(asio::mutable_buffer buffer) {
  if (tls_) co_return co_await tls_->async_read_some(buffer, kTuple);
  co_return co_await socket_.async_read_some(buffer, kTuple);
}

Connection::Awaitable<Connection::ReadOrWritten> Connection::WriteSome(asio::const_buffer buffer) {
  if (tls_) co_return co_await tls_->async_write_some(buffer, kTuple);
  co_return co_await socket_.async_write_some(buffer, kTuple);
}

Connection::Awaitable<void> Connection::Wait(asio::steady_timer* timer, Clock::time_point deadline) {
  timer->expires_at(deadline);
  co_await timer->async_wait(kTuple);
}

Connection::Awaitable<void> Connection::Run() {
  const auto self = shared_from_this();
  try {
    if (tls_) {
      watch_.expires_after(Seconds(limits_->header_seconds));
      watch_.async_wait([weak = weak_from_this()](error_code error) {
        const auto here = weak.lock();
        if (!error && here != nullptr) here->Die(true);
      });
      const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kTuple);
      watch_.cancel();
      if (error) Die(false);
    }
    if (!dead_) {
      Spawn(&Connection::ReadLoop);
      Spawn(&Connection::WriteLoop);
      if (refuse_) {
        raw_ = Cat("HTTP/1.1 429 Too Many Requests\r\nRetry-After: ", limits_->retry_after_seconds,
                   "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      } else {
        while (co_await ServeOne()) {
        }
      }
      if (!idle_) co_await ShutDown();
    }
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "http.connection_failed", {{"peer", peer_}, {"error", error.what()}});
  }
  if (exchange_ != nullptr) {
    exchange_->Close(false, 0);
    exchange_ = nullptr;
  }
  Die(false);
}

Connection::Awaitable<void> Connection::ReadLoop() {
  const auto self = shared_from_this();
  std::array<char, kReadBytes> buffer;
  while (!dead_) {
    if (input_.size() >= read_ahead_ && !discard_) {  // enough for now; reading on would tell of an end, so look for it
      co_await Wait(&reader_, Clock::now() + std::chrono::milliseconds(400));
      if (dead_ || !PeerClosed()) continue;
      eof_ = true;
      if (exchange_ != nullptr) exchange_->ClientGone(false);
      writer_.cancel();
      session_.cancel();
      co_return;
    }
    const auto [error, bytes] = co_await ReadSome(asio::buffer(buffer));
    if (dead_) co_return;
    if (error) {
      eof_ = true;
      const bool half = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
      if (!half) Die(false);
      if (exchange_ != nullptr) exchange_->ClientGone(!half);
      writer_.cancel();
      session_.cancel();
      co_return;
    }
    core_->shared->bytes_in += bytes;
    if (discard_) continue;
    input_.append(buffer.data(), bytes);
    session_.cancel();
  }
}

// What the system accepts says little: it asks for more only when a third of its buffer is free, which is long for a
// slow reader. So what it still holds is taken off (under TLS it holds a little more than `sent_` counts).
int64_t Connection::TakenByPeer() {
  int held = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &held) != 0) held = 0;
  return sent_ - held;
}

void Connection::WatchWrites() {
  watching_ = true;
  watch_.expires_after(Seconds(limits_->write_seconds / 4));
  watch_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || self == nullptr || self->dead_) return;
    if (!self->writing_) {
      self->watching_ = false;
      return;
    }
    const auto enough = static_cast<int64_t>(self->limits_->min_rate * self->limits_->write_seconds);
    const int64_t taken = self->TakenByPeer();
    if (taken - self->mark_ >= enough) {
      self->mark_ = taken;
      self->progress_ = Clock::now();
    } else if (Since(self->progress_) >= self->limits_->write_seconds) {
      self->core_->shared->readers_dropped++;
      return self->Die(true);
    }
    self->WatchWrites();
  });
}

Connection::Awaitable<void> Connection::WriteLoop() {
  const auto self = shared_from_this();
  std::string batch;
  while (!dead_) {
    batch.clear();
    std::shared_ptr<ExchangeState> from;
    if (!raw_.empty()) {
      batch.swap(raw_);
    } else if (exchange_ != nullptr && !exchange_done_) {
      const ExchangeState::Next next = exchange_->Take(&batch);
      if (next == ExchangeState::Next::kDrop) {
        if (exchange_->overrun()) core_->shared->readers_dropped++;
        Die(true);
        co_return;
      }
      if (next == ExchangeState::Next::kSend) from = exchange_;
      if (next == ExchangeState::Next::kDone || next == ExchangeState::Next::kCut) {
        exchange_done_ = true;
        cut_ = next == ExchangeState::Next::kCut;
        session_.cancel();
      }
    }
    if (batch.empty()) {
      if (batch.capacity() > kReadBytes) batch.shrink_to_fit();
      writing_ = false;
      session_.cancel();
      co_await Wait(&writer_, kForever);
      continue;
    }
    if (!writing_) {
      writing_ = true;
      mark_ = TakenByPeer();
      progress_ = Clock::now();
      if (!watching_) WatchWrites();
    }
    for (size_t done = 0; done < batch.size();) {
      const auto [error, bytes] = co_await WriteSome(asio::buffer(batch.data() + done, batch.size() - done));
      if (error && !dead_) Die(false);
      if (dead_) co_return;
      done += bytes;
      sent_ += static_cast<int64_t>(bytes);
      core_->shared->bytes_out += bytes;
      if (from != nullptr) from->Sent(bytes);
    }
  }
}

void Connection::TakeLimits() {
  limits_ = core_->shared->Limits();
  read_ahead_ = std::max(limits_->read_ahead_bytes, limits_->read.head.header_bytes + kReadBytes);
}

void Connection::Feed(RequestReader* reader) {
  const size_t taken = reader->Feed(input_);
  if (taken == 0) return;
  const bool was_full = input_.size() >= read_ahead_;
  input_.erase(0, taken);
  if (input_.empty() && input_.capacity() > 2 * kReadBytes) input_.shrink_to_fit();
  if (was_full) reader_.cancel();
}

// False: there is nothing to answer. Otherwise the request is whole, or a fault or a refusal says what to answer.
Connection::Awaitable<bool> Connection::ReadRequest(RequestReader* reader, std::optional<HttpError>* fault,
                                                    std::optional<Response>* refusal) {
  using State = RequestReader::State;
  const double first = requests_ == 0 ? limits_->header_seconds : limits_->idle_seconds;
  Clock::time_point deadline = Clock::now() + Seconds(first);
  while (reader->state() == State::kHead) {
    const bool started = reader->started();
    const size_t before = input_.size();
    if (before > 0 && !started) {  // waiting may have been long, and the limits others since
      TakeLimits();
      reader->SetLimits(limits_->read);
    }
    if (before > 0) Feed(reader);
    if (!started && reader->started()) deadline = Clock::now() + Seconds(limits_->header_seconds);
    if (reader->state() != State::kHead || input_.size() != before) continue;
    if (eof_ || (closing_ && !reader->started())) {
      idle_ = !reader->started();
      co_return false;
    }
    if (Clock::now() >= deadline) {
      idle_ = !reader->started();
      if (idle_) co_return false;
      core_->shared->reads_timed_out++;
      *fault = HttpError{408, "request_timeout", "the request's head did not come in time", {}};
      co_return true;
    }
    co_await Wait(&session_, deadline);
    if (dead_) co_return false;
  }
  Request& request = reader->request();
  request.peer = peer_;
  request.tls = tls_.has_value();
  if (reader->state() == State::kFailed) {
    *fault = reader->fault();
    co_return true;
  }
  if (core_->shared->draining.load()) {
    const std::string after = Cat(limits_->retry_after_seconds);
    *fault = HttpError{503, "draining", "the server is about to stop; try another one", {{"Retry-After", after}}};
    co_return true;
  }
  if (core_->shared->options.admit) {
    try {
      *refusal = core_->shared->options.admit(request);
    } catch (const std::exception& error) {
      Log(LogLevel::kError, "http.admit_failed", {{"request", request.id}, {"error", error.what()}});
      *fault = HttpError{500, "internal", "the server failed", {}};
    }
    if (fault->has_value() || refusal->has_value()) co_return true;
  }
  if (reader->state() == State::kBody) co_return co_await ReadBody(reader, fault);
  co_return true;
}

Connection::Awaitable<bool> Connection::ReadBody(RequestReader* reader, std::optional<HttpError>* fault) {
  using State = RequestReader::State;
  if (reader->framing().expects_continue && input_.empty()) {
    raw_ += "HTTP/1.1 100 Continue\r\n\r\n";
    writer_.cancel();
  }
  const Clock::time_point start = Clock::now();
  while (reader->state() == State::kBody) {
    const size_t before = input_.size();
    if (before > 0) Feed(reader);
    if (reader->state() != State::kBody || input_.size() != before) continue;
    if (eof_) co_return false;  // cut off: nobody is there who could read an answer
    const double allowed =
        limits_->body_seconds + static_cast<double>(reader->request().body.size()) / std::max(limits_->min_rate, 1.0);
    const Clock::time_point deadline = start + Seconds(allowed);
    if (Clock::now() >= deadline) {
      core_->shared->reads_timed_out++;
      *fault = HttpError{408, "request_timeout", "the request's body did not come in time", {}};
      co_return true;
    }
    co_await Wait(&session_, deadline);
    if (dead_) co_return false;
  }
  if (reader->state() == State::kFailed) *fault = reader->fault();
  co_return true;
}

Connection::Awaitable<bool> Connection::ServeOne() {
  TakeLimits();
  RequestReader reader(limits_->read);
  std::optional<HttpError> fault;
  std::optional<Response> refusal;
  if (!co_await ReadRequest(&reader, &fault, &refusal)) co_return false;
  const Clock::time_point start = Clock::now();
  ++requests_;
  core_->shared->requests++;
  {
    std::lock_guard lock(core_->shared->mutex);
    core_->shared->exchanges_open++;
  }
  const bool whole = reader.state() == RequestReader::State::kDone;
  Request request = std::move(reader.request());
  if (request.id.empty()) request.id = NewUuid();
  if (request.traceparent.empty()) request.traceparent = NewTraceparent();
  exchange_ = std::make_shared<ExchangeState>(core_->shared, std::move(request), reader.framing(), Waker());
  exchange_done_ = cut_ = false;
  if (fault || !whole || requests_ >= limits_->max_requests || closing_) exchange_->ForbidKeepAlive();
  if (fault) {
    exchange_->Respond(core_->shared->ErrorResponse(*fault, &exchange_->request()));
  } else if (refusal) {
    exchange_->Respond(std::move(*refusal));
  } else {
    core_->Dispatch(exchange_);
  }
  if (eof_ && exchange_ != nullptr) exchange_->ClientGone(false);
  writer_.cancel();
  while (!exchange_done_ && !dead_) co_await Wait(&session_, kForever);
  const bool sent = exchange_done_ && !cut_;
  exchange_->Close(sent, Since(start));
  const bool keep = sent && exchange_->keep_alive() && !eof_ && !dead_;
  exchange_ = nullptr;
  co_return keep;
}

Connection::Awaitable<void> Connection::EndTls() {
  co_await tls_->async_shutdown(kTuple);
  tls_down_ = true;
  session_.cancel();
}

// Says that no more comes, and reads on for a moment: closing with unread input would reset the connection, and the
// client could lose the answer.
Connection::Awaitable<void> Connection::ShutDown() {
  const Clock::time_point deadline = Clock::now() + Seconds(kLingerSeconds);
  discard_ = true;
  input_.clear();
  reader_.cancel();
  writer_.cancel();
  while (!dead_ && (!raw_.empty() || writing_) && Clock::now() < deadline) co_await Wait(&session_, deadline);
  if (dead_) co_return;
  if (tls_) {
    Spawn(&Connection::EndTls);
  } else {
    error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  }
  while (!dead_ && !eof_ && !tls_down_ && Clock::now() < deadline) co_await Wait(&session_, deadline);
}

}  // namespace atelier::net
