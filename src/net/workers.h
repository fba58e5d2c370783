// A bounded set of threads with a bounded queue: a task is taken or refused, never piled up.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace atelier::net {

class Workers {
 public:
  Workers(int threads, int queue);  // threads >= 1; tasks must not throw
  ~Workers();                       // Stop()
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  bool Submit(std::function<void()> task);  // false: the queue is full, or it stopped
  void Stop();                              // drops what waits, waits for what runs; not from a task

 private:
  void Work();
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  size_t idle_ = 0;  // threads that wait for a task
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace atelier::net
