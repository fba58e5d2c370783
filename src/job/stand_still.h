// Training stands still while somebody is in the foreground (store/foreground.h): a thread looks every few
// milliseconds, and holds all others of its process in a signal's handler. So every process of a job holds itself,
// whoever started it, and one whose parent dies goes on when the foreground is free.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace atelier::job {

// When to stand still: while the foreground is taken and a moment longer, so that what follows on a request finds
// quiet, but for a short turn now and then. Of the tokens that a busy server makes, fewer than one in a hundred meets a
// turn: its 99th percentile stays.
class Courtesy {
 public:
  static constexpr double kQuiet = 0.3, kWait = 30, kTurn = 0.15;  // seconds
  // `now`: seconds that only grow.
  bool Waits(bool taken, double now);

 private:
  double last_taken_ = -1e18, since_ = -1e18;
};

// One at a time in a process. Threads must not block SIGRTMIN + 5.
class StandStill {
 public:
  // Once `stop` is set nobody is held any more.
  StandStill(const std::string& foreground, const std::atomic<bool>& stop);
  ~StandStill();
  StandStill(const StandStill&) = delete;
  StandStill& operator=(const StandStill&) = delete;

 private:
  void Watch(const std::string& foreground, const std::atomic<bool>& stop);
  std::atomic<bool> ending_{false};
  std::thread watcher_;
};

}  // namespace atelier::job
