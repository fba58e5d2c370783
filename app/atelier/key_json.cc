#include "app/atelier/key_json.h"

#include "base/ids.h"

namespace atelier::app {

std::string KeyState(const guard::KeyInfo& key) {
  if (key.revoked_at != 0) return "revoked";
  return key.expires_at != 0 && key.expires_at <= NowMillis() ? "expired" : "live";
}

Json KeyJson(const guard::KeyInfo& key) {
  const auto time = [](int64_t millis) { return millis == 0 ? Json() : Json(millis); };
  return {{"id", key.id},
          {"name", key.name},
          {"prefix", key.prefix},
          {"scopes", key.scopes},
          {"requests_per_minute", key.requests_per_minute},
          {"tokens_per_day", key.tokens_per_day},
          {"state", KeyState(key)},
          {"created_at", key.created_at},
          {"expires_at", time(key.expires_at)},
          {"last_used_at", time(key.last_used_at)},
          {"revoked_at", time(key.revoked_at)}};
}

}  // namespace atelier::app
