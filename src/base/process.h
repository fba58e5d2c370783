// Child processes: never through a shell, with limits, in a process group of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace atelier {

struct ProcessOptions {
  std::string folder;                      // working folder; empty: ours
  std::map<std::string, std::string> env;  // added to ours
  std::string input;                       // standard input; then it is closed
  double timeout_seconds = 600;     // then the whole group is killed and kResourceExhausted thrown; may be infinite
  int nice = 0;                     // 19: yields to everything else (SCHED_IDLE)
  uint64_t max_output = 64u << 20;  // of standard output and error together; more is kResourceExhausted
  uint64_t max_memory = 0;          // address space in bytes; 0: no limit
  // Called with each chunk of standard error as it comes; return false to stop the child (kCancelled).
  std::function<bool(std::string_view)> on_error_text;
  // The same of standard output, which then is not collected.
  std::function<bool(std::string_view)> on_output_text;
  // Once set, the group gets `stop_signal`, and SIGKILL where it has not ended within `grace_seconds`. A child with it
  // outlives nobody either: it gets SIGINT when we die, so that it can save.
  const std::atomic<bool>* stop = nullptr;
  int stop_signal = 2;  // SIGINT
  double grace_seconds = 60;
};

struct ProcessResult {
  int exit_code = 0;  // 128 + signal when it died of one
  std::string output, error_text;
};

// Runs argv[0] (looked up on PATH) to its end. Throws kNotFound when there is no such program.
ProcessResult RunProcess(const std::vector<std::string>& argv, const ProcessOptions& options = {});

// The path of the running program, for children that are it again.
std::string OwnProgram();

}  // namespace atelier
