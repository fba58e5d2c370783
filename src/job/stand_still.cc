#include "job/stand_still.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/ids.h"
#include "store/foreground.h"

namespace atelier::job {
namespace {

std::atomic<bool> held{false};

int HoldSignal() { return SIGRTMIN + 5; }

void Sleep(long milliseconds) {
  const timespec span{0, milliseconds * 1'000'000};
  ::nanosleep(&span, nullptr);
}

// The handler: only async-signal-safe calls. Other signals are heard meanwhile.
void WaitWhileHeld(int) {
  const int before = errno;
  while (held.load(std::memory_order_relaxed)) Sleep(3);
  errno = before;
}

// Signals all threads but this one. Any of them may hold the allocator's lock by now: nothing here allocates.
void HoldOthers() {
  const int folder = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  const auto own = static_cast<pid_t>(::syscall(SYS_gettid));
  alignas(8) char buffer[4096];
  long bytes = 0;
  while ((bytes = ::syscall(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0) {
    for (long at = 0; at < bytes;) {
      const char* entry = buffer + at;
      uint16_t length = 0;
      __builtin_memcpy(&length, entry + 16, sizeof(length));  // linux_dirent64: inode, offset, length, kind, name
      pid_t thread = 0;
      for (const char* digit = entry + 19; *digit >= '0' && *digit <= '9'; ++digit)
        thread = 10 * thread + (*digit - '0');
      if (thread > 0 && thread != own) ::syscall(SYS_tgkill, ::getpid(), thread, HoldSignal());
      at += length;
    }
  }
  ::close(folder);
}

}  // namespace

bool Courtesy::Waits(bool taken, double now) {
  if (taken) last_taken_ = now;
  if (now - last_taken_ >= kQuiet) {
    since_ = now;
    return false;
  }
  if (now - since_ >= kWait + kTurn) since_ = now;  // the turn is over
  return now - since_ < kWait;
}

StandStill::StandStill(const std::string& foreground, const std::atomic<bool>& stop) {
  struct sigaction action {};
  action.sa_handler = WaitWhileHeld;
  action.sa_flags = SA_RESTART;
  ::sigaction(HoldSignal(), &action, nullptr);
  watcher_ = std::thread([this, foreground, &stop] { Watch(foreground, stop); });
}

StandStill::~StandStill() {
  ending_ = true;
  watcher_.join();
}

void StandStill::Watch(const std::string& path, const std::atomic<bool>& stop) {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // those who compute hear Ctrl-C
  store::Foreground foreground(path);
  Courtesy courtesy;
  while (!ending_) {
    const bool holds = !stop && courtesy.Waits(foreground.Taken(), MonotonicSeconds());
    if (holds && !held.exchange(true)) HoldOthers();
    if (!holds) held = false;
    Sleep(4);
  }
  held = false;
}

}  // namespace atelier::job
