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
constexpr size_t kMostBatch = 256;

// Passes by itself, or when somebody frees the disk: the same write is worth trying again.
bool Passing(Code code) {
  return code == Code::kUnavailable || code == Code::kResourceExhausted || code == Code::kPermissionDenied ||
         code == Code::kIo;
}

std::chrono::duration<double> Seconds(double seconds) { return std::chrono::duration<double>(seconds); }

}  // namespace

struct Ledger::Entry {
  Work work;
  size_t bytes = 0;
  bool kept = false;     // else somebody waits for it
  bool running = false;  // in the transaction that is tried now
  bool done = false;
  std::exception_ptr error;  // of the work itself
};

Ledger::Ledger(std::string path, size_t most_bytes) : path_(std::move(path)), most_bytes_(most_bytes) {
  thread_ = std::thread([this] { Loop(); });
}

Ledger::~Ledger() {
  WaitForKept(kLastSeconds);
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (!queue_.empty())
    Log(LogLevel::kError, "not stored", {{"writes", Cat(queue_.size())}, {"bytes", Cat(bytes_)}, {"why", trouble_}});
}

void Ledger::Write(Work work, double seconds) {
  const auto entry = std::make_shared<Entry>();
  entry->work = std::move(work);
  std::unique_lock lock(mutex_);
  queue_.push_back(entry);
  wake_.notify_one();
  settled_.wait_for(lock, Seconds(seconds), [&] { return entry->done; });
  if (entry->running) settled_.wait(lock, [&] { return !entry->running; });  // its fate is decided in a moment
  if (!entry->done) {
    std::erase(queue_, entry);
    throw Error(Code::kUnavailable,
                Cat("the studio's database takes no writes now", trouble_.empty() ? "" : ": ", trouble_),
                "nothing was stored; try again later");
  }
  if (entry->error) std::rethrow_exception(entry->error);
}

void Ledger::Keep(Work work, size_t bytes) {
  const auto entry = std::make_shared<Entry>();
  entry->work = std::move(work);
  entry->bytes = bytes;
  entry->kept = true;
  const std::lock_guard lock(mutex_);
  queue_.push_back(entry);
  bytes_ += bytes;
  ++kept_;
  wake_.notify_one();
}

bool Ledger::WaitForKept(double seconds) {
  std::unique_lock lock(mutex_);
  const uint64_t wanted = kept_;
  return settled_.wait_for(lock, Seconds(seconds), [&] { return kept_done_ >= wanted; });
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
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) Log(LogLevel::kError, "database takes no writes", {{"why", why}});
  trouble_ = why;
  return false;
}

bool Ledger::Try(const std::deque<std::shared_ptr<Entry>>& batch) {
  try {
    if (!db_) {
      db_.emplace(store::Database::Open(path_));
      db_->WaitForWriters(kBusyMillis);
    }
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
    if (error.code() == Code::kIo) db_.reset();  // the file may be another by now
    return Trouble(error.Line());
  } catch (const std::exception& error) {  // out of memory
    return Trouble(error.what());
  }
}

void Ledger::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    if (queue_.empty() || (ending_ && !trouble_.empty())) return;
    std::deque<std::shared_ptr<Entry>> batch(
        queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMostBatch)));
    for (const auto& entry : batch) entry->running = true;
    lock.unlock();
    const bool taken = Try(batch);
    lock.lock();
    for (const auto& entry : batch) entry->running = false;
    if (taken) {
      if (!trouble_.empty()) Log(LogLevel::kInfo, "database takes writes again");
      trouble_.clear();
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
      for (const auto& entry : batch) {
        entry->done = true;
        entry->error ? ++failed_ : ++written_;
        if (!entry->kept) continue;
        bytes_ -= entry->bytes;
        ++kept_done_;
        if (!entry->error) continue;
        try {
          std::rethrow_exception(entry->error);
        } catch (const std::exception& error) {
          Log(LogLevel::kError, "not stored", {{"why", error.what()}});
        }
      }
    }
    settled_.notify_all();
    if (!taken) wake_.wait_for(lock, Seconds(kRetrySeconds), [&] { return ending_; });
  }
}

}  // namespace atelier::serve
