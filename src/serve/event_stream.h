// Server-sent events to one client.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "base/json.h"
#include "net/exchange.h"

namespace atelier::serve {

// The head of a stream; false when the client is gone.
bool BeginEvents(net::Exchange& exchange);

// For writers that may wait for their reader, beside others that may not.
class EventStream {
 public:
  explicit EventStream(std::shared_ptr<net::Exchange> exchange) : exchange_(std::move(exchange)) {}

  bool Begin() { return BeginEvents(*exchange_); }
  // The event whole, however large; false when the client is gone or takes nothing for too long.
  bool Send(std::string_view event, const Json& data);
  // From any thread, waits for nobody: left out where the reader is behind, or another event is on its way.
  void Offer(std::string_view event, const Json& data);
  // The last event and the end, or where it does not arrive an end that shows.
  void End(std::string_view event, const Json& data);

 private:
  const std::shared_ptr<net::Exchange> exchange_;
  std::mutex sending_;
};

}  // namespace atelier::serve
