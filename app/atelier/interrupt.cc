#include "app/atelier/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

namespace atelier::app {
namespace {

std::atomic<bool> stopped{false};

void OnInterrupt(int) {
  if (stopped.exchange(true)) ::_exit(130);
  constexpr std::string_view kSaid = "\nstopping; what was made so far is kept. Ctrl-C again ends it at once.\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kSaid.data(), kSaid.size());
}

}  // namespace

std::function<bool()> WatchInterrupts() {
  std::signal(SIGINT, &OnInterrupt);
  return [] { return stopped.load(); };
}

}  // namespace atelier::app
