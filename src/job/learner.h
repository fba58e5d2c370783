// The child process that trains: atelier-learn, which tells what it does as JSON lines. It runs in a process group of
// its own, yields to everything else (nice 19), stands still while a server answers (store/foreground.h), and harms
// nobody when it crashes.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace atelier::job {

struct LearnerOptions {
  std::string program;      // atelier-learn's path; "": found beside our own program, or by $ATELIER_LEARN
  bool background = true;   // yields as said above; false: somebody waits for it
  int processes = 1;        // more: they train together, started by mpirun
  std::string input;        // its standard input
  uint64_t max_memory = 0;  // bytes of address space; 0: no limit
  // Once set, the child is told to save and end.
  const std::atomic<bool>* stop = nullptr;
};

// When training stands still: while somebody is in the foreground and a moment after, so that what follows on a request
// finds quiet, but for a short turn now and then. Of the tokens that a busy server makes, fewer than one in a hundred
// meets one of these turns: its 99th percentile stays.
class Courtesy {
 public:
  static constexpr double kQuiet = 0.3, kWait = 30, kTurn = 0.15;  // seconds
  // Whether to stand still now, `taken` saying whether somebody is in the foreground. `now`: seconds that only grow.
  bool Waits(bool taken, double now);

 private:
  double last_taken_ = -1e18, since_ = -1e18;
};

// Hears each event but the last: its name and its fields.
using EventFn = std::function<void(const std::string& event, const Json& fields)>;

// Runs `atelier-learn arguments...` to its end and returns the fields of its event "done". Its event "error" is thrown
// as the Error it was; a death without either is kInternal (or kResourceExhausted where the kernel killed it), with the
// last lines that it said on standard error.
Json RunLearner(const std::vector<std::string>& arguments, const LearnerOptions& options, const EventFn& on_event);

// Where atelier-learn is. Throws kUnsupported where this build has none.
std::string LearnerProgram();

}  // namespace atelier::job
