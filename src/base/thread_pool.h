// A fork-join pool for numeric work: a fixed set of threads, each call runs one function on all of them and waits.
// Workers spin for some microseconds before they sleep, so that the hundreds of small steps of one token cost no
// system call. One caller at a time; not re-entrant.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace atelier {

class ThreadPool {
 public:
  // `threads` counts the caller, so 1 starts none. Throws kResourceExhausted where the system gives fewer.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs task(thread) for thread 0..size()-1, thread 0 on the caller. `task` must not throw.
  void Run(const std::function<void(int thread)>& task);

  // How long to spin before sleeping, and one turn of it: about 50 microseconds, longer than the gap between two steps
  // of a token, shorter than anyone would notice.
  static constexpr int kSpins = 1000;
  static void Pause();

  // How many processors this process may use (affinity respected), at least 1.
  static int DefaultThreads();

 private:
  void Work(int thread);
  void Stop();

  const std::function<void(int)>* task_ = nullptr;
  std::atomic<uint32_t> generation_{0};
  std::atomic<int> running_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

// The part of [0, total) that falls to `thread` of `threads`, in multiples of `grain`: a static split, the same always.
struct Span1 {
  int64_t begin, end;
};
Span1 SplitRange(int64_t total, int64_t grain, int thread, int threads);

}  // namespace atelier
