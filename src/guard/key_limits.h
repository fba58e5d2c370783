// How much a key may ask for: a bucket of requests that refills all the time, and a number of tokens per day (UTC). In
// memory, bounded, from any thread; Load and Flush carry the day's tokens over a restart.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "guard/authenticator.h"
#include "store/database.h"

namespace atelier::guard {

class KeyLimits {
 public:
  // `most` keys are remembered; beyond that the one that was used least recently is forgotten, those that spent
  // something which is not written yet last.
  explicit KeyLimits(std::function<int64_t()> now_millis = NowMillis, size_t most = 10'000);

  struct Verdict {
    bool allowed = true;
    bool quota = false;      // it was the day's tokens, not the rate
    double retry_after = 0;  // seconds until it would be allowed, at least 1
  };
  // Takes one request out of the bucket (which holds a minute's requests, at least one) and reserves `tokens` of the
  // day's; takes nothing when it refuses. Concurrent requests that reserve what they may use never exceed the quota.
  Verdict Admit(const KeyInfo& key, int64_t tokens = 0);
  // What was really used, of what was reserved. Once for each Admit that allowed.
  void Settle(const KeyInfo& key, int64_t reserved, int64_t used);

  int64_t TokensToday(const KeyInfo& key) const;  // used and reserved
  size_t size() const;

  // Adds what the database knows of today to keys of the tenant; once, at the start.
  void Load(store::Database& db, std::string_view tenant);
  // Adds to the database what was used since the last Flush, for keys that it knows.
  void Flush(store::Database& db);

 private:
  struct Use {
    std::string tenant;
    double requests = 0;      // in the bucket
    int64_t refilled_at = 0;  // Unix milliseconds
    int64_t day = 0;          // of what follows
    int64_t used = 0, reserved = 0;
    int64_t new_tokens = 0, new_requests = 0;  // not written yet
    int64_t touched = 0;
    bool begun = false;
  };
  struct Row {  // of key_usage, to be added
    std::string id, tenant;
    int64_t day, tokens, requests;
  };
  Use& At(const KeyInfo& key, int64_t now);
  void MakeRoom();

  const std::function<int64_t()> now_;
  const size_t most_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Use> uses_;  // by the key's id
  std::vector<Row> late_;                      // of days that ended before they were written; at most `most`
};

}  // namespace atelier::guard
