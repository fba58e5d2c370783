// Blocks through several workers and out again in their order.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace atelier::data::clean {

// The caller's thread reads blocks and absorbs results; threads - 1 others work. With one thread everything happens on
// the caller's. An error on any side ends all and is thrown by Run.
template <typename Context, typename Result>
class BlockQueue {
 public:
  using Work = std::function<void(Context* context, std::string_view block, Result* result)>;
  using Absorb = std::function<void(const Result& result)>;
  using Source = std::function<void(const std::function<bool(std::string_view)>&)>;

  static void Run(int threads, const std::function<std::unique_ptr<Context>()>& make, const Source& source,
                  const Work& work, const Absorb& absorb) {
    if (threads <= 1) {
      const std::unique_ptr<Context> context = make();
      Result result;
      source([&](std::string_view block) {
        result.Clear();
        work(context.get(), block, &result);
        absorb(result);
        return true;
      });
      return;
    }
    BlockQueue queue(work);
    std::vector<std::thread> workers;
    const auto stop = [&] {
      {
        std::lock_guard lock(queue.mutex_);
        queue.stopping_ = true;
      }
      queue.wake_.notify_all();
      for (std::thread& worker : workers) worker.join();
    };
    try {
      for (int i = 1; i < threads; ++i) {
        workers.emplace_back([&queue, context = std::shared_ptr<Context>(make())] { queue.Serve(context.get()); });
      }
      const size_t most = 2 * static_cast<size_t>(threads);
      source([&](std::string_view block) {
        if (queue.jobs_in_order_.size() >= most) queue.AbsorbNext(absorb);
        queue.Push(block);
        return true;
      });
      while (!queue.jobs_in_order_.empty()) queue.AbsorbNext(absorb);
    } catch (...) {
      stop();
      throw;
    }
    stop();
  }

 private:
  struct Job {
    std::string block;
    Result result;
    std::exception_ptr error;
    bool done = false;
  };

  explicit BlockQueue(const Work& work) : work_(work) {}

  void Push(std::string_view block) {
    std::unique_ptr<Job> job;
    if (!spare_.empty()) {
      job = std::move(spare_.back());
      spare_.pop_back();
    } else {
      job = std::make_unique<Job>();
    }
    job->block.assign(block);
    job->done = false;
    {
      std::lock_guard lock(mutex_);
      waiting_.push_back(job.get());
    }
    jobs_in_order_.push_back(std::move(job));
    wake_.notify_one();
  }

  void AbsorbNext(const Absorb& absorb) {
    std::unique_ptr<Job> job = std::move(jobs_in_order_.front());
    jobs_in_order_.pop_front();
    {
      std::unique_lock lock(mutex_);
      finished_.wait(lock, [&] { return job->done; });
    }
    if (job->error) std::rethrow_exception(job->error);
    absorb(job->result);
    spare_.push_back(std::move(job));
  }

  void Serve(Context* context) {
    while (true) {
      Job* job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        job = waiting_.front();
        waiting_.pop_front();
      }
      try {
        job->result.Clear();
        work_(context, job->block, &job->result);
      } catch (...) {
        job->error = std::current_exception();
      }
      {
        std::lock_guard lock(mutex_);
        job->done = true;
      }
      finished_.notify_all();
    }
  }

  const Work& work_;
  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  std::deque<Job*> waiting_;
  bool stopping_ = false;
  std::deque<std::unique_ptr<Job>> jobs_in_order_;  // the caller's thread alone
  std::vector<std::unique_ptr<Job>> spare_;
};

}  // namespace atelier::data::clean
