// What the server writes into its studio's database: one thread, a connection of its own, many writes in a transaction.
//
// While the database takes no writes (another process holds it, the disk is full, the file is read-only or away), what
// must not be lost waits in memory in its order and is tried again until it is in. Nothing is called written before its
// transaction was committed and synced.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "store/database.h"

namespace atelier::serve {

class Ledger {
 public:
  // Runs inside a transaction on the ledger's thread, perhaps more than once: the database, and nothing else that
  // lasts, may be changed.
  using Work = std::function<void(store::Database& db)>;

  // While `most_bytes` are kept, HasRoom is false.
  explicit Ledger(std::string path, size_t most_bytes = size_t{64} << 20);
  // Tries for a moment to write what is kept, and logs what it could not.
  ~Ledger();

  // Writes, then calls `done` on the ledger's thread, which it must not hold up: with nothing, with what `work` threw,
  // or with kUnavailable when it is not in after so many seconds or too many wait; then it is not written later either.
  void Write(Work work, double seconds, std::function<void(std::exception_ptr error)> done);

  // Works that belong together.
  class Group {
    friend class Ledger;
    size_t waiting_ = 0;
    bool failed_ = false;
  };
  // Will be written as soon as the database takes it. What `work` throws is logged, and the others go on.
  void Keep(Work work, size_t bytes, std::shared_ptr<Group> group);
  // Whether all of the group is written by then.
  bool WaitFor(const Group& group, double seconds);
  // False while too much is kept: nothing that will have to be kept should begin, or go on.
  bool HasRoom() const;

  struct State {
    size_t waiting = 0, bytes = 0;
    uint64_t written = 0, failed = 0;  // works
    std::string trouble;               // why the database takes nothing now; "" while all is well
  };
  State state() const;

 private:
  struct Entry;
  using Entries = std::deque<std::shared_ptr<Entry>>;
  void Loop();
  // Tries them in one transaction; false when the database took none.
  bool Try(const Entries& batch);
  void Open();
  bool Trouble(const std::string& why);
  // What is settled leaves the queue; called with the lock, which is open while their `done` is called.
  void Settle(Entries settled, std::unique_lock<std::mutex>* lock);
  Entries TakeLate();

  const std::string path_;
  const size_t most_bytes_;
  std::optional<store::Database> db_;  // the thread's

  mutable std::mutex mutex_;
  std::condition_variable wake_, settled_;
  Entries queue_;
  size_t bytes_ = 0, asking_ = 0;  // kept; writes that somebody waits for
  uint64_t written_ = 0, failed_ = 0;
  std::string trouble_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace atelier::serve
