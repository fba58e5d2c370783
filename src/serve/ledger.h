// What the server writes into its studio's database: one thread, a connection of its own, many writes in a transaction.
//
// While the database takes no writes (another process holds it, the disk is full, the file is read-only), what must not
// be lost waits in memory in its order, at most `most_bytes` of it, and is tried again until it is in. Nothing is
// called written before its transaction was committed and synced.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
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

  explicit Ledger(std::string path, size_t most_bytes = size_t{64} << 20);
  // Tries for a moment to write what waits, and logs what it could not.
  ~Ledger();

  // Writes, or throws: what `work` threw, or kUnavailable when it is not in after so many seconds; then it is not
  // written later either.
  void Write(Work work, double seconds);

  // Will be written as soon as the database takes it. What `work` throws is logged, and the others go on.
  void Keep(Work work, size_t bytes);
  // Whether all that was kept so far is written by then.
  bool WaitForKept(double seconds);
  // False while too much waits: no new work that will have to be kept should begin.
  bool HasRoom() const;

  struct State {
    size_t waiting = 0, bytes = 0;
    uint64_t written = 0, failed = 0;  // works
    std::string trouble;               // why the database takes nothing now; "" while all is well
  };
  State state() const;

 private:
  struct Entry;
  void Loop();
  // Tries them in one transaction; false when the database took none.
  bool Try(const std::deque<std::shared_ptr<Entry>>& batch);
  bool Trouble(const std::string& why);

  const std::string path_;
  const size_t most_bytes_;
  std::optional<store::Database> db_;  // the thread's

  mutable std::mutex mutex_;
  std::condition_variable wake_, settled_;
  std::deque<std::shared_ptr<Entry>> queue_;
  size_t bytes_ = 0;
  uint64_t kept_ = 0, kept_done_ = 0, written_ = 0, failed_ = 0;
  std::string trouble_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace atelier::serve
