#include "serve/run_queue.h"

#include <algorithm>
#include <utility>

namespace atelier::serve {

RunQueue::RunQueue(int threads, size_t most_waiting) : most_(most_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

void RunQueue::Stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool RunQueue::Full(const std::string& owner) const {
  if (ending_ || waiting_ >= most_ + idle_) return true;
  const auto own = jobs_.find(owner);
  return !owner.empty() && own != jobs_.end() && own->second.size() >= std::max<size_t>(1, most_ / 2);
}

bool RunQueue::HasRoom(const std::string& owner) const {
  const std::lock_guard lock(mutex_);
  return !Full(owner);
}

bool RunQueue::Add(const std::string& owner, Job job, std::function<bool()> wanted) {
  const std::lock_guard lock(mutex_);
  if (Full(owner)) return false;
  jobs_[owner].push_back({std::move(job), std::move(wanted)});
  ++waiting_;
  wake_.notify_one();
  return true;
}

void RunQueue::DropUnwanted() {
  std::vector<Waiting> unwanted;  // ends after the lock: what a job holds may be anything
  const std::lock_guard lock(mutex_);
  for (auto& [owner, jobs] : jobs_) {
    for (Waiting& one : jobs) {
      if (!one.wanted()) unwanted.push_back(std::exchange(one, {}));
    }
    std::erase_if(jobs, [](const Waiting& one) { return one.job == nullptr; });
  }
  std::erase_if(jobs_, [](const auto& entry) { return entry.second.empty(); });
  waiting_ -= unwanted.size();
}

size_t RunQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

size_t RunQueue::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void RunQueue::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [&] { return ending_ || waiting_ > 0; });
    --idle_;
    if (waiting_ == 0) return;
    // Whoever has least at work, then whoever was served longest ago.
    const auto next = std::min_element(jobs_.begin(), jobs_.end(), [&](const auto& a, const auto& b) {
      const size_t work_a = at_work_[a.first], work_b = at_work_[b.first];
      return work_a != work_b ? work_a < work_b : turn_[a.first] < turn_[b.first];
    });
    const std::string owner = next->first;
    Job job = std::move(next->second.front().job);
    next->second.pop_front();
    if (next->second.empty()) jobs_.erase(next);
    --waiting_;
    ++running_;
    ++at_work_[owner];
    turn_[owner] = ++clock_;
    lock.unlock();
    job();
    job = nullptr;  // what it holds goes without the lock
    lock.lock();
    --running_;
    if (--at_work_[owner] == 0) at_work_.erase(owner);
    if (!at_work_.contains(owner) && !jobs_.contains(owner)) turn_.erase(owner);
  }
}

}  // namespace atelier::serve
