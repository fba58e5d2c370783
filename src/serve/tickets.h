// The requests on models that one client's work consists of: cancelled together, those that come too late among them.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "artefact/generator.h"

namespace atelier::serve {

// From any thread.
class Tickets {
 public:
  void Add(const std::shared_ptr<artefact::Ticket>& ticket);  // cancels it at once where the work is cancelled
  void Cancel();
  bool cancelled() const;

 private:
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  std::vector<std::weak_ptr<artefact::Ticket>> tickets_;
};

}  // namespace atelier::serve
