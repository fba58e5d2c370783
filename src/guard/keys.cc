#include "guard/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "guard/audit.h"
#include "text/unicode.h"

namespace atelier::guard {
namespace {

constexpr std::string_view kStart = "atl_";
constexpr size_t kDigits = 43;  // of 62: 256 bits
constexpr size_t kShown = kStart.size() + 8;
constexpr size_t kHashBytes = 32;
constexpr size_t kSecretBytes = 32;
constexpr size_t kMostPeers = 256;  // told apart in memory
constexpr size_t kMostNamed = 8;    // in one row of the audit trail
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void StartSodium() {
  static const int status = sodium_init();
  if (status < 0) throw Error(Code::kInternal, "libsodium does not start");
}

std::string Draw() {
  StartSodium();
  std::string key(kStart);
  for (size_t i = 0; i < kDigits; ++i) key.push_back(kAlphabet[randombytes_uniform(kAlphabet.size())]);
  return key;
}

bool HasShape(std::string_view key) {
  return key.size() == kStart.size() + kDigits && key.starts_with(kStart) &&
         key.substr(kStart.size()).find_first_not_of(kAlphabet) == std::string_view::npos;
}

std::string Hash(std::string_view key, std::string_view secret) {
  StartSodium();
  std::string out(kHashBytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                     reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                     reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  return out;
}

std::string ToHex(std::string_view bytes) {
  std::string out(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  out.pop_back();
  return out;
}

std::string FromHex(std::string_view hex, size_t bytes, const std::string& where) {
  std::string out(bytes, '\0');
  size_t size = 0;
  const char* end = nullptr;
  const int status = sodium_hex2bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), hex.data(), hex.size(),
                                    nullptr, &size, &end);
  if (status != 0 || size != bytes || end != hex.data() + hex.size()) {
    throw Error(Code::kCorrupt, Cat(where, ": is not ", bytes, " bytes in hex"));
  }
  return out;
}

uint64_t Bucket(std::string_view hash) {
  uint64_t bucket = 0;
  std::memcpy(&bucket, hash.data(), sizeof(bucket));
  return bucket;
}

constexpr std::string_view kColumns =
    "id, tenant, name, prefix, scopes, requests_per_minute, tokens_per_day, expires_at, created_at, last_used_at, "
    "revoked_at, hash";

KeyInfo ReadKey(const store::Statement& row) {
  KeyInfo info{row.Text(0), row.Text(1), row.Text(2), row.Text(3), {},         row.Int(5),
               row.Int(6),  row.Int(7),  row.Int(8),  row.Int(9),  row.Int(10)};
  for (const Json& scope : ParseJson(row.Text(4), "api_keys.scopes")) info.scopes.push_back(scope.get<std::string>());
  return info;
}

}  // namespace

bool KeyInfo::Allows(std::string_view scope) const {
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end() ||
         std::find(scopes.begin(), scopes.end(), "admin") != scopes.end();
}

std::string_view Name(Denial denial) {
  switch (denial) {
    case Denial::kNone: return "none";
    case Denial::kMissing: return "missing";
    case Denial::kMalformed: return "malformed";
    case Denial::kUnknown: return "unknown";
    case Denial::kExpired: return "expired";
    case Denial::kRevoked: return "revoked";
  }
  return "";
}

std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!EqualsIgnoreCase(authorization.substr(0, kScheme.size()), kScheme)) return {};
  return Trim(authorization.substr(kScheme.size()));
}

std::vector<std::string> AllScopes() { return {"admin", "feedback", "generate", "metrics", "recipes"}; }

std::string StudioSecret(const std::string& path) {
  StartSodium();
  if (!FileExists(path)) {
    // Written beside and linked into place: whoever comes first wins, and nobody reads a half.
    std::string bytes(kSecretBytes, '\0');
    randombytes_buf(bytes.data(), bytes.size());
    const std::string text = Cat(ToHex(bytes), "\n");
    const std::string temporary = Cat(path, ".tmp.", RandomHex(8));
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    const bool linked = written && (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
    const int why = errno;
    ::unlink(temporary.c_str());
    if (!linked) throw Error(Code::kIo, Cat(path, ": the secret could not be written: ", std::strerror(why)));
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw Error(Code::kIo, Cat(path, ": ", std::strerror(errno)));
  if ((info.st_mode & 077) != 0) {
    throw Error(Code::kPermissionDenied, Cat(path, ": others than its owner may read or write it"),
                Cat("chmod 600 ", path, ", and make new keys if somebody may have read it"));
  }
  return FromHex(Trim(ReadFile(path, 4096)), kSecretBytes, path);
}

CreatedKey CreateKey(store::Database& db, std::string_view tenant, std::string_view actor, std::string_view secret,
                     const NewKey& wanted) {
  if (wanted.name.empty() || wanted.name.size() > 100 || !text::IsValidUtf8(wanted.name) ||
      std::any_of(wanted.name.begin(), wanted.name.end(), [](char c) { return c >= 0 && (c < 0x20 || c == 0x7f); })) {
    throw Error(Code::kInvalidInput, Cat("key ", Quote(wanted.name), ": a name is 1 to 100 bytes of printable UTF-8"));
  }
  const std::vector<std::string> known = AllScopes();
  std::vector<std::string> scopes = wanted.scopes;
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  if (scopes.empty()) {
    throw Error(Code::kInvalidInput, Cat("key ", Quote(wanted.name), ": has no scope"),
                Cat("one of ", Join(known, ", ")));
  }
  for (const std::string& scope : scopes) {
    if (std::find(known.begin(), known.end(), scope) != known.end()) continue;
    const std::string near = Nearest(scope, known);
    throw Error(Code::kInvalidInput, Cat("there is no scope ", Quote(scope)),
                near.empty() ? Cat("one of ", Join(known, ", ")) : Cat("did you mean ", near, "?"));
  }
  if (wanted.requests_per_minute < 0 || wanted.tokens_per_day < 0 || wanted.expires_at < 0) {
    throw Error(Code::kInvalidInput, "a key's limits are not negative");
  }
  CreatedKey created{Draw(), {}};
  KeyInfo& info = created.info;
  info = {NewUuid(),
          std::string(tenant),
          wanted.name,
          created.key.substr(0, kShown),
          scopes,
          wanted.requests_per_minute,
          wanted.tokens_per_day,
          wanted.expires_at,
          NowMillis(),
          0,
          0};
  store::Transaction transaction(db);
  if (db.QueryInt("SELECT count(*) FROM api_keys WHERE tenant = ? AND name = ? AND revoked_at = 0", tenant, info.name) >
      0) {
    throw Error(Code::kConflict, Cat("there is a key ", Quote(info.name), " already"),
                "revoke it first, or choose another name");
  }
  db.Run(Cat("INSERT INTO api_keys (", kColumns, ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"), info.id, tenant,
         info.name, info.prefix, ToText(Json(scopes)), info.requests_per_minute, info.tokens_per_day, info.expires_at,
         info.created_at, info.last_used_at, info.revoked_at, ToHex(Hash(created.key, secret)));
  Audit(db, tenant, actor, "key.created", info.id,
        {{"name", info.name},
         {"prefix", info.prefix},
         {"scopes", scopes},
         {"requests_per_minute", info.requests_per_minute},
         {"tokens_per_day", info.tokens_per_day},
         {"expires_at", info.expires_at}});
  transaction.Commit();
  return created;
}

KeyInfo RevokeKey(store::Database& db, std::string_view tenant, std::string_view actor, std::string_view id_or_prefix) {
  store::Transaction transaction(db);
  KeyInfo info;
  {
    store::Statement query =
        db.Prepare(Cat("SELECT ", kColumns,
                       " FROM api_keys WHERE tenant = ?1 AND (id = ?2 OR prefix = ?2) ORDER BY created_at LIMIT 2"));
    query.Bind(tenant, id_or_prefix);
    if (!query.Step()) {
      throw Error(Code::kNotFound, Cat("there is no key ", Quote(id_or_prefix)), "`atelier key list` shows them");
    }
    info = ReadKey(query);
    if (query.Step()) {
      throw Error(Code::kConflict, Cat("two keys begin with ", Quote(id_or_prefix)), "name the key by its id");
    }
  }
  if (info.revoked_at != 0) return info;
  info.revoked_at = NowMillis();
  db.Run("UPDATE api_keys SET revoked_at = ? WHERE tenant = ? AND id = ?", info.revoked_at, tenant, info.id);
  Audit(db, tenant, actor, "key.revoked", info.id, {{"name", info.name}, {"prefix", info.prefix}});
  transaction.Commit();
  return info;
}

std::vector<KeyInfo> ListKeys(store::Database& db, std::string_view tenant) {
  store::Statement query =
      db.Prepare(Cat("SELECT ", kColumns, " FROM api_keys WHERE tenant = ? ORDER BY created_at, id"));
  query.Bind(tenant);
  std::vector<KeyInfo> keys;
  while (query.Step()) keys.push_back(ReadKey(query));
  return keys;
}

KeyRing::KeyRing(std::string secret, std::string tenant, std::function<int64_t()> now)
    : secret_(std::move(secret)),
      tenant_(std::move(tenant)),
      now_(std::move(now)),
      snapshot_(std::make_shared<const Snapshot>()) {
  StartSodium();
}

std::shared_ptr<const KeyRing::Snapshot> KeyRing::Current() const {
  std::lock_guard lock(mutex_);
  return snapshot_;
}

size_t KeyRing::size() const { return Current()->size(); }

void KeyRing::Load(store::Database& db) {
  auto fresh = std::make_shared<Snapshot>();
  store::Statement query = db.Prepare(Cat("SELECT ", kColumns, " FROM api_keys WHERE tenant = ?"));
  query.Bind(tenant_);
  std::unordered_map<std::string, std::shared_ptr<Entry>> by_id;
  while (query.Step()) {
    auto entry = std::make_shared<Entry>();
    entry->info = ReadKey(query);
    entry->hash = FromHex(query.Text(11), kHashBytes, Cat("api_keys ", entry->info.id));
    by_id[entry->info.id] = entry;
    fresh->emplace(Bucket(entry->hash), std::move(entry));
  }
  std::lock_guard lock(mutex_);
  for (const auto& [bucket, old] : *snapshot_) {  // uses that were not written yet are not forgotten
    const auto found = by_id.find(old->info.id);
    if (found != by_id.end()) found->second->last_used = old->last_used.load();
  }
  snapshot_ = std::move(fresh);
}

std::optional<KeyInfo> KeyRing::Authenticate(const Credentials& credentials, Denial* why) {
  Denial ignored;
  Denial& reason = why != nullptr ? *why : ignored;
  const std::string_view token = BearerToken(credentials.authorization);
  if (token.empty()) {
    reason = credentials.authorization.empty() ? Denial::kMissing : Denial::kMalformed;
    return std::nullopt;
  }
  return Authenticate(token, &reason);
}

// The time that this takes depends on the secret's hash of what was sent, which tells the sender nothing.
std::optional<KeyInfo> KeyRing::Authenticate(std::string_view token, Denial* why) {
  Denial ignored;
  Denial& reason = why != nullptr ? *why : ignored;
  if (!HasShape(token)) {
    reason = Denial::kMalformed;
    return std::nullopt;
  }
  const std::string hash = Hash(token, secret_);
  const std::shared_ptr<const Snapshot> snapshot = Current();
  const auto [begin, end] = snapshot->equal_range(Bucket(hash));
  std::shared_ptr<Entry> found;
  for (auto at = begin; at != end; ++at) {
    if (sodium_memcmp(at->second->hash.data(), hash.data(), kHashBytes) == 0) found = at->second;
  }
  const int64_t now = now_();
  reason = found == nullptr                                               ? Denial::kUnknown
           : found->info.revoked_at != 0                                  ? Denial::kRevoked
           : found->info.expires_at != 0 && found->info.expires_at <= now ? Denial::kExpired
                                                                          : Denial::kNone;
  if (reason != Denial::kNone) return std::nullopt;
  found->last_used = now;
  return found->info;
}

void KeyRing::NoteDenied(Denial why, std::string_view peer) {
  std::lock_guard lock(mutex_);
  std::string who = Cat(Name(why), "\n", peer);
  if (denied_.size() >= kMostPeers && denied_.count(who) == 0) who = Cat(Name(why), "\nothers");
  denied_[who]++;
}

void KeyRing::Flush(store::Database& db) {
  std::unordered_map<std::string, int64_t> denied;
  std::shared_ptr<const Snapshot> snapshot;
  {
    std::lock_guard lock(mutex_);
    snapshot = snapshot_;
    denied = denied_;
  }
  std::vector<std::pair<Entry*, int64_t>> used;
  for (const auto& [bucket, entry] : *snapshot) {
    if (const int64_t at = entry->last_used.load(); at != 0) used.emplace_back(entry.get(), at);
  }
  if (denied.empty() && used.empty()) return;
  store::Transaction transaction(db);
  for (const auto& [entry, at] : used) {
    db.Run("UPDATE api_keys SET last_used_at = max(last_used_at, ?) WHERE tenant = ? AND id = ?", at, tenant_,
           entry->info.id);
  }
  struct Reason {
    int64_t count = 0;
    std::vector<std::pair<int64_t, std::string>> peers;
  };
  std::map<std::string, Reason> reasons;
  for (const auto& [who, count] : denied) {
    const size_t line = who.find('\n');
    Reason& reason = reasons[who.substr(0, line)];
    reason.count += count;
    reason.peers.emplace_back(count, who.substr(line + 1));
  }
  for (auto& [name, reason] : reasons) {
    std::sort(reason.peers.rbegin(), reason.peers.rend());
    Json most = Json::object();
    for (size_t i = 0; i < std::min(reason.peers.size(), kMostNamed); ++i)
      most[reason.peers[i].second] = reason.peers[i].first;
    Audit(db, tenant_, "server", "key.denied", name,
          {{"count", reason.count}, {"peers", reason.peers.size()}, {"most", most}});
  }
  transaction.Commit();
  // Only what was written is forgotten: what came meanwhile, or a database that refused, is kept for the next time.
  for (const auto& [entry, at] : used) {
    int64_t expected = at;
    entry->last_used.compare_exchange_strong(expected, 0);
  }
  std::lock_guard lock(mutex_);
  for (const auto& [who, count] : denied) {
    if ((denied_[who] -= count) <= 0) denied_.erase(who);
  }
}

}  // namespace atelier::guard
