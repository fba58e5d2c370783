#include "serve/embedding_queue.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/str.h"

namespace atelier::serve {
namespace {

// What is computed before anybody else gets a turn: some tenths of a second.
constexpr size_t kRoundTexts = 128, kRoundBytes = 24 << 10;
constexpr size_t kMostCounted = 2048;  // bytes of one text; more than that is cut off by the model's context

}  // namespace

struct EmbeddingQueue::Job : artefact::Ticket {
  void Cancel() override { cancelled = true; }

  std::string owner;
  std::vector<std::string> texts;
  artefact::Embedder::Role role = artefact::Embedder::Role::kPassage;
  DoneFn done;
  size_t taken = 0, bytes = 0;
  Result result;
  std::atomic<bool> cancelled{false};
};

EmbeddingQueue::EmbeddingQueue(std::shared_ptr<artefact::Embedder> model, size_t most_waiting)
    : model_(std::move(model)), most_(most_waiting), thread_([this] { Loop(); }) {}

EmbeddingQueue::~EmbeddingQueue() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (auto& [owner, jobs] : jobs_) {
    for (const auto& job : jobs) {
      job->done(std::move(job->result),
                std::make_exception_ptr(Error(Code::kUnavailable, "the model was stopped", "try again in a moment")));
    }
  }
}

void EmbeddingQueue::Check(const std::string& owner) const {
  const auto mine = of_owner_.find(owner);
  const size_t own = mine == of_owner_.end() ? 0 : mine->second;
  if (waiting_ >= most_ || bytes_ >= kMostBytes || (!owner.empty() && own >= std::max<size_t>(1, most_ / 2))) {
    throw Error(Code::kResourceExhausted, Cat(waiting_, " requests wait for this model already"),
                "try again in a moment");
  }
}

void EmbeddingQueue::CheckRoom(const std::string& owner) const {
  const std::lock_guard lock(mutex_);
  Check(owner);
}

std::shared_ptr<artefact::Ticket> EmbeddingQueue::Submit(const std::string& owner, std::vector<std::string> texts,
                                                         artefact::Embedder::Role role, DoneFn done) {
  auto job = std::make_shared<Job>();
  job->owner = owner;
  job->texts = std::move(texts);
  job->role = role;
  job->done = std::move(done);
  for (const std::string& text : job->texts) job->bytes += text.size();
  if (job->texts.empty()) {
    job->done({}, nullptr);
    return job;
  }
  {
    const std::lock_guard lock(mutex_);
    Check(owner);
    ++waiting_;
    ++of_owner_[owner];
    bytes_ += job->bytes;
    jobs_[owner].push_back(job);
  }
  wake_.notify_one();
  return job;
}

EmbeddingQueue::Load EmbeddingQueue::load() const {
  const std::lock_guard lock(mutex_);
  Load load = counted_;
  load.waiting = waiting_;
  return load;
}

// Text by text, owner by owner and within an owner request by request, beginning with whose turn it is; all of one
// role, which is the first one's.
std::vector<EmbeddingQueue::Part> EmbeddingQueue::NextRound() {
  std::vector<Part> round;
  size_t bytes = 0;
  auto at = jobs_.upper_bound(last_owner_);
  if (at == jobs_.end()) at = jobs_.begin();
  const artefact::Embedder::Role role = at->second.front()->role;
  last_owner_ = at->first;
  for (size_t idle = 0; !jobs_.empty() && idle < jobs_.size() && round.size() < kRoundTexts && bytes < kRoundBytes;) {
    const std::shared_ptr<Job> job = at->second.front();
    if (job->role != role) {
      ++idle;
      ++at;
    } else {
      idle = 0;
      bytes += std::min(job->texts[job->taken].size(), kMostCounted);
      round.push_back({job, job->taken++});
      at->second.pop_front();  // and behind the owner's other requests, where there is more of it
      if (job->taken < job->texts.size()) at->second.push_back(job);
      at = at->second.empty() ? jobs_.erase(at) : std::next(at);
    }
    if (at == jobs_.end()) at = jobs_.begin();
  }
  return round;
}

void EmbeddingQueue::DropCancelled(std::vector<std::shared_ptr<Job>>* ended) {
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    std::erase_if(at->second, [&](const auto& job) {
      if (job->cancelled) ended->push_back(job);
      return job->cancelled.load();
    });
    at = at->second.empty() ? jobs_.erase(at) : std::next(at);
  }
}

void EmbeddingQueue::Loop() {
  const auto dims = static_cast<size_t>(model_->dims());
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return ending_ || !jobs_.empty(); });
    if (ending_) return;
    std::vector<std::shared_ptr<Job>> ended;
    DropCancelled(&ended);
    std::exception_ptr error;
    if (!jobs_.empty()) {
      const std::vector<Part> round = NextRound();
      lock.unlock();
      std::vector<std::string> texts;
      for (const Part& part : round) texts.push_back(std::move(part.job->texts[part.text]));
      std::vector<bool> truncated;
      std::vector<float> vectors;
      try {
        vectors = model_->Embed(texts, round.front().job->role, &truncated);
      } catch (...) {
        error = std::current_exception();
      }
      for (size_t i = 0; i < round.size() && !error; ++i) {
        Result& result = round[i].job->result;
        const auto from = vectors.begin() + static_cast<std::ptrdiff_t>(i * dims);
        result.vectors.insert(result.vectors.end(), from, from + static_cast<std::ptrdiff_t>(dims));
        result.truncated.push_back(truncated[i]);
      }
      lock.lock();
      ++counted_.rounds;
      counted_.texts += static_cast<int64_t>(round.size());
      for (const Part& part : round) {
        const std::shared_ptr<Job>& job = part.job;
        const bool over = error || job->taken == job->texts.size();
        if (!over || std::find(ended.begin(), ended.end(), job) != ended.end()) continue;
        ended.push_back(job);
        if (job->taken == job->texts.size()) continue;  // left the queue when its last text was taken
        auto& mine = jobs_[job->owner];
        std::erase(mine, job);
        if (mine.empty()) jobs_.erase(job->owner);
      }
    }
    for (const auto& job : ended) {
      --waiting_;
      bytes_ -= job->bytes;
      if (--of_owner_[job->owner] == 0) of_owner_.erase(job->owner);
    }
    lock.unlock();
    for (const auto& job : ended) {
      std::exception_ptr why = job->result.truncated.size() == job->texts.size() ? nullptr : error;
      if (!why && job->result.truncated.size() < job->texts.size())
        why = std::make_exception_ptr(Error(Code::kCancelled, "the request was cancelled"));
      job->done(std::move(job->result), why);
    }
    ended.clear();
    lock.lock();
  }
}

}  // namespace atelier::serve
