#include "guard/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "guard/audit.h"
#include "guard/key_limits.h"
#include "store/migrations.h"

namespace atelier::guard {
namespace {

constexpr const char* kTenant = "default";

std::string Fresh(const std::string& name) {
  const std::string path = Cat(::testing::TempDir(), "/", ::getpid(), "_k_", name);
  for (const char* end : {"", "-wal", "-shm"}) RemoveFile(path + end);
  return path;
}

store::Database FreshDb(const std::string& name) {
  store::Database db = store::Database::Open(Fresh(name));
  store::Migrate(db);
  return db;
}

const std::string kSecret(32, 's');

NewKey Wanted(std::string name, std::vector<std::string> scopes = {"generate"}) {
  NewKey wanted;
  wanted.name = std::move(name);
  wanted.scopes = std::move(scopes);
  return wanted;
}

Code CodeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Code::kInternal;
}

TEST(Keys, AKeyOpensWhatItMayAndNothingElseDoes) {
  store::Database db = FreshDb("open.db");
  NewKey wanted = Wanted("店铺 shop", {"recipes", "generate", "recipes"});
  wanted.requests_per_minute = 60;
  wanted.tokens_per_day = 1000;
  const CreatedKey made = CreateKey(db, kTenant, "user:a", kSecret, wanted);
  ASSERT_EQ(made.key.size(), 47u);
  EXPECT_TRUE(made.key.starts_with(made.info.prefix));
  EXPECT_EQ(made.info.prefix.size(), 12u);
  KeyRing ring(kSecret, kTenant);
  Denial why = Denial::kNone;
  EXPECT_FALSE(ring.Authenticate(made.key, &why));  // not loaded yet
  EXPECT_EQ(why, Denial::kUnknown);
  ring.Load(db);
  const auto who = ring.Authenticate(made.key, &why);
  ASSERT_TRUE(who);
  EXPECT_EQ(why, Denial::kNone);
  EXPECT_EQ(who->id, made.info.id);
  EXPECT_EQ(who->name, "店铺 shop");
  EXPECT_EQ(who->scopes, (std::vector<std::string>{"generate", "recipes"}));
  EXPECT_EQ(who->tokens_per_day, 1000);
  EXPECT_TRUE(who->Allows("recipes"));
  EXPECT_FALSE(who->Allows("metrics") || who->Allows("admin"));
  for (size_t i = 4; i < made.key.size(); ++i) {  // every single character counts
    std::string other = made.key;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(ring.Authenticate(other, &why)) << i;
    EXPECT_EQ(why, Denial::kUnknown);
  }
  for (const std::string& bad : {std::string(), std::string("atl_"), made.key.substr(0, 46), made.key + "x",
                                 made.info.prefix, std::string(47, 'x'), Cat(made.key.substr(0, 46), "-")}) {
    EXPECT_FALSE(ring.Authenticate(bad, &why)) << bad;
    EXPECT_EQ(why, Denial::kMalformed) << bad;
  }
  KeyRing other_secret(std::string(32, 't'), kTenant);
  other_secret.Load(db);
  EXPECT_FALSE(other_secret.Authenticate(made.key));
  KeyRing other_tenant(kSecret, "other");
  other_tenant.Load(db);
  EXPECT_FALSE(other_tenant.Authenticate(made.key));
}

TEST(Keys, HeadersAreReadAsBearerTokens) {
  store::Database db = FreshDb("bearer.db");
  const CreatedKey made = CreateKey(db, kTenant, "user:a", kSecret, Wanted("a"));
  KeyRing ring(kSecret, kTenant);
  ring.Load(db);
  Authenticator& any = ring;
  const std::string plain = Cat("Bearer ", made.key), lower = Cat("bearer   ", made.key, " ");
  EXPECT_TRUE(any.Authenticate({plain, "", {}}));
  EXPECT_TRUE(any.Authenticate({lower, "", {}}));
  Denial why = Denial::kNone;
  EXPECT_FALSE(any.Authenticate({"", "", {}}, &why));
  EXPECT_EQ(why, Denial::kMissing);
  for (const std::string& bad : {Cat("Basic ", made.key), made.key, std::string("Bearer"), std::string("Bearer ")}) {
    EXPECT_FALSE(any.Authenticate({bad, "", {}}, &why)) << bad;
    EXPECT_EQ(why, Denial::kMalformed) << bad;
  }
}

TEST(Keys, TheDatabaseHoldsNoKey) {
  const std::string path = Fresh("nokey.db");
  std::string key;
  {
    store::Database db = store::Database::Open(path);
    store::Migrate(db);
    key = CreateKey(db, kTenant, "user:a", kSecret, Wanted("a")).key;
    db.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  const std::string bytes = ReadFile(path);
  EXPECT_NE(bytes.find(key.substr(0, 12)), std::string::npos);
  // Whatever column follows the prefix may begin with the key's next character by chance, hence runs of four and more.
  EXPECT_EQ(bytes.find(key.substr(0, 16)), std::string::npos);
  for (size_t at = 12; at + 8 <= key.size(); ++at) EXPECT_EQ(bytes.find(key.substr(at, 8)), std::string::npos);
}

TEST(Keys, KeysAreNeverAlike) {
  store::Database db = FreshDb("alike.db");
  std::set<std::string> keys;
  std::set<char> characters;
  for (int i = 0; i < 50; ++i) {
    const std::string key = CreateKey(db, kTenant, "user:a", kSecret, Wanted(Cat("k", i))).key;
    keys.insert(key);
    characters.insert(key.begin() + 4, key.end());
  }
  EXPECT_EQ(keys.size(), 50u);
  EXPECT_EQ(characters.size(), 62u);
}

TEST(Keys, RevokedAndExpiredKeysOpenNothing) {
  store::Database db = FreshDb("dead.db");
  int64_t now = NowMillis();
  NewKey wanted = Wanted("short");
  wanted.expires_at = now + 1000;
  const CreatedKey expiring = CreateKey(db, kTenant, "user:a", kSecret, wanted);
  const CreatedKey revoked = CreateKey(db, kTenant, "user:a", kSecret, Wanted("gone"));
  KeyRing ring(kSecret, kTenant, [&] { return now; });
  ring.Load(db);
  EXPECT_TRUE(ring.Authenticate(expiring.key));
  now += 1000;
  Denial why = Denial::kNone;
  EXPECT_FALSE(ring.Authenticate(expiring.key, &why));
  EXPECT_EQ(why, Denial::kExpired);
  EXPECT_GT(RevokeKey(db, kTenant, "user:a", revoked.info.prefix).revoked_at, 0);
  EXPECT_TRUE(ring.Authenticate(revoked.key));  // until the next Load
  ring.Load(db);
  EXPECT_FALSE(ring.Authenticate(revoked.key, &why));
  EXPECT_EQ(why, Denial::kRevoked);
  RevokeKey(db, kTenant, "user:a", revoked.info.id);  // again: no second event
  EXPECT_EQ(CodeOf([&] { RevokeKey(db, kTenant, "user:a", "atl_nosuch00"); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { RevokeKey(db, "other", "user:a", revoked.info.id); }), Code::kNotFound);
  const std::vector<AuditRow> rows = ListAudit(db, kTenant, revoked.info.id);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].event, "key.revoked");
  EXPECT_EQ(rows[1].event, "key.created");
  EXPECT_EQ(rows[1].details["name"], "gone");
}

TEST(Keys, WhatIsAskedForIsChecked) {
  store::Database db = FreshDb("checked.db");
  const auto refuse = [&](NewKey wanted, Code code) {
    EXPECT_EQ(CodeOf([&] { CreateKey(db, kTenant, "user:a", kSecret, wanted); }), code) << Quote(wanted.name);
  };
  refuse(Wanted(""), Code::kInvalidInput);
  refuse(Wanted(std::string(101, 'x')), Code::kInvalidInput);
  refuse(Wanted("a\nb"), Code::kInvalidInput);
  refuse(Wanted("\xff"), Code::kInvalidInput);
  refuse(Wanted("a", {}), Code::kInvalidInput);
  refuse(Wanted("a", {"generat"}), Code::kInvalidInput);
  NewKey negative = Wanted("a");
  negative.tokens_per_day = -1;
  refuse(negative, Code::kInvalidInput);
  const CreatedKey first = CreateKey(db, kTenant, "user:a", kSecret, Wanted("a"));
  refuse(Wanted("a"), Code::kConflict);
  RevokeKey(db, kTenant, "user:a", first.info.id);
  CreateKey(db, kTenant, "user:a", kSecret, Wanted("a"));  // a dead key's name is free
  CreateKey(db, "other", "user:a", kSecret, Wanted("a"));
  EXPECT_EQ(ListKeys(db, kTenant).size(), 2u);
  EXPECT_EQ(ListKeys(db, "other").size(), 1u);
}

TEST(Keys, TheSecretIsMadeOnceAndForItsOwnerOnly) {
  const std::string path = Fresh("keys.secret");
  const std::string secret = StudioSecret(path);
  EXPECT_EQ(secret.size(), 32u);
  EXPECT_EQ(StudioSecret(path), secret);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ::chmod(path.c_str(), 0640);
  EXPECT_EQ(CodeOf([&] { StudioSecret(path); }), Code::kPermissionDenied);
  WriteFileAtomic(path, "0123");
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(CodeOf([&] { StudioSecret(path); }), Code::kCorrupt);
  RemoveFile(path);
  EXPECT_NE(StudioSecret(path), secret);
}

TEST(Keys, UseAndRefusalsAreWrittenTogetherAndBounded) {
  store::Database db = FreshDb("flush.db");
  const CreatedKey made = CreateKey(db, kTenant, "user:a", kSecret, Wanted("a"));
  int64_t now = 5'000'000;
  KeyRing ring(kSecret, kTenant, [&] { return now; });
  ring.Load(db);
  ring.Authenticate(made.key);
  EXPECT_EQ(ListKeys(db, kTenant)[0].last_used_at, 0);  // nothing is written while requests run
  for (int i = 0; i < 7; ++i) ring.NoteDenied(Denial::kRevoked, "10.0.0.1");
  for (int i = 0; i < 1000; ++i) ring.NoteDenied(Denial::kUnknown, Cat("10.0.", i / 250, ".", i % 250));
  ring.Load(db);  // forgets neither
  ring.Flush(db);
  EXPECT_EQ(ListKeys(db, kTenant)[0].last_used_at, 5'000'000);
  std::vector<AuditRow> rows = ListAudit(db, kTenant, "", 1000);
  ASSERT_EQ(rows.size(), 3u);  // and the key's making
  EXPECT_EQ(rows[1].subject, "revoked");
  EXPECT_EQ(ToText(rows[1].details), R"({"count":7,"peers":1,"most":{"10.0.0.1":7}})");
  EXPECT_EQ(rows[0].subject, "unknown");
  EXPECT_EQ(rows[0].details["count"], 1000);
  EXPECT_EQ(rows[0].details["most"]["others"], 745);
  EXPECT_EQ(rows[0].details["most"].size(), 8u);
  ring.Flush(db);  // nothing is written twice
  EXPECT_EQ(ListAudit(db, kTenant, "", 1000).size(), rows.size());
}

TEST(Keys, AuthenticatesWhileKeysAreReloaded) {
  store::Database db = FreshDb("threads.db");
  const CreatedKey made = CreateKey(db, kTenant, "user:a", kSecret, Wanted("a"));
  KeyRing ring(kSecret, kTenant);
  ring.Load(db);
  std::atomic<int> recognised = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) recognised += ring.Authenticate(made.key) ? 1 : 0;
    });
  }
  for (int i = 0; i < 20; ++i) {
    ring.Load(db);
    ring.Flush(db);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(recognised, 1500);
}

KeyInfo Limited(std::string id, int64_t requests, int64_t tokens) {
  KeyInfo key;
  key.id = std::move(id);
  key.tenant = kTenant;
  key.requests_per_minute = requests;
  key.tokens_per_day = tokens;
  return key;
}

TEST(KeyLimits, BucketsFillAgainAndSayWhen) {
  int64_t now = 1'000'000'000'000;
  KeyLimits limits([&] { return now; });
  const KeyInfo key = Limited("a", 6, 0);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(limits.Admit(key).allowed) << i;
  KeyLimits::Verdict verdict = limits.Admit(key);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_FALSE(verdict.quota);
  EXPECT_NEAR(verdict.retry_after, 10, 0.01);
  now += 9'000;
  EXPECT_FALSE(limits.Admit(key).allowed);
  now += 1'001;
  EXPECT_TRUE(limits.Admit(key).allowed);
  EXPECT_FALSE(limits.Admit(key).allowed);
  EXPECT_TRUE(limits.Admit(Limited("b", 6, 0)).allowed);  // each key has its own
  now += 3'600'000;
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(limits.Admit(key).allowed);
  EXPECT_FALSE(limits.Admit(key).allowed);  // no more than a minute's worth is saved up
  now -= 3'600'000;                         // a clock set back
  EXPECT_FALSE(limits.Admit(key).allowed);
  now += 3'600'000;
  EXPECT_FALSE(limits.Admit(key).allowed);
}

TEST(KeyLimits, TheDaysTokensAreNeverExceededByWhatIsReserved) {
  int64_t now = 20'000 * int64_t{86'400'000} + 1000;
  KeyLimits limits([&] { return now; });
  const KeyInfo key = Limited("a", 0, 1000);
  EXPECT_TRUE(limits.Admit(key, 600).allowed);
  const KeyLimits::Verdict verdict = limits.Admit(key, 600);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_TRUE(verdict.quota);
  EXPECT_NEAR(verdict.retry_after, 86'399, 1);
  EXPECT_TRUE(limits.Admit(key, 400).allowed);
  EXPECT_FALSE(limits.Admit(key, 1).allowed);
  EXPECT_TRUE(limits.Admit(key, 0).allowed) << "what needs no tokens goes on";
  limits.Settle(key, 600, 100);
  EXPECT_EQ(limits.TokensToday(key), 500);
  EXPECT_TRUE(limits.Admit(key, 500).allowed);
  now += 86'400'000;  // the next day; what runs on is still reserved
  EXPECT_EQ(limits.TokensToday(key), 900);
  EXPECT_TRUE(limits.Admit(key, 100).allowed);
  EXPECT_FALSE(limits.Admit(key, 1).allowed);
}

TEST(KeyLimits, UseIsCarriedOverARestart) {
  store::Database db = FreshDb("usage.db");
  const CreatedKey made = CreateKey(db, kTenant, "user:a", kSecret, Wanted("a"));
  KeyInfo key = made.info;
  key.tokens_per_day = 1000;
  int64_t now = 20'000 * int64_t{86'400'000};
  {
    KeyLimits limits([&] { return now; });
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(limits.Admit(key, 10).allowed);
      limits.Settle(key, 10, 300);
      limits.Flush(db);
    }
    limits.Flush(db);
    const int64_t noon = now;
    now += 86'400'000;
    EXPECT_TRUE(limits.Admit(key).allowed);
    limits.Settle(key, 0, 5);  // not written before the day after it
    now += 86'400'000;
    EXPECT_TRUE(limits.Admit(key).allowed);
    limits.Flush(db);
    limits.Flush(db);
    EXPECT_EQ(db.QueryInt("SELECT tokens FROM key_usage WHERE day = ?", noon / 86'400'000 + 1), 5);
    EXPECT_EQ(db.QueryInt("SELECT requests FROM key_usage WHERE day = ?", noon / 86'400'000 + 1), 1);
    EXPECT_EQ(db.QueryInt("SELECT tokens FROM key_usage WHERE day = ?", noon / 86'400'000 + 2), 0);
    EXPECT_EQ(db.QueryInt("SELECT requests FROM key_usage WHERE day = ?", noon / 86'400'000 + 2), 1);
    now = noon;
    limits.Admit(Limited("of no table", 0, 0));
    limits.Flush(db);
  }
  EXPECT_EQ(db.QueryInt("SELECT tokens FROM key_usage WHERE day = 20000 AND key_id = ?", key.id), 900);
  EXPECT_EQ(db.QueryInt("SELECT requests FROM key_usage WHERE day = 20000 AND key_id = ?", key.id), 3);
  KeyLimits limits([&] { return now; });
  limits.Load(db, kTenant);
  EXPECT_EQ(limits.TokensToday(key), 900);
  EXPECT_FALSE(limits.Admit(key, 101).allowed);
  EXPECT_TRUE(limits.Admit(key, 100).allowed);
}

TEST(KeyLimits, MemoryIsBounded) {
  int64_t now = 1;
  KeyLimits limits([&] { return now; }, 100);
  const KeyInfo spent = Limited("spent", 0, 10);
  limits.Admit(spent);
  limits.Settle(spent, 0, 10);
  for (int i = 0; i < 1000; ++i) {
    ++now;
    limits.Admit(Limited(Cat("k", i), 1, 0));
  }
  EXPECT_EQ(limits.size(), 100u);
  EXPECT_FALSE(limits.Admit(spent, 1).allowed);  // it has not been written: it is not forgotten
  EXPECT_FALSE(limits.Admit(Limited("k999", 1, 0)).allowed);
}

}  // namespace
}  // namespace atelier::guard
