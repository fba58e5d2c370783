#include "guard/key_limits.h"

#include <algorithm>
#include <vector>

namespace atelier::guard {
namespace {

constexpr int64_t kDayMillis = 86'400'000;

}  // namespace

KeyLimits::KeyLimits(std::function<int64_t()> now_millis, size_t most)
    : now_(std::move(now_millis)), most_(std::max<size_t>(most, 1)) {}

void KeyLimits::MakeRoom() {
  if (uses_.size() < most_) return;
  const auto oldest = std::min_element(uses_.begin(), uses_.end(), [](const auto& a, const auto& b) {
    const bool busy_a = a.second.new_tokens > 0 || a.second.reserved > 0;
    const bool busy_b = b.second.new_tokens > 0 || b.second.reserved > 0;
    return busy_a != busy_b ? busy_b : a.second.touched < b.second.touched;
  });
  uses_.erase(oldest);
}

KeyLimits::Use& KeyLimits::At(const KeyInfo& key, int64_t now) {
  auto found = uses_.find(key.id);
  if (found == uses_.end()) {
    MakeRoom();
    found = uses_.emplace(key.id, Use{}).first;
    found->second.tenant = key.tenant;
  }
  Use& use = found->second;
  const int64_t today = now / kDayMillis;
  if (use.day != today) {  // what is still reserved goes on into the new day
    if ((use.new_tokens > 0 || use.new_requests > 0) && late_.size() < most_) {
      late_.push_back({key.id, use.tenant, use.day, use.new_tokens, use.new_requests});
    }
    use.day = today;
    use.used = use.new_tokens = use.new_requests = 0;
  }
  use.touched = now;
  const auto capacity = static_cast<double>(std::max<int64_t>(key.requests_per_minute, 1));
  if (!use.begun) {
    use.begun = true;
    use.requests = capacity;
  } else if (now > use.refilled_at) {
    const double minutes = static_cast<double>(now - use.refilled_at) / 60'000.0;
    use.requests = std::min(capacity, use.requests + minutes * static_cast<double>(key.requests_per_minute));
  }
  use.refilled_at = std::max(use.refilled_at, now);  // a clock that was set back gives nothing twice
  return use;
}

KeyLimits::Verdict KeyLimits::Admit(const KeyInfo& key, int64_t tokens) {
  std::lock_guard lock(mutex_);
  const int64_t now = now_();
  Use& use = At(key, now);
  tokens = std::max<int64_t>(tokens, 0);
  Verdict verdict;
  if (key.tokens_per_day > 0 && tokens > 0) {
    const int64_t left = key.tokens_per_day - use.used - use.reserved;
    if (tokens > left) {
      verdict = {false, true, static_cast<double>(kDayMillis - now % kDayMillis) / 1000.0};
    }
  }
  if (verdict.allowed && key.requests_per_minute > 0 && use.requests < 1) {
    verdict = {false, false, (1 - use.requests) * 60.0 / static_cast<double>(key.requests_per_minute)};
  }
  if (!verdict.allowed) {
    verdict.retry_after = std::max(verdict.retry_after, 1.0);
    return verdict;
  }
  if (key.requests_per_minute > 0) use.requests -= 1;
  use.reserved += tokens;
  use.new_requests++;
  return verdict;
}

void KeyLimits::Settle(const KeyInfo& key, int64_t reserved, int64_t used) {
  std::lock_guard lock(mutex_);
  Use& use = At(key, now_());
  use.reserved = std::max<int64_t>(use.reserved - std::max<int64_t>(reserved, 0), 0);
  use.used += std::max<int64_t>(used, 0);
  use.new_tokens += std::max<int64_t>(used, 0);
}

int64_t KeyLimits::TokensToday(const KeyInfo& key) const {
  std::lock_guard lock(mutex_);
  const auto found = uses_.find(key.id);
  if (found == uses_.end()) return 0;
  const Use& use = found->second;
  return (use.day == now_() / kDayMillis ? use.used : 0) + use.reserved;
}

size_t KeyLimits::size() const {
  std::lock_guard lock(mutex_);
  return uses_.size();
}

void KeyLimits::Load(store::Database& db, std::string_view tenant) {
  std::lock_guard lock(mutex_);
  const int64_t today = now_() / kDayMillis;
  store::Statement query = db.Prepare("SELECT key_id, tokens FROM key_usage WHERE tenant = ? AND day = ? LIMIT ?");
  query.Bind(tenant, today, static_cast<int64_t>(most_));
  while (query.Step()) {
    Use& use = uses_[query.Text(0)];
    use.tenant = tenant;
    use.day = today;
    use.used += query.Int(1);
  }
}

void KeyLimits::Flush(store::Database& db) {
  std::vector<Row> rows;
  size_t late = 0;
  {
    std::lock_guard lock(mutex_);
    rows = late_;
    late = rows.size();
    for (const auto& [id, use] : uses_) {
      if (use.new_tokens > 0 || use.new_requests > 0) {
        rows.push_back({id, use.tenant, use.day, use.new_tokens, use.new_requests});
      }
    }
  }
  if (rows.empty()) return;
  store::Transaction transaction(db);
  for (const Row& row : rows) {
    db.Run(
        "INSERT INTO key_usage (tenant, key_id, day, requests, tokens) SELECT tenant, id, ?3, ?4, ?5 FROM api_keys "
        "WHERE tenant = ?1 AND id = ?2 ON CONFLICT (tenant, key_id, day) DO UPDATE SET "
        "requests = requests + excluded.requests, tokens = tokens + excluded.tokens",
        row.tenant, row.id, row.day, row.requests, row.tokens);
  }
  transaction.Commit();
  std::lock_guard lock(mutex_);  // only what was written is forgotten
  late_.erase(late_.begin(), late_.begin() + static_cast<std::ptrdiff_t>(late));
  for (size_t i = late; i < rows.size(); ++i) {
    const auto found = uses_.find(rows[i].id);
    if (found == uses_.end()) continue;
    if (found->second.day == rows[i].day) {
      found->second.new_tokens -= rows[i].tokens;
      found->second.new_requests -= rows[i].requests;
      continue;
    }
    for (Row& row : late_) {  // the day ended while its use was being written
      if (row.id != rows[i].id || row.day != rows[i].day) continue;
      row.tokens -= rows[i].tokens;
      row.requests -= rows[i].requests;
    }
  }
}

}  // namespace atelier::guard
