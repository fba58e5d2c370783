// Long work for clients: a few jobs at a time, a bounded number waiting, taken in turn by whose they are, so that one
// client with a hundred jobs holds up nobody else's first.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace atelier::serve {

class RunQueue {
 public:
  using Job = std::function<void()>;  // must not throw

  // An owner with a name may have half of what may wait.
  RunQueue(int threads, size_t most_waiting);
  ~RunQueue() { Stop(); }
  // Runs what still waits (which should see that nobody wants it any more), and ends. More than once is fine.
  void Stop();

  // False when too many wait.
  bool HasRoom(const std::string& owner) const;
  // The same, and nothing is taken. `wanted`: whether somebody still waits for it.
  bool Add(const std::string& owner, Job job, std::function<bool()> wanted);
  // Lets go of jobs that wait and that nobody waits for any more.
  void DropUnwanted();
  size_t waiting() const;
  size_t running() const;

 private:
  struct Waiting {
    Job job;
    std::function<bool()> wanted;
  };
  void Loop();
  bool Full(const std::string& owner) const;

  const size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::deque<Waiting>> jobs_;  // by owner, none empty
  std::map<std::string, uint64_t> turn_;             // when each owner that waits or runs was last served
  std::map<std::string, size_t> at_work_;
  uint64_t clock_ = 0;
  size_t waiting_ = 0, running_ = 0, idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace atelier::serve
