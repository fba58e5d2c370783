// Who sends a request. One interface: API keys now (keys.h); a trusted proxy's header and OIDC later.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::guard {

// What a request shows of its sender.
struct Credentials {
  std::string_view authorization;  // the header of that name, "" where there is none
  std::string_view peer;           // the connection's other end: "10.0.0.7"
  std::function<std::optional<std::string_view>(std::string_view name)> header;  // any other header; may be empty
};

// Somebody who was recognised, and what they may do.
struct KeyInfo {
  std::string id, tenant, name, prefix;                      // prefix: of the key, for people: "atl_3fQz..."
  std::vector<std::string> scopes;                           // sorted
  int64_t requests_per_minute = 0;                           // 0: no limit
  int64_t tokens_per_day = 0;                                // 0: no limit
  int64_t expires_at = 0;                                    // Unix milliseconds; 0: never
  int64_t created_at = 0, last_used_at = 0, revoked_at = 0;  // 0: never

  // `admin` may do everything.
  bool Allows(std::string_view scope) const;
};

enum class Denial { kNone, kMissing, kMalformed, kUnknown, kExpired, kRevoked };
std::string_view Name(Denial denial);  // for the audit trail and logs; clients are told none of it

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Nothing for whoever is not recognised; `why` (may be null) says the reason. From any thread; reads no database.
  virtual std::optional<KeyInfo> Authenticate(const Credentials& credentials, Denial* why = nullptr) = 0;
};

// The token of "Bearer TOKEN" (the scheme in any case); "" where it is not of that form.
std::string_view BearerToken(std::string_view authorization);

}  // namespace atelier::guard
