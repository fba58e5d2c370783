#include "serve/event_stream.h"

namespace atelier::serve {
namespace {

constexpr size_t kPiece = 8 << 10;  // fits every permitted stream_buffer_bytes
constexpr double kRoomSeconds = 20;

}  // namespace

bool BeginEvents(net::Exchange& exchange) {
  return exchange.BeginStream(
      {.content_type = "text/event-stream", .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}});
}

bool EventStream::Send(std::string_view event, const Json& data) {
  const std::string bytes = net::SseEvent(ToText(data), event);
  const std::lock_guard lock(sending_);
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::string_view piece = std::string_view(bytes).substr(at, kPiece);
    if (!exchange_->WaitForRoom(piece.size(), kRoomSeconds) || !exchange_->Write(piece)) return false;
  }
  return true;
}

void EventStream::Offer(std::string_view event, const Json& data) {
  const std::unique_lock lock(sending_, std::try_to_lock);
  if (!lock.owns_lock() || exchange_->buffered() > kPiece) return;
  const std::string bytes = net::SseEvent(ToText(data), event);
  if (bytes.size() <= kPiece / 2) exchange_->Write(bytes);
}

void EventStream::End(std::string_view event, const Json& data) {
  Send(event, data) ? exchange_->Finish() : exchange_->Abort();
}

}  // namespace atelier::serve
