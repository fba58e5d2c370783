#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"

extern char** environ;

namespace atelier {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(Code::kIo, Cat("making a pipe: ", std::strerror(errno)));
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void CloseRead() { Close(&read_end); }
  void CloseWrite() { Close(&write_end); }
  static void Close(int* fd) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
};

// The group is killed unless it was reaped: no path out of RunProcess leaves a child behind.
struct Child {
  pid_t pid = -1;
  ~Child() {
    if (pid > 0) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
};

std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  for (const std::string& folder : Split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    const std::string full = Cat(folder, "/", name);
    if (::access(full.c_str(), X_OK) == 0) return full;
  }
  throw Error(Code::kNotFound, Cat("the program '", name, "' is not installed"));
}

}  // namespace

ProcessResult RunProcess(const std::vector<std::string>& argv, const ProcessOptions& options) {
  const std::string program = FindProgram(argv.at(0));
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name = std::string(*entry).substr(0, std::string_view(*entry).find('='));
    if (!options.env.contains(name)) variables.emplace_back(*entry);
  }
  for (const auto& [name, value] : options.env) variables.push_back(Cat(name, "=", value));
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  Pipe in, out, err;
  Child child;
  child.pid = ::fork();
  if (child.pid < 0) throw Error(Code::kIo, Cat("starting ", argv[0], ": ", std::strerror(errno)));
  if (child.pid == 0) {  // only async-signal-safe calls from here to exec
    ::setpgid(0, 0);
    // Ctrl-C ends us, and does not reach the child's own group.
    ::prctl(PR_SET_PDEATHSIG, options.stop == nullptr ? SIGKILL : SIGINT);
    if (options.nice != 0 && ::setpriority(PRIO_PROCESS, 0, options.nice) != 0) ::_exit(126);
    if (options.nice >=
        19) {  // whoever wakes up takes the core at once, where nice alone lets it wait for a slice's end
      const sched_param none{};
      ::sched_setscheduler(0, SCHED_IDLE, &none);
    }
    ::dup2(in.read_end, STDIN_FILENO);
    ::dup2(out.write_end, STDOUT_FILENO);
    ::dup2(err.write_end, STDERR_FILENO);
    if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(126);
    if (options.max_memory > 0) {
      const rlimit limit{options.max_memory, options.max_memory};
      ::setrlimit(RLIMIT_AS, &limit);
    }
    ::execve(program.c_str(), arguments.data(), environment.data());
    ::_exit(127);
  }
  ::setpgid(child.pid, child.pid);
  in.CloseRead();
  out.CloseWrite();
  err.CloseWrite();
  ::fcntl(in.write_end, F_SETFL, O_NONBLOCK);

  struct IgnorePipe {  // a child that does not read its input must not kill us
    struct sigaction old {};
    IgnorePipe() {
      struct sigaction ignore {};
      ignore.sa_handler = SIG_IGN;
      ::sigaction(SIGPIPE, &ignore, &old);
    }
    ~IgnorePipe() { ::sigaction(SIGPIPE, &old, nullptr); }
  } ignore_pipe;

  ProcessResult result;
  std::string_view input = options.input;
  const double deadline = MonotonicSeconds() + options.timeout_seconds;
  double kill_at = 0;  // once it was told to stop
  while (out.read_end >= 0 || err.read_end >= 0) {
    if (input.empty()) in.CloseWrite();
    if (options.stop != nullptr && *options.stop) {
      if (kill_at == 0) {
        ::kill(-child.pid, options.stop_signal);
        kill_at = MonotonicSeconds() + options.grace_seconds;
      } else if (MonotonicSeconds() > kill_at) {
        throw Error(Code::kCancelled, Cat(argv[0], " did not stop by itself and was killed"));
      }
    }
    pollfd polls[3] = {{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}, {in.write_end, POLLOUT, 0}};
    const double left = deadline - MonotonicSeconds();
    if (left <= 0) {
      throw Error(Code::kResourceExhausted,
                  Cat(argv[0], " did not end within ", FormatDuration(options.timeout_seconds), " and was stopped"));
    }
    if (::poll(polls, 3, static_cast<int>(std::min(left, options.stop == nullptr ? 1.0 : 0.2) * 1000) + 1) < 0 &&
        errno != EINTR) {
      throw Error(Code::kIo, Cat("waiting for ", argv[0], ": ", std::strerror(errno)));
    }
    char buffer[1 << 16];
    const auto drain = [&](int* fd, short events, std::string* to, const std::function<bool(std::string_view)>& hears) {
      if (*fd < 0 || events == 0) return;
      const ssize_t n = ::read(*fd, buffer, sizeof(buffer));
      if (n <= 0) {
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
        Pipe::Close(fd);
        return;
      }
      const bool streams = to == &result.output && hears;
      if (!streams) to->append(buffer, static_cast<size_t>(n));
      if (result.output.size() + result.error_text.size() > options.max_output) {
        throw Error(Code::kResourceExhausted, Cat(argv[0], " wrote more than ", FormatBytes(options.max_output)));
      }
      if (hears && !hears({buffer, static_cast<size_t>(n)})) {
        throw Error(Code::kCancelled, Cat(argv[0], " was stopped"));
      }
    };
    drain(&out.read_end, polls[0].revents, &result.output, options.on_output_text);
    drain(&err.read_end, polls[1].revents, &result.error_text, options.on_error_text);
    if (in.write_end >= 0 && polls[2].revents != 0) {
      const ssize_t n = ::write(in.write_end, input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<size_t>(n));
      if (n < 0 && errno != EAGAIN && errno != EINTR) input = {};
    }
  }
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  child.pid = -1;
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (result.exit_code == 127 && result.output.empty() && result.error_text.empty()) {
    throw Error(Code::kNotFound, Cat("the program '", argv[0], "' could not be started"));
  }
  return result;
}

std::string OwnProgram() {
  char path[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof(path));
  if (n <= 0 || n >= PATH_MAX) return "/proc/self/exe";
  std::string_view own(path, static_cast<size_t>(n));
  // A program that was replaced while it ran: what stands there now is its next version.
  constexpr std::string_view kGone = " (deleted)";
  if (own.ends_with(kGone) && !FileExists(std::string(own))) own.remove_suffix(kGone.size());
  return std::string(own);
}

}  // namespace atelier
