#include "job/learner.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/str.h"

namespace atelier::job {
namespace {

constexpr size_t kLongestLine = 16u << 20;  // an event with pictures in it

Code CodeOf(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    if (Info(static_cast<Code>(i)).name == name) return static_cast<Code>(i);
  }
  return Code::kInternal;
}

std::string LastLines(std::string_view text) {
  std::vector<std::string> lines = Split(Trim(text), '\n');
  if (lines.size() > 3) lines.erase(lines.begin(), lines.end() - 3);
  return Join(lines, " | ");
}

}  // namespace

std::string LearnerProgram() {
  if (const char* said = std::getenv("ATELIER_LEARN"); said != nullptr && *said != '\0') return said;
  const std::string own = OwnProgram();
  const std::string beside = Cat(own.substr(0, own.rfind('/') + 1), "atelier-learn");
  if (FileExists(beside)) return beside;
  throw Error(Code::kUnsupported, "this build of Atelier serves only: there is no atelier-learn beside it",
              "build with training (./dev build), or name the program in ATELIER_LEARN");
}

Json RunLearner(const std::vector<std::string>& arguments, const LearnerOptions& options, const EventFn& on_event) {
  std::vector<std::string> argv;
  if (options.processes > 1) {
    // The processes share this machine's cores. Where one dies, mpirun kills the others, after two seconds in any case.
    const std::string text =
        Cat("mpirun -n ", options.processes, " --oversubscribe --bind-to none --mca odls_base_sigkill_timeout 2");
    argv = Split(text, ' ');
    if (::geteuid() == 0) argv.emplace_back("--allow-run-as-root");
  }
  argv.push_back(options.program.empty() ? LearnerProgram() : options.program);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::string buffer, noise;
  Json done;
  Json failed;
  ProcessOptions process;
  process.timeout_seconds = std::numeric_limits<double>::infinity();
  process.nice = options.background ? 19 : 0;
  process.input = options.input;
  if (options.processes > 1) process.stop_signal = SIGUSR1;
  // Threads of OpenMP that wait by turning round would take the cores from those that serve.
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) process.env["OMP_WAIT_POLICY"] = "passive";
  process.max_memory = options.max_memory;
  process.stop = options.stop;
  process.on_output_text = [&](std::string_view text) {
    buffer.append(text);
    size_t at = 0;
    for (size_t end; (end = buffer.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string_view said = std::string_view(buffer).substr(at, end - at);
      if (!said.starts_with('{')) {  // a library's own words
        noise.append(said).push_back('\n');
        continue;
      }
      const Json line = ParseJson(said, "atelier-learn");
      const std::string event = line.value("event", "");
      if (event == "done") {
        done = line;
      } else if (event == "error") {
        failed = line;
      } else if (on_event) {
        on_event(event, line);
      }
    }
    buffer.erase(0, at);
    if (buffer.size() > kLongestLine) throw Error(Code::kInternal, "atelier-learn: an event without end");
    return true;
  };
  const ProcessResult result = RunProcess(argv, process);
  if (failed.is_object()) {
    throw Error(CodeOf(failed.value("code", "")), failed.value("message", "atelier-learn failed"),
                failed.value("hint", ""));
  }
  if (done.is_object()) return done;
  if (options.processes > 1) {
    throw Error(Code::kUnavailable,
                Cat("one of the ", options.processes,
                    " processes died, and the others were ended: ", LastLines(noise + result.error_text)),
                "the last checkpoint holds: go on with --resume");
  }
  if (result.exit_code == 128 + SIGKILL) {
    throw Error(Code::kResourceExhausted, "atelier-learn was killed, most likely because memory ran out",
                "the last checkpoint holds: go on with --resume, with a smaller train.batch or more train.accumulate");
  }
  throw Error(Code::kInternal,
              Cat("atelier-learn ended with ", result.exit_code, ": ", LastLines(noise + result.error_text)),
              "the last checkpoint holds: go on with --resume");
}

}  // namespace atelier::job
