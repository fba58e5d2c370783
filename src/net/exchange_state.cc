#include "net/exchange_state.h"

#include <chrono>
#include <cstdio>

#include "base/ids.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

namespace atelier::net {
namespace {

class Handle : public Exchange {
 public:
  explicit Handle(std::shared_ptr<ExchangeState> state) : state_(std::move(state)) {}
  ~Handle() override { state_->Abandon(); }
  const Request& request() const override { return state_->request(); }
  bool Respond(Response response) override { return state_->Respond(std::move(response)); }
  bool RespondError(HttpError error) override {
    return state_->Respond(state_->shared().ErrorResponse(error, &state_->request()));
  }
  bool BeginStream(Response head) override { return state_->BeginStream(std::move(head)); }
  bool Write(std::string_view bytes) override { return state_->Write(bytes); }
  void Finish() override { state_->Finish(); }
  void Abort() override { state_->Abort(); }
  size_t buffered() const override { return state_->buffered(); }
  bool WaitForRoom(size_t bytes, double seconds) override { return state_->WaitForRoom(bytes, seconds); }
  bool gone() const override { return state_->gone(); }
  void OnGone(std::function<void()> callback) override { state_->OnGone(std::move(callback)); }
  void SetKeyId(std::string key_id) override { state_->SetKeyId(std::move(key_id)); }

 private:
  const std::shared_ptr<ExchangeState> state_;
};

bool ServersOwn(std::string_view name) {
  for (const std::string_view own : {"content-length", "transfer-encoding", "connection", "date", "x-request-id"}) {
    if (EqualsIgnoreCase(name, own)) return true;
  }
  return false;
}

}  // namespace

std::shared_ptr<Exchange> MakeExchange(std::shared_ptr<ExchangeState> state) {
  return std::make_shared<Handle>(std::move(state));
}

Response ServerShared::ErrorResponse(const HttpError& error, const Request* request) const {
  Response response;
  try {
    if (options.error_response) {
      response = options.error_response(error, request);
    } else {
      response.content_type = "application/json";
      response.body = ToText({{"error", {{"code", error.code}, {"message", error.message}}}}) + "\n";
      response.status = error.status;
      response.headers = error.headers;
    }
  } catch (const std::exception&) {
    response = {error.status, "text/plain", "error\n", error.headers};
  }
  return response;
}

ExchangeState::ExchangeState(std::shared_ptr<ServerShared> shared, Request request, const Framing& framing,
                             std::function<void()> wake)
    : shared_(std::move(shared)),
      most_buffered_(shared_->Limits()->stream_buffer_bytes),
      request_(std::move(request)),
      http_1_0_(framing.http_1_0),
      head_only_(request_.method == "HEAD"),
      wake_(std::move(wake)),
      keep_alive_(framing.keep_alive && !framing.http_1_0) {}

ExchangeState::~ExchangeState() = default;

bool ExchangeState::Wake(bool result) {
  wake_();
  return result;
}

bool ExchangeState::BeginLocked(const Response& response, bool stream) {
  if (begun_ || reset_ || cut_ || (stream && gone_)) return false;
  begun_ = true;
  stream_ = stream;
  status_ = response.status;
  const bool bodiless = status_ == 204 || status_ == 304 || status_ < 200;
  no_body_ = bodiless || head_only_;
  chunked_ = stream && !http_1_0_ && !bodiless;
  if (shared_->draining.load() || gone_) keep_alive_ = false;
  out_ += Cat("HTTP/1.1 ", status_, " ", StatusText(status_), "\r\nDate: ", HttpDate(NowMillis()), "\r\n");
  if (!response.content_type.empty()) out_ += Cat("Content-Type: ", SafeHeaderValue(response.content_type), "\r\n");
  for (const auto& [name, value] : response.headers) {
    if (IsToken(name) && !ServersOwn(name)) out_ += Cat(name, ": ", SafeHeaderValue(value), "\r\n");
  }
  out_ += Cat("X-Request-Id: ", request_.id, "\r\n");
  if (chunked_) out_ += "Transfer-Encoding: chunked\r\n";
  if (!stream && !bodiless) out_ += Cat("Content-Length: ", response.body.size(), "\r\n");
  out_ += keep_alive_ ? "\r\n" : "Connection: close\r\n\r\n";
  if (!stream) {
    if (!no_body_) out_ += response.body;
    ended_ = true;
  }
  return true;
}

bool ExchangeState::Respond(Response response) {
  {
    std::lock_guard lock(mutex_);
    if (!BeginLocked(response, false)) return false;
  }
  return Wake(true);
}

bool ExchangeState::BeginStream(Response head) {
  {
    std::lock_guard lock(mutex_);
    if (!BeginLocked(head, true)) return false;
  }
  return Wake(true);
}

bool ExchangeState::Write(std::string_view bytes) {
  {
    std::lock_guard lock(mutex_);
    if (!stream_ || ended_ || gone_ || cut_) return false;
    if (bytes.empty() || no_body_) return true;
    if (out_.size() + in_flight_ + bytes.size() > most_buffered_) {
      overrun_ = cut_ = true;
    } else if (chunked_) {
      char size[24];
      std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
      out_.append(size).append(bytes).append("\r\n");
    } else {
      out_.append(bytes);
    }
  }
  return Wake(!overrun_);
}

void ExchangeState::Finish() {
  {
    std::lock_guard lock(mutex_);
    if (!stream_ || ended_ || cut_) return;
    ended_ = true;
    if (chunked_ && !no_body_) out_ += "0\r\n\r\n";
  }
  wake_();
}

void ExchangeState::Abort() {
  {
    std::lock_guard lock(mutex_);
    if (ended_ || cut_) return;
    cut_ = true;
  }
  wake_();
}

void ExchangeState::Abandon() {
  bool begun = false, ended = false, gone = false;
  {
    std::lock_guard lock(mutex_);
    begun = begun_;
    ended = ended_;
    gone = gone_;
    on_gone_.clear();
  }
  if (ended) return;
  if (begun || gone) return Abort();
  Respond(shared_->ErrorResponse({500, "internal", "the request was given up", {}}, &request_));
}

size_t ExchangeState::buffered() const {
  std::lock_guard lock(mutex_);
  return out_.size() + in_flight_;
}

bool ExchangeState::WaitForRoom(size_t bytes, double seconds) {
  std::unique_lock lock(mutex_);
  constexpr size_t kFraming = 32;
  if (bytes + kFraming > most_buffered_) return false;
  const auto fits = [&] { return out_.size() + in_flight_ + bytes + kFraming <= most_buffered_; };
  room_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return gone_ || cut_ || fits(); });
  return !gone_ && !cut_ && fits();
}

bool ExchangeState::gone() const {
  std::lock_guard lock(mutex_);
  return gone_;
}

void ExchangeState::OnGone(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!gone_) {
      on_gone_.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

void ExchangeState::SetKeyId(std::string key_id) {
  std::lock_guard lock(mutex_);
  key_id_ = std::move(key_id);
}

void ExchangeState::ForbidKeepAlive() {
  std::lock_guard lock(mutex_);
  keep_alive_ = false;
}

ExchangeState::Next ExchangeState::Take(std::string* batch) {
  std::lock_guard lock(mutex_);
  if (overrun_) return Next::kDrop;
  if (gone_ && stream_ && !ended_) return Next::kDrop;
  if (!out_.empty()) {
    in_flight_ += out_.size();
    batch->swap(out_);
    out_.clear();
    return Next::kSend;
  }
  if (in_flight_ > 0) return Next::kWait;
  if (cut_) return http_1_0_ ? Next::kDrop : Next::kCut;
  return ended_ ? Next::kDone : Next::kWait;
}

void ExchangeState::Sent(size_t bytes) {
  {
    std::lock_guard lock(mutex_);
    in_flight_ -= bytes;
    bytes_out_ += bytes;
  }
  room_.notify_all();
}

void ExchangeState::ClientGone(bool reset) {
  std::vector<std::function<void()>> callbacks;
  {
    std::lock_guard lock(mutex_);
    reset_ = reset_ || reset;
    // An answer that is on its way to a client that closed its side only is still sent.
    if (gone_ || (ended_ && !reset)) return;
    gone_ = true;
    callbacks.swap(on_gone_);
  }
  room_.notify_all();
  for (const auto& callback : callbacks) callback();
}

bool ExchangeState::overrun() const {
  std::lock_guard lock(mutex_);
  return overrun_;
}

bool ExchangeState::keep_alive() const {
  std::lock_guard lock(mutex_);
  return keep_alive_;
}

void ExchangeState::Close(bool whole, double seconds) {
  if (!whole) ClientGone(true);
  AccessRecord record;
  {
    std::lock_guard lock(mutex_);
    record = {request_.method, request_.path, begun_ ? status_ : 499, request_.body.size(), bytes_out_, seconds,
              !whole,          request_.id,   request_.traceparent,   request_.peer,        key_id_};
    reset_ = gone_ = true;  // whatever a handler does from here on is too late
    on_gone_.clear();
    out_.clear();
    out_.shrink_to_fit();
  }
  if (!whole) shared_->clients_gone++;
  try {
    if (shared_->options.access_log) shared_->options.access_log(record);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "http.access_log_failed", {{"request", record.id}, {"error", error.what()}});
  }
  {
    std::lock_guard lock(shared_->mutex);
    shared_->by_status[record.status]++;
    shared_->exchanges_open--;
  }
  shared_->changed.notify_all();
}

}  // namespace atelier::net
