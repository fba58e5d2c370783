#include "serve/tickets.h"

namespace atelier::serve {

void Tickets::Add(const std::shared_ptr<artefact::Ticket>& ticket) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) ticket->Cancel();
  std::erase_if(tickets_, [](const auto& weak) { return weak.expired(); });
  tickets_.push_back(ticket);
}

void Tickets::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  for (const auto& weak : tickets_) {
    if (const auto ticket = weak.lock()) ticket->Cancel();
  }
}

bool Tickets::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

}  // namespace atelier::serve
