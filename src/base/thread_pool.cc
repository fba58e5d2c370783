#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <system_error>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/error.h"
#include "base/str.h"

namespace atelier {

void ThreadPool::Pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

ThreadPool::ThreadPool(int threads) {
  workers_.reserve(static_cast<size_t>(std::max(threads, 1)));
  try {
    for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { Work(thread); });
  } catch (const std::system_error& why) {
    const size_t started = workers_.size() + 1;
    Stop();  // a thread that nobody joins would end the program
    throw Error(Code::kResourceExhausted,
                Cat("only ", started, " of ", threads, " threads could be started: ", why.code().message()),
                "ask for fewer threads (-t), or raise the limit of processes or memory");
  }
}

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Stop() {
  stopping_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void ThreadPool::Run(const std::function<void(int)>& task) {
  if (workers_.empty()) {
    task(0);
    return;
  }
  task_ = &task;
  running_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  task(0);
  for (int spins = 0; spins < kSpins; ++spins) {
    if (running_.load(std::memory_order_acquire) == 0) return;
    Pause();
  }
  for (int left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    running_.wait(left, std::memory_order_acquire);
  }
}

void ThreadPool::Work(int thread) {
  uint32_t seen = 0;
  while (true) {
    int spins = 0;
    uint32_t now = generation_.load(std::memory_order_acquire);
    while (now == seen) {
      if (++spins < kSpins) {
        Pause();
      } else {
        generation_.wait(seen, std::memory_order_acquire);
      }
      now = generation_.load(std::memory_order_acquire);
    }
    seen = now;
    if (stopping_.load()) return;
    (*task_)(thread);
    if (running_.fetch_sub(1, std::memory_order_release) == 1) running_.notify_all();
  }
}

int ThreadPool::DefaultThreads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

Span1 SplitRange(int64_t total, int64_t grain, int thread, int threads) {
  const int64_t pieces = (total + grain - 1) / grain;
  const int64_t begin = pieces * thread / threads * grain;
  const int64_t end = pieces * (thread + 1) / threads * grain;
  return {std::min(begin, total), std::min(end, total)};
}

}  // namespace atelier
