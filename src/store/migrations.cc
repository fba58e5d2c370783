#include "store/migrations.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::store {
namespace {

// References carry the tenant, so that no row can point at another tenant's.

// "ATLR": marks a file as a studio's database.
constexpr int64_t kApplicationId = 0x41544c52;

constexpr std::string_view kFirst = R"sql(
CREATE TABLE models (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT 'default',
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  architecture TEXT NOT NULL,
  quantisation TEXT NOT NULL,
  licence TEXT NOT NULL DEFAULT '',
  source TEXT NOT NULL DEFAULT '',
  manifest TEXT NOT NULL CHECK (json_valid(manifest)),
  created_at INTEGER NOT NULL,
  UNIQUE (tenant, name)
) STRICT;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT 'default',
  recipe TEXT NOT NULL,
  variant TEXT NOT NULL DEFAULT '',
  config_hash TEXT NOT NULL,
  input_path TEXT NOT NULL DEFAULT '',
  input_hash TEXT NOT NULL DEFAULT '',
  seed INTEGER NOT NULL,
  options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options)),
  key_id TEXT NOT NULL DEFAULT '',
  traceparent TEXT NOT NULL DEFAULT '',
  engine_build TEXT NOT NULL DEFAULT '',
  isa TEXT NOT NULL DEFAULT '',
  threads INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  UNIQUE (tenant, id)
) STRICT;
CREATE INDEX runs_by_time ON runs (tenant, started_at);

CREATE TABLE generations (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT 'default',
  run_id TEXT NOT NULL,
  recipe TEXT NOT NULL,
  variant TEXT NOT NULL DEFAULT '',
  config_hash TEXT NOT NULL,
  record INTEGER NOT NULL,
  lang TEXT NOT NULL DEFAULT '',
  model TEXT NOT NULL DEFAULT '',
  model_hash TEXT NOT NULL DEFAULT '',
  seed INTEGER NOT NULL,
  input TEXT NOT NULL CHECK (json_valid(input)),
  output TEXT NOT NULL CHECK (json_valid(output)),
  checks TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(checks)),
  choices TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(choices)),
  scores TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(scores)),
  writer TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  sample INTEGER NOT NULL DEFAULT 0,
  rank INTEGER,
  status TEXT NOT NULL CHECK (status IN ('chosen', 'runner_up', 'candidate', 'dropped')),
  reason TEXT NOT NULL DEFAULT '',
  timings TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(timings)),
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  key_id TEXT NOT NULL DEFAULT '',
  traceparent TEXT NOT NULL DEFAULT '',
  engine_build TEXT NOT NULL DEFAULT '',
  isa TEXT NOT NULL DEFAULT '',
  threads INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  UNIQUE (tenant, id),
  FOREIGN KEY (tenant, run_id) REFERENCES runs (tenant, id)
) STRICT;
CREATE INDEX generations_by_run ON generations (run_id, record, rank);
CREATE INDEX generations_by_recipe ON generations (tenant, recipe, created_at);

CREATE TABLE exposures (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT 'default',
  generation_id TEXT NOT NULL,
  experiment TEXT NOT NULL DEFAULT '',
  unit TEXT NOT NULL,
  context TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(context)),
  eligible_arms TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(eligible_arms)),
  chosen_arm TEXT NOT NULL DEFAULT '',
  propensity REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1),
  token TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  UNIQUE (tenant, id),
  FOREIGN KEY (tenant, generation_id) REFERENCES generations (tenant, id)
) STRICT;
CREATE INDEX exposures_by_generation ON exposures (generation_id);
CREATE INDEX exposures_by_experiment ON exposures (tenant, experiment, created_at);

CREATE TABLE feedback (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT 'default',
  exposure_id TEXT,
  generation_id TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('impression', 'click', 'conversion', 'rating', 'edit', 'flag', 'comment')),
  value REAL,
  body TEXT,
  actor TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  CHECK ((exposure_id IS NULL) <> (generation_id IS NULL)),
  FOREIGN KEY (tenant, exposure_id) REFERENCES exposures (tenant, id),
  FOREIGN KEY (tenant, generation_id) REFERENCES generations (tenant, id)
) STRICT;
CREATE INDEX feedback_by_exposure ON feedback (exposure_id);
CREATE INDEX feedback_by_generation ON feedback (generation_id);

CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL DEFAULT 'default',
  actor TEXT NOT NULL,
  event TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(details)),
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_by_subject ON audit (tenant, subject);
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit table is append-only: no row is deleted'); END;
CREATE TRIGGER audit_keeps_values BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit table is append-only: no row is changed'); END;
CREATE TRIGGER audit_keeps_numbers BEFORE INSERT ON audit
  WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)
  BEGIN SELECT RAISE(ABORT, 'the audit table is append-only: no row is replaced'); END;

CREATE TABLE terms_acceptances (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT 'default',
  model TEXT NOT NULL,
  terms TEXT NOT NULL,
  terms_url TEXT NOT NULL DEFAULT '',
  terms_sha256 TEXT NOT NULL DEFAULT '',
  actor TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX terms_by_model ON terms_acceptances (tenant, model);
)sql";

// `hash` is the hex of a keyed hash; the key itself is nowhere. 0 stands for no limit, for never. A day of key_usage is
// the number of days since 1970 in UTC.
constexpr std::string_view kKeys = R"sql(
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL DEFAULT 'default',
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL CHECK (json_valid(scopes)),
  requests_per_minute INTEGER NOT NULL DEFAULT 0 CHECK (requests_per_minute >= 0),
  tokens_per_day INTEGER NOT NULL DEFAULT 0 CHECK (tokens_per_day >= 0),
  expires_at INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL DEFAULT 0,
  revoked_at INTEGER NOT NULL DEFAULT 0,
  UNIQUE (tenant, id)
) STRICT;
CREATE UNIQUE INDEX api_keys_by_name ON api_keys (tenant, name) WHERE revoked_at = 0;
CREATE INDEX api_keys_by_time ON api_keys (tenant, created_at);

CREATE TABLE key_usage (
  tenant TEXT NOT NULL DEFAULT 'default',
  key_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, key_id, day),
  FOREIGN KEY (tenant, key_id) REFERENCES api_keys (tenant, id)
) STRICT;
)sql";

// A client that did not hear the answer says the same again under the same key; it is kept once.
constexpr std::string_view kIdempotency = R"sql(
ALTER TABLE feedback ADD COLUMN idempotency_key TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX feedback_by_idempotency ON feedback (tenant, actor, idempotency_key) WHERE idempotency_key <> '';
)sql";

// The visible list, in order.
constexpr Migration kMigrations[] = {
    {1, "models, runs, generations, exposures, feedback, audit, terms", kFirst},
    {2, "API keys and what they used", kKeys},
    {3, "feedback that may be said twice", kIdempotency},
};

}  // namespace

std::span<const Migration> AllMigrations() { return kMigrations; }

int SchemaVersion(Database& db) { return static_cast<int>(db.QueryInt("PRAGMA user_version")); }

void Migrate(Database& db) { Migrate(db, AllMigrations()); }

void Migrate(Database& db, std::span<const Migration> migrations) {
  const int last = migrations.empty() ? 0 : migrations.back().number;
  const auto check = [&] {
    const int at = SchemaVersion(db);
    const int64_t application = db.QueryInt("PRAGMA application_id");
    const int64_t tables = db.QueryInt("SELECT count(*) FROM sqlite_master");
    if (tables > 0 && application != kApplicationId) {
      throw Error(Code::kInvalidInput, Cat(db.path(), ": is a database, but not a studio's"));
    }
    if (at > last) {
      throw Error(
          Code::kUnsupported,
          Cat(db.path(), ": was written by a newer Atelier (schema ", at, "; this program knows up to ", last, ")"),
          "use the newer program, or restore a backup made before the upgrade");
    }
    return at;
  };
  if (check() == last) return;
  Transaction transaction(db);
  const int at = check();  // again: another process may have migrated while we waited for the lock
  for (const Migration& migration : migrations) {
    if (migration.number <= at) continue;
    try {
      db.Execute(std::string(migration.sql));
    } catch (const Error& error) {
      throw error.Within(Cat("migration ", migration.number, " (", migration.name, ")"));
    }
  }
  db.Execute(Cat("PRAGMA user_version = ", last, "; PRAGMA application_id = ", kApplicationId));
  transaction.Commit();
}

}  // namespace atelier::store
