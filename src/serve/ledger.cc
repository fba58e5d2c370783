#include "serve/ledger.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/str.h"

namespace atelier::serve {
namespace {

constexpr int kBusyMillis = 500;
constexpr double kRetrySeconds = 0.25, kLastSeconds = 3;
constexpr size_t kMostBatch = 256, kMostAsking = 1024;

// Passes by itself, or when somebody frees the disk: the same write is worth trying again.
bool Passing(Code code) {
  return code == Code::kUnavailable || code == Code::kResourceExhausted || code == Code::kPermissionDenied ||
         code == Code::kIo;
}

std::chrono::duration<double> Seconds(double seconds) { return std::chrono::duration<double>(seconds); }

std::exception_ptr Refusal(const std::string& trouble) {
  return std::make_exception_ptr(
      Error(Code::kUnavailable, Cat("the studio's database takes no writes now", trouble.empty() ? "" : ": ", trouble),
            "nothing was stored; try again later"));
}

}  // namespace

struct Ledger::Entry {
  Work work;
  size_t bytes = 0;
  std::shared_ptr<Group> group;                        // of what is kept
  std::function<void(std::exception_ptr error)> done;  // else
  double until = 0;                                    // MonotonicSeconds, where somebody waits
  std::exception_ptr error;
};

Ledger::Ledger(std::string path, size_t most_bytes) : path_(std::move(path)), most_bytes_(most_bytes) {
  thread_ = std::thread([this] { Loop(); });
}

Ledger::~Ledger() {
  {
    std::unique_lock lock(mutex_);
    settled_.wait_for(lock, Seconds(kLastSeconds), [&] { return queue_.empty(); });
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (!queue_.empty())
    Log(LogLevel::kError, "not stored", {{"writes", Cat(queue_.size())}, {"bytes", Cat(bytes_)}, {"why", trouble_}});
}

void Ledger::Write(Work work, double seconds, std::function<void(std::exception_ptr error)> done) {
  const auto entry = std::make_shared<Entry>();
  entry->work = std::move(work);
  entry->done = std::move(done);
  entry->until = MonotonicSeconds() + seconds;
  {
    const std::lock_guard lock(mutex_);
    if (asking_ < kMostAsking) {
      ++asking_;
      queue_.push_back(entry);
      wake_.notify_one();
      return;
    }
    entry->error = Refusal(trouble_);
  }
  entry->done(entry->error);
}

void Ledger::Keep(Work work, size_t bytes, std::shared_ptr<Group> group) {
  const auto entry = std::make_shared<Entry>();
  entry->work = std::move(work);
  entry->bytes = bytes;
  entry->group = std::move(group);
  const std::lock_guard lock(mutex_);
  ++entry->group->waiting_;
  bytes_ += bytes;
  queue_.push_back(entry);
  wake_.notify_one();
}

bool Ledger::WaitFor(const Group& group, double seconds) {
  std::unique_lock lock(mutex_);
  return settled_.wait_for(lock, Seconds(seconds), [&] { return group.waiting_ == 0; }) && !group.failed_;
}

bool Ledger::HasRoom() const {
  const std::lock_guard lock(mutex_);
  return bytes_ < most_bytes_;
}

Ledger::State Ledger::state() const {
  const std::lock_guard lock(mutex_);
  return {queue_.size(), bytes_, written_, failed_, trouble_};
}

bool Ledger::Trouble(const std::string& why) {
  db_.reset();  // the file may be another by now, or may be written again
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) Log(LogLevel::kError, "database takes no writes", {{"why", why}});
  trouble_ = why;
  return false;
}

void Ledger::Open() {
  db_.emplace(store::Database::OpenExisting(path_));
  db_->WaitForWriters(kBusyMillis);
  if (db_->QueryInt("SELECT count(*) FROM sqlite_master") == 0)
    throw Error(Code::kUnavailable, Cat(path_, ": is empty"), "put the studio's database back");
}

bool Ledger::Try(const Entries& batch) {
  try {
    if (!db_) Open();
    store::Transaction transaction(*db_);
    for (const auto& entry : batch) {
      entry->error = nullptr;
      db_->Execute("SAVEPOINT entry");
      try {
        entry->work(*db_);
      } catch (const Error& error) {
        if (Passing(error.code())) throw;
        entry->error = std::current_exception();
      } catch (...) {
        entry->error = std::current_exception();
      }
      if (entry->error) db_->Execute("ROLLBACK TO entry");
      db_->Execute("RELEASE entry");
    }
    transaction.Commit();
    return true;
  } catch (const Error& error) {
    return Trouble(error.Line());
  } catch (const std::exception& error) {  // out of memory
    return Trouble(error.what());
  }
}

Ledger::Entries Ledger::TakeLate() {
  Entries late;
  const double now = MonotonicSeconds();
  for (const auto& entry : queue_) {
    if (entry->group != nullptr || (entry->until > now && !ending_)) continue;
    entry->error = Refusal(trouble_);
    late.push_back(entry);
  }
  std::erase_if(queue_, [&](const auto& entry) { return std::find(late.begin(), late.end(), entry) != late.end(); });
  return late;
}

void Ledger::Settle(Entries settled, std::unique_lock<std::mutex>* lock) {
  for (const auto& entry : settled) {
    entry->error ? ++failed_ : ++written_;
    if (entry->group == nullptr) {
      --asking_;
      continue;
    }
    bytes_ -= entry->bytes;
    --entry->group->waiting_;
    entry->group->failed_ |= entry->error != nullptr;
  }
  lock->unlock();
  settled_.notify_all();
  for (const auto& entry : settled) {
    if (entry->done) {
      entry->done(entry->error);
    } else if (entry->error) {
      try {
        std::rethrow_exception(entry->error);
      } catch (const std::exception& error) {
        Log(LogLevel::kError, "not stored", {{"why", error.what()}});
      }
    }
  }
  settled.clear();  // what they hold goes without the lock
  lock->lock();
}

void Ledger::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Entries batch(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMostBatch)));
    lock.unlock();
    const bool taken = Try(batch);
    lock.lock();
    if (taken) {
      if (!trouble_.empty()) Log(LogLevel::kInfo, "database takes writes again");
      trouble_.clear();
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
      Settle(std::move(batch), &lock);
      continue;
    }
    batch.clear();
    Settle(TakeLate(), &lock);
    if (ending_) return;
    wake_.wait_for(lock, Seconds(kRetrySeconds), [&] { return ending_; });
  }
}

}  // namespace atelier::serve
