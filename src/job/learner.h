// The child process that trains: atelier-learn, which tells what it does as JSON lines. It runs in a process group of
// its own, yields to everything else (nice 19), and harms nobody when it crashes.
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
  bool background = true;   // yields to everything else; false: somebody waits for it
  int processes = 1;        // more: they train together, started by mpirun
  std::string input;        // its standard input
  uint64_t max_memory = 0;  // bytes of address space; 0: no limit
  // Once set, the child is told to save and end.
  const std::atomic<bool>* stop = nullptr;
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
