// API keys: "atl_" and 43 characters that hold 256 random bits. A key is shown once; the studio keeps its BLAKE2b hash
// under a secret of its own (a file that only the user can read), so that a stolen database opens nothing, and a hash
// that needs no salt or stretching, since no one can guess 256 bits.
//
//   guard::KeyRing ring(guard::StudioSecret(studio.SecretPath()), studio.tenant());
//   ring.Load(db);                                     // at the start, and on SIGHUP
//   auto who = ring.Authenticate({.authorization = header, .peer = peer});
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "guard/authenticator.h"
#include "store/database.h"

namespace atelier::guard {

// What a key may be for; CreateKey refuses others.
std::vector<std::string> AllScopes();

// The file's 32 bytes, made on first use with mode 0600. Throws kPermissionDenied when others may read it, kCorrupt.
std::string StudioSecret(const std::string& path);

struct NewKey {
  std::string name;                 // for people, 1 to 100 bytes
  std::vector<std::string> scopes;  // at least one
  int64_t requests_per_minute = 0;  // 0: no limit
  int64_t tokens_per_day = 0;       // 0: no limit
  int64_t expires_at = 0;           // Unix milliseconds; 0: never
};

struct CreatedKey {
  std::string key;  // never to be had again
  KeyInfo info;
};

// One transaction with its audit event ("key.created", "key.revoked"). Throws kInvalidInput for what is not allowed,
// kConflict for a name that a living key has, kNotFound.
CreatedKey CreateKey(store::Database& db, std::string_view tenant, std::string_view actor, std::string_view secret,
                     const NewKey& wanted);
// By id, or by the prefix as it is shown. A second time changes nothing and is no error.
KeyInfo RevokeKey(store::Database& db, std::string_view tenant, std::string_view actor, std::string_view id_or_prefix);
std::vector<KeyInfo> ListKeys(store::Database& db, std::string_view tenant);  // oldest first, dead ones too

class KeyRing : public Authenticator {
 public:
  KeyRing(std::string secret, std::string tenant, std::function<int64_t()> now = NowMillis);

  // Replaces the snapshot: keys created, changed or revoked since count from here on. Requests go on meanwhile. The
  // database must not be in use by another thread; the same goes for Flush.
  void Load(store::Database& db);
  size_t size() const;  // keys in the snapshot, revoked and expired ones too

  std::optional<KeyInfo> Authenticate(const Credentials& credentials, Denial* why = nullptr) override;
  std::optional<KeyInfo> Authenticate(std::string_view token, Denial* why = nullptr);

  // Counts a refusal for the audit trail: requests write nothing. At most 256 peers are told apart between two calls of
  // Flush; further ones count as "others".
  void NoteDenied(Denial why, std::string_view peer);
  // Writes when keys were last used, and one "key.denied" for each reason, whatever came: how often, from how many, and
  // who most. Now and then, at the end.
  void Flush(store::Database& db);

 private:
  struct Entry {
    KeyInfo info;
    std::string hash;                   // 32 bytes
    std::atomic<int64_t> last_used{0};  // since the last Flush; 0: not
  };
  using Snapshot = std::unordered_multimap<uint64_t, std::shared_ptr<Entry>>;  // by the hash's first bytes
  std::shared_ptr<const Snapshot> Current() const;

  const std::string secret_, tenant_;
  const std::function<int64_t()> now_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::unordered_map<std::string, int64_t> denied_;  // "reason\npeer": how often
};

}  // namespace atelier::guard
